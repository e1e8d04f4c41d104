//! Ordering, as whoever shops does it.

use crate::{
    shop::{Read, Shop},
    shopper::Guest,
};
use reqwest::Method;
use serde_json::{Value, json};

/// Somebody who buys.
#[derive(Debug)]
pub struct Buyer {
    /// The shop, as they see it.
    pub shop: Shop,
}

/// Has a shop take orders: it sends goods everywhere for 5.00 dollars, and takes cash and transfers.
pub async fn take_orders(shop: &Shop) {
    let everywhere = json!({"title": "Standard", "areas": [{}], "position": 0,
        "prices": [{"currency": "USD", "tiers": [{"amount": 500}]}]});
    shop.command(Method::PUT, "/v1/settings/shipping-methods/standard", None, &everywhere).await;
    let policy = json!({
        "home": {"country": "US"}, "time_zone": "UTC", "prices": "inclusive", "cart_days": 7,
        "payments": [{"method": "cash_on_delivery", "deadline_minutes": 60}, {"method": "transfer", "deadline_minutes": 60},
                     {"method": "card", "deadline_minutes": 60}],
        "payment_attempts": 3, "order_prefix": "SO-",
    });
    shop.command(Method::PUT, "/v1/settings/policy", None, &policy).await;
}

impl Buyer {
    /// A new guest.
    pub async fn guest(shop: &Shop) -> Self {
        Self { shop: Guest::begin(shop).await.at(shop) }
    }

    /// A cart with so many pieces; gives its id.
    ///
    /// # Panics
    /// If they can't be put in.
    pub async fn cart(&self, sku: &str, quantity: i64) -> String {
        let begun = self.shop.command(Method::POST, "/v1/carts", None, &json!({"currency": "USD"})).await;
        let id = begun["id"].as_str().expect("an id").to_owned();
        let item = json!({"sku": sku, "quantity": quantity});
        self.shop.command(Method::POST, &format!("/v1/carts/{id}/items"), None, &item).await;
        id
    }

    /// Asks for a checkout by this name, and waits until they have to act or it has ended.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn checkout(&self, name: &str, cart: &str, method: &str, total: i64) -> Read {
        let asked = json!({
            "client_request_id": name, "cart_id": cart, "email": "ana@example.com",
            "shipping_address": {"name": "Ana Ruiz", "line1": "Main Street 1", "city": "Springfield", "country": "US"},
            "shipping_method": "standard", "payment_method": method, "accepted": {"total": total, "digest": ""},
        });
        let request = self.shop.request(Method::POST, "/v1/checkouts").header("prefer", "wait=30").json(&asked);
        Shop::answer(request.send().await.expect("an answer")).await
    }

    /// Where a checkout stands.
    pub async fn stands(&self, begun: &Value) -> Read {
        let (id, access) = (begun["id"].as_str().unwrap_or_default(), begun["access"].as_str().unwrap_or_default());
        self.shop.read(&format!("/v1/checkouts/{id}?access={access}"), None).await
    }
}
