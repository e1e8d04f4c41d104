//! Cases that cost others money, with their numbers.

use super::Scene;
use acceptance::{
    buying::Buyer,
    eventually::eventually,
    shop::PATIENCE,
    shopper::{PASSWORD, Shopper, code_of, mail_to},
};
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn what_costs_nothing_is_paid_without_a_provider() {
    // M08: the lamp and its shipping, less as much.
    let scene = Scene::open("free-shop", 1).await;
    let gift =
        json!({"title": "All of it", "effect": {"kind": "amount", "amounts": [{"currency": "USD", "amount": 2_000}]}});
    scene.shop.command(Method::PUT, "/v1/promotions/all-of-it", None, &gift).await;
    let shipping = json!({"title": "Shipping", "effect": {"kind": "shipping"}});
    scene.shop.command(Method::PUT, "/v1/promotions/shipping", None, &shipping).await;
    let cart = scene.cart(1).await;
    let begun = scene.checkout(&cart, "card", 0).await;
    assert_eq!((&begun.body["phase"], &begun.body["total"]), (&json!("completed"), &json!(0)), "{begun:?}");
    let shown = scene.shown(&begun.body, "completed").await;
    let order = shown["order_id"].as_str().expect("an order");
    let order = eventually("the order is paid", PATIENCE, || async {
        let read = scene.shop.read(&format!("/v1/staff/orders/{order}"), None).await;
        if read.body["payment"] == "paid" { Ok(read.body) } else { Err(format!("{read:?}")) }
    })
    .await;
    assert_eq!((&order["paid"], &order["total"]), (&json!(0), &json!(0)), "{order}");
    assert_eq!((scene.rows("payments.payments").await, scene.rows("payments.ledger_entries").await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_counts_once_is_had_by_one_of_ten() {
    // M05: ten at once; what is given up gives the use back.
    let scene = Scene::open("once-shop", 10).await;
    let spring = json!({"title": "Spring", "needs_code": true, "limits": {"in_all": 1},
        "effect": {"kind": "percentage", "rate_ppm": 100_000}});
    scene.shop.command(Method::PUT, "/v1/promotions/spring", None, &spring).await;
    scene.shop.command(Method::POST, "/v1/promotions/spring/codes", None, &json!({"codes": ["SPRING"]})).await;
    let mut ready = Vec::new();
    for _ in 0..10 {
        let guest = Buyer::guest(&scene.shop).await;
        let cart = guest.cart("SKU-L", 1).await;
        guest.shop.command(Method::PUT, &format!("/v1/carts/{cart}/coupons/SPRING"), None, &json!({})).await;
        ready.push((guest, cart));
    }
    let asked = ready.iter().map(|(guest, cart)| guest.checkout("once", cart, "transfer", 2_300));
    let answers = join_all(asked).await;
    let waiting: Vec<usize> = (0..10).filter(|at| answers[*at].body["phase"] == "awaiting_payment").collect();
    assert_eq!(waiting.len(), 1, "{answers:?}");
    let refused = answers.iter().filter(|answer| {
        // Nobody pays more unasked: those who come later are told the price without it.
        answer.body["abort_reason"] == "coupon_exhausted" || answer.body["code"] == "price_changed"
    });
    assert_eq!(refused.count(), 9, "{answers:?}");
    assert_eq!(scene.uses().await, (1, 0));
    let (guest, _) = &ready[waiting[0]];
    let id = answers[waiting[0]].body["id"].as_str().expect("an id");
    guest.shop.command(Method::POST, &format!("/v1/checkouts/{id}/abort"), None, &json!({})).await;
    eventually("the use is free again", PATIENCE, || async {
        let uses = scene.uses().await;
        if uses == (0, 0) { Ok(()) } else { Err(format!("{uses:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_orders_are_unique_whatever_comes_at_once() {
    // M16: of thirty at once, three find nothing left.
    let scene = Scene::open("number-shop", 27).await;
    let mut ready = Vec::new();
    for _ in 0..30 {
        let guest = Buyer::guest(&scene.shop).await;
        let cart = guest.cart("SKU-L", 1).await;
        ready.push((guest, cart));
    }
    let asked = ready.iter().map(|(guest, cart)| guest.checkout("one", cart, "cash_on_delivery", 2_500));
    let answers = join_all(asked).await;
    let completed = answers.iter().filter(|answer| answer.body["phase"] == "completed").count();
    assert_eq!(completed, 27, "{answers:?}");
    let numbers: Vec<String> = sqlx::query_scalar("SELECT number FROM orders.orders WHERE number IS NOT NULL")
        .fetch_all(&scene.stack.write)
        .await
        .expect("numbers");
    assert_eq!((numbers.len(), numbers.iter().collect::<BTreeSet<_>>().len()), (27, 27), "{numbers:?}");
}

impl Scene {
    /// Uses of promotions that are kept, and that belong to orders.
    async fn uses(&self) -> (i64, i64) {
        let sql = "SELECT coalesce(sum(reserved), 0)::bigint, coalesce(sum(consumed), 0)::bigint FROM promotions.counters WHERE counts = 'all'";
        sqlx::query_as(sql).fetch_one(&self.stack.write).await.expect("counters")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_a_guest_joins_the_account_that_proves_its_address() {
    // M15: the orders of an address are seen by whoever reads its mails, and by nobody who merely says that it is theirs.
    let scene = Scene::open("guest-shop", 2).await;
    let cart = scene.cart(1).await;
    let begun = scene.checkout(&cart, "cash_on_delivery", 2_500).await;
    let shown = scene.shown(&begun.body, "completed").await;
    let order = shown["order_id"].as_str().expect("an order");
    let nobody_waits = || async {
        let left = scene.rows("accounts.proved_addresses").await;
        if left == 0 { Ok(()) } else { Err(left.to_string()) }
    };

    let bob = Shopper::sign_up(&scene.stack, &scene.shop, "bob@example.com").await;
    let ana = json!({"email": "ana@example.com", "password": PASSWORD});
    scene.shop.command(Method::POST, "/v1/accounts", None, &ana).await;
    eventually("bob's address was looked at", PATIENCE, nobody_waits).await;
    let orders = bob.at(&scene.shop).read("/v1/orders", None).await;
    assert_eq!(orders.body["orders"], json!([]), "{orders:?}");
    assert_eq!(scene.rows("accounts.former_guests").await, 0, "whoever signs up has proved nothing");

    let code = code_of(&mail_to(&scene.stack, "ana@example.com", "Please confirm your address for guest-shop").await);
    scene.shop.command(Method::POST, "/v1/accounts/verify", None, &json!({"code": code})).await;
    let ana = Shopper::sign_in(&scene.shop, "ana@example.com", PASSWORD).await.at(&scene.shop);
    let orders = eventually("the order is ana's", PATIENCE, || async {
        let read = ana.read("/v1/orders", None).await;
        let count = read.body["orders"].as_array().map_or(0, Vec::len);
        if count == 1 { Ok(read.body) } else { Err(format!("{read:?}")) }
    })
    .await;
    assert_eq!(orders["orders"][0]["id"], order, "{orders}");
    assert_eq!(ana.read(&format!("/v1/orders/{order}"), None).await.status, 200);
    let access = begun.body["access"].as_str().expect("a token");
    let by_token = bob.at(&scene.shop).read(&format!("/v1/orders/{order}?access={access}"), None).await;
    assert_eq!(by_token.status, 200, "the link in the mail still leads there: {by_token:?}");

    // What was sealed for the guest goes with the account.
    let guests = scene.rows("accounts.former_guests").await;
    let keys = scene.rows("accounts.person_keys").await;
    assert_eq!(guests, 1);
    ana.command(Method::POST, "/v1/me/erase", None, &json!({"password": PASSWORD})).await;
    assert_eq!(scene.rows("accounts.person_keys").await, keys - 2);
}
