//! From a cart to an order, seen from outside: agreed on, held, paid in cash or by transfer, given up, cancelled.

mod cards;
mod cases;
mod faults;
mod groups;

use acceptance::{
    builders::{price_line, product_line, stock_line},
    buying::{Buyer, take_orders},
    eventually::eventually,
    shop::{PATIENCE, Read, Shop},
    stack::TestStack,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// Each checkout is another one.
static REQUESTS: AtomicU32 = AtomicU32::new(0);

/// A shop with one lamp at 20.00, and a guest who shops there.
struct Scene {
    stack: TestStack,
    /// As its administrator.
    shop: Shop,
    guest: Buyer,
}

impl Scene {
    async fn open(slug: &str, on_hand: i64) -> Self {
        Self::of(TestStack::start(false).await, slug, on_hand).await
    }

    async fn of(stack: TestStack, slug: &str, on_hand: i64) -> Self {
        let shop = Shop::open(&stack, slug).await;
        shop.bulk_all("products", &[product_line("L", "Lamp")]).await;
        shop.bulk_all("prices", &[price_line("L", 2_000)]).await;
        shop.bulk_all("stock", &[stock_line("L", on_hand)]).await;
        take_orders(&shop).await;
        let guest = Buyer::guest(&shop).await;
        Self { stack, shop, guest }
    }

    /// A cart with so many lamps; gives its id.
    async fn cart(&self, lamps: i64) -> String {
        self.guest.cart("SKU-L", lamps).await
    }

    /// Asks for a checkout, and waits until the guest has to act or it has ended.
    async fn checkout(&self, cart: &str, method: &str, total: i64) -> Read {
        let name = format!("r-{}", REQUESTS.fetch_add(1, Ordering::Relaxed));
        self.guest.checkout(&name, cart, method, total).await
    }

    /// The checkout on the read side, once it is as far as that.
    async fn shown(&self, begun: &Value, phase: &str) -> Value {
        eventually("the read side knows the checkout", PATIENCE, || async {
            let read = self.guest.stands(begun).await;
            if read.body["phase"] == phase { Ok(read.body) } else { Err(format!("{read:?}")) }
        })
        .await
    }

    /// The order, as staff see it, once this word is shown.
    async fn order(&self, id: &str, status: &str) -> Value {
        eventually("staff see the order", PATIENCE, || async {
            let read = self.shop.read(&format!("/v1/staff/orders/{id}"), None).await;
            if read.body["status"] == status { Ok(read.body) } else { Err(format!("{read:?}")) }
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cash_makes_an_order_with_a_number_at_once() {
    let scene = Scene::open("cash-shop", 3).await;
    let cart = scene.cart(2).await;
    let begun = scene.checkout(&cart, "cash_on_delivery", 4_500).await;
    assert_eq!((begun.status, &begun.body["phase"]), (StatusCode::ACCEPTED, &json!("completed")), "{begun:?}");
    assert_eq!(begun.body["total"], 4_500);
    let shown = scene.shown(&begun.body, "completed").await;
    let order = scene.order(shown["order_id"].as_str().expect("an order"), "confirmed").await;
    assert_eq!((&order["number"], &order["payment"]), (&json!("SO-1"), &json!("pending")), "{order}");
    assert_eq!(order["quote"]["totals"]["total"], 4_500);
    let what: Vec<&str> =
        order["history"].as_array().expect("steps").iter().filter_map(|step| step["what"].as_str()).collect();
    assert_eq!(what[..2], ["created", "confirmed"]);
    // Nothing of whoever has bought stands on the read side.
    assert!(!order.to_string().contains("Ruiz") && !order.to_string().contains("ana@example.com"), "{order}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_higher_price_is_told_and_taken_once_it_is_accepted() {
    let scene = Scene::open("price-shop", 3).await;
    let cart = scene.cart(1).await;
    let refused = scene.checkout(&cart, "cash_on_delivery", 2_000).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::CONFLICT, &json!("price_changed")), "{refused:?}");
    let of = |pointer: &str| {
        let errors = refused.body["errors"].as_array().expect("errors").iter();
        errors.clone().find(|error| error["pointer"] == pointer).map(|error| error["detail"].clone())
    };
    assert_eq!(of("/accepted/total"), Some(json!("2500")));
    assert!(of("/lines/SKU-L").is_some() && of("/accepted/digest").is_some(), "{refused:?}");
    let begun = scene.checkout(&cart, "cash_on_delivery", 2_500).await;
    assert_eq!(begun.body["phase"], "completed", "{begun:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sold_out_ends_it_and_the_cart_is_free_again() {
    let scene = Scene::open("empty-shop", 1).await;
    let cart = scene.cart(2).await;
    let begun = scene.checkout(&cart, "cash_on_delivery", 4_500).await;
    assert_eq!(
        (&begun.body["phase"], &begun.body["abort_reason"]),
        (&json!("aborted"), &json!("out_of_stock")),
        "{begun:?}"
    );
    let shown = scene.shown(&begun.body, "aborted").await;
    assert_eq!(shown["obstacles"][0]["name"], "SKU-L", "{shown}");
    let item = json!({"sku": "SKU-L", "quantity": 1});
    scene.guest.shop.command(Method::POST, &format!("/v1/carts/{cart}/items"), None, &item).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_waits_and_is_given_up_with_all_that_was_held() {
    let scene = Scene::open("transfer-shop", 2).await;
    let cart = scene.cart(2).await;
    let begun = scene.checkout(&cart, "transfer", 4_500).await;
    let awaiting = &begun.body["awaiting"];
    assert_eq!(
        (&begun.body["phase"], &awaiting["action"]),
        (&json!("awaiting_payment"), &json!("transfer")),
        "{begun:?}"
    );
    let path = format!("/v1/checkouts/{}", begun.body["id"].as_str().expect("an id"));
    // Another guest knows nothing of it.
    let other = Buyer::guest(&scene.shop).await;
    let refused = other.shop.request(Method::POST, &format!("{path}/abort")).send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::NOT_FOUND);
    scene.guest.shop.command(Method::POST, &format!("{path}/abort"), None, &json!({})).await;
    let shown = scene.shown(&begun.body, "aborted").await;
    assert_eq!(shown["abort_reason"], "shopper", "{shown}");
    scene.order(awaiting["order_id"].as_str().expect("an order"), "cancelled").await;
    // The goods can be had again, by the same cart.
    let begun = scene.checkout(&cart, "cash_on_delivery", 4_500).await;
    assert_eq!(begun.body["phase"], "completed", "{begun:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_cancel_an_order_and_the_goods_are_free_again() {
    let scene = Scene::open("cancel-shop", 1).await;
    let cart = scene.cart(1).await;
    let begun = scene.checkout(&cart, "cash_on_delivery", 2_500).await;
    let shown = scene.shown(&begun.body, "completed").await;
    let order = shown["order_id"].as_str().expect("an order");
    let reason = json!({"reason": "on_request", "note": "Ordered twice"});
    scene.shop.command(Method::POST, &format!("/v1/orders/{order}/cancel"), None, &reason).await;
    let cancelled = scene.order(order, "cancelled").await;
    let last = cancelled["history"].as_array().and_then(|steps| steps.iter().rfind(|step| step["what"] == "cancelled"));
    assert_eq!(last.map(|step| &step["note"]), Some(&json!("Ordered twice")), "{cancelled}");
    let cart = scene.cart(1).await;
    eventually("the lamp can be sold again", PATIENCE, || async {
        let begun = scene.checkout(&cart, "cash_on_delivery", 2_500).await;
        if begun.body["phase"] == "completed" { Ok(()) } else { Err(format!("{begun:?}")) }
    })
    .await;
}
