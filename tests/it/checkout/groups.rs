//! Goods that lie at several locations are sent in several groups, from the cart to the order.

use super::Scene;
use acceptance::{
    builders::{price_line, product_line},
    eventually::eventually,
    shop::{PATIENCE, Shop},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Name, location, shipping and number of lines of each group.
fn groups(answer: &Value) -> Value {
    let groups = answer["groups"].as_array().into_iter().flatten();
    let told = |group: &Value| {
        let lines = group["lines"].as_array().map_or(0, Vec::len);
        json!([group["name"], group["location"], group["method"], group["shipping"], lines])
    };
    groups.map(told).collect()
}

impl Scene {
    /// Lamps lie in the north, and somewhere that nothing is sent from; tables lie in the south.
    async fn of_two_places() -> Self {
        let scene = Self::open("two-places", 5).await;
        scene.shop.bulk_all("products", &[product_line("T", "Table")]).await;
        scene.shop.bulk_all("prices", &[price_line("T", 3_000)]).await;
        for (position, location, sku) in [(1, "north", "SKU-L"), (2, "south", "SKU-T")] {
            let place = json!({"title": location, "place": {"country": "US"}, "ships": true, "position": position});
            scene.shop.command(Method::PUT, &format!("/v1/settings/locations/{location}"), None, &place).await;
            let stock = json!({"sku": sku, "location": location, "op": "set", "quantity": 3});
            scene.shop.bulk_all("stock", &[stock]).await;
        }
        scene
    }

    /// A lamp and a table in a cart that goes to the same country; gives its id.
    async fn both(&self) -> String {
        let cart = self.cart(1).await;
        let path = format!("/v1/carts/{cart}");
        let table = json!({"sku": "SKU-T", "quantity": 1});
        self.guest.shop.command(Method::POST, &format!("{path}/items"), None, &table).await;
        let there = json!({"place": {"country": "US"}, "shipping_method": "standard"});
        self.guest.shop.command(Method::PUT, &format!("{path}/destination"), None, &there).await;
        cart
    }

    /// What is committed to orders of a stock keeping unit, by place.
    async fn committed(&self, sku: &str) -> Value {
        let read = self.shop.read(&format!("/v1/stock?sku={sku}"), None).await;
        let levels = read.body["levels"].as_array().cloned().unwrap_or_default();
        levels.into_iter().map(|level| json!([level["location"], level["committed"]])).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_of_two_places_are_two_groups() {
    let scene = Scene::of_two_places().await;
    let cart = scene.both().await;
    let two = json!([["from-north", "north", "standard", 500, 1], ["from-south", "south", "standard", 500, 1]]);
    let shown = eventually("the cart shows two groups", PATIENCE, || async {
        let read = scene.guest.shop.read(&format!("/v1/carts/{cart}"), None).await;
        if groups(&read.body) == two { Ok(read.body) } else { Err(format!("{read:?}")) }
    })
    .await;
    assert_eq!(shown["quote"]["totals"]["total"], 6_000, "{shown}");
    let asked = json!({
        "client_request_id": "two", "cart_id": cart, "email": "ana@example.com",
        "shipping_address": {"name": "Ana Ruiz", "line1": "Main Street 1", "city": "Springfield", "country": "US"},
        "shipping_method": "standard", "payment_method": "cash_on_delivery",
        // It costs more than nothing, so that it is the digest that is agreed on.
        "accepted": {"total": 0, "digest": shown["quote"]["digest"]},
    });
    let request = scene.guest.shop.request(Method::POST, "/v1/checkouts").header("prefer", "wait=30").json(&asked);
    let begun = Shop::answer(request.send().await.expect("an answer")).await;
    assert_eq!((begun.status, &begun.body["phase"]), (StatusCode::ACCEPTED, &json!("completed")), "{begun:?}");
    let checkout = scene.shown(&begun.body, "completed").await;
    assert_eq!(groups(&checkout), two, "{checkout}");
    let order = scene.order(checkout["order_id"].as_str().expect("an order"), "confirmed").await;
    assert_eq!((groups(&order), &order["quote"]["digest"]), (two, &shown["quote"]["digest"]), "{order}");
    // The pieces lie where they are sent from, although other lamps come first by name.
    eventually("the goods belong to the order", PATIENCE, || async {
        let known = (scene.committed("SKU-L").await, scene.committed("SKU-T").await);
        let expected = (json!([["main", 0], ["north", 1]]), json!([["south", 1]]));
        if known == expected { Ok(()) } else { Err(format!("{known:?}")) }
    })
    .await;
}
