//! What goes wrong around a checkout: sent many times, abandoned, other parts of souk down, rules changed meanwhile.

use super::Scene;
use acceptance::{eventually::eventually, shop::PATIENCE};
use futures::future::join_all;
use launcher::stack::Service;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

impl Scene {
    /// Rows of a table of the write side.
    pub(super) async fn rows(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&self.stack.write).await.expect("a number")
    }

    /// Pieces of the lamp that can be sold.
    pub(super) async fn left(&self) -> i64 {
        let sql = "SELECT sum(on_hand - reserved - committed)::bigint FROM inventory.levels";
        sqlx::query_scalar(sql).fetch_one(&self.stack.write).await.expect("a number")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn order_submitted_ten_times_at_once() {
    let scene = Scene::open("ten-shop", 5).await;
    let cart = scene.cart(2).await;
    let same = || scene.guest.checkout("once", &cart, "cash_on_delivery", 4_500);
    let answers = join_all((0..10).map(|_| same())).await;
    let ids: Vec<&Value> = answers.iter().map(|answer| &answer.body["id"]).collect();
    assert!(answers.iter().all(|answer| answer.status == StatusCode::ACCEPTED), "{answers:?}");
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert!(answers.iter().all(|answer| answer.body["phase"] == "completed"), "{answers:?}");
    assert_eq!((scene.rows("orders.orders").await, scene.left().await), (1, 3));
    // By ten names it is ten checkouts, of which one has the cart.
    let cart = scene.cart(1).await;
    let names: Vec<String> = (0..10).map(|number| format!("twice-{number}")).collect();
    let asked = names.iter().map(|name| scene.guest.checkout(name, &cart, "cash_on_delivery", 2_500));
    let answers = join_all(asked).await;
    let completed = answers.iter().filter(|answer| answer.body["phase"] == "completed").count();
    assert_eq!(completed, 1, "{answers:?}");
    assert_eq!((scene.rows("orders.orders WHERE number IS NOT NULL").await, scene.left().await), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_reserved_and_checkout_abandoned() {
    let scene = Scene::open("left-shop", 2).await;
    let cart = scene.cart(2).await;
    let begun = scene.checkout(&cart, "transfer", 4_500).await;
    assert_eq!((&begun.body["phase"], scene.left().await), (&json!("awaiting_payment"), 0), "{begun:?}");
    // The hour is over.
    for sql in [
        "UPDATE processes.timers SET due_at = now() - interval '1 minute'",
        "UPDATE processes.processes SET wake_at = now() - interval '1 minute'",
    ] {
        sqlx::query(sql).execute(&scene.stack.write).await.expect("moved");
    }
    let shown = scene.shown(&begun.body, "aborted").await;
    assert_eq!(shown["abort_reason"], "deadline", "{shown}");
    assert_eq!(scene.left().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_down_while_orders_are_placed() {
    let scene = Scene::open("log-shop", 2).await;
    if !scene.stack.stack.settings.starts_broker() {
        return;
    }
    let cart = scene.cart(1).await;
    scene.stack.stack.kill(Service::Broker).expect("killed");
    let begun = scene.checkout(&cart, "cash_on_delivery", 2_500).await;
    assert_eq!(begun.body["phase"], "completed", "{begun:?}");
    scene.stack.stack.start(Service::Broker).expect("started");
    scene.stack.stack.wait_ready(Service::Broker).await.expect("ready");
    let shown = scene.shown(&begun.body, "completed").await;
    scene.order(shown["order_id"].as_str().expect("an order"), "confirmed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn search_down_while_checkout_works() {
    let scene = Scene::open("dark-shop", 2).await;
    let cart = scene.cart(1).await;
    for service in [Service::QueryApi, Service::Projector] {
        scene.stack.stack.kill(service).expect("killed");
    }
    let begun = scene.checkout(&cart, "cash_on_delivery", 2_500).await;
    assert_eq!(begun.body["phase"], "completed", "{begun:?}");
    for service in [Service::Projector, Service::QueryApi] {
        scene.stack.stack.start(service).expect("started");
        scene.stack.stack.wait_ready(service).await.expect("ready");
    }
    scene.shown(&begun.body, "completed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn coupon_rule_changed_mid_checkout() {
    let scene = Scene::open("code-shop", 2).await;
    let spring = |rate: i64| json!({"title": "Spring", "needs_code": true, "limits": {"by_code": 9}, "effect": {"kind": "percentage", "rate_ppm": rate}});
    scene.shop.command(Method::PUT, "/v1/promotions/spring", None, &spring(100_000)).await;
    scene.shop.command(Method::POST, "/v1/promotions/spring/codes", None, &json!({"codes": ["SPRING"]})).await;
    let cart = scene.cart(1).await;
    scene.guest.shop.command(Method::PUT, &format!("/v1/carts/{cart}/coupons/SPRING"), None, &json!({})).await;
    let begun = scene.checkout(&cart, "transfer", 2_300).await;
    assert_eq!((&begun.body["phase"], &begun.body["total"]), (&json!("awaiting_payment"), &json!(2_300)), "{begun:?}");
    scene.shop.command(Method::PUT, "/v1/promotions/spring", Some(1), &spring(500_000)).await;
    // What was agreed on holds.
    let path = format!("/v1/checkouts/{}/payment", begun.body["id"].as_str().expect("an id"));
    scene.guest.shop.command(Method::POST, &path, None, &json!({"payment_method": "cash_on_delivery"})).await;
    let shown = scene.shown(&begun.body, "completed").await;
    let order = scene.order(shown["order_id"].as_str().expect("an order"), "confirmed").await;
    assert_eq!(order["quote"]["totals"]["total"], 2_300, "{order}");
    // The use counts; the next cart has the new rule.
    let used: i64 = eventually("the use is shown", PATIENCE, || async {
        let read = scene.shop.read("/v1/promotions/spring", None).await;
        let used = read.body["consumed"].as_i64();
        used.filter(|used| *used > 0).ok_or_else(|| format!("{read:?}"))
    })
    .await;
    assert_eq!(used, 1);
    let cart = scene.cart(1).await;
    scene.guest.shop.command(Method::PUT, &format!("/v1/carts/{cart}/coupons/SPRING"), None, &json!({})).await;
    let begun = scene.checkout(&cart, "cash_on_delivery", 1_500).await;
    assert_eq!((&begun.body["phase"], &begun.body["total"]), (&json!("completed"), &json!(1_500)), "{begun:?}");
}
