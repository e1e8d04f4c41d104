use super::stack::{Stack, answers, product, sent};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn the_same_key_gives_the_first_answer_and_another_body_none() {
    let stack = Stack::start().await;
    let create = |body| sent(stack.request(Method::POST, "/v1/products").header("idempotency-key", "k1").json(&body));
    let first = create(product("a")).await;
    let second = create(product("a")).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, ""));
    assert_eq!((second.status, second.header("idempotency-replayed")), (201, "true"));
    assert_eq!(first.body, second.body);
    assert_eq!(first.header("etag"), second.header("etag"));
    let other = create(product("b")).await;
    assert_eq!((other.status, other.code()), (422, "idempotency_key_reused"));
    stack.stop().await;
}

#[tokio::test]
async fn many_at_once_with_one_key_make_one() {
    let stack = Stack::start().await;
    let create =
        || sent(stack.request(Method::POST, "/v1/products").header("idempotency-key", "k1").json(&product("a")));
    let answers = futures::future::join_all((0..8).map(|_| create())).await;
    assert!(answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body), "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| answer.header("idempotency-replayed") == "true").count(), 7);
    assert_eq!(stack.count("SELECT count(*) FROM catalog.outbox").await, 1);
    stack.stop().await;
}

#[tokio::test]
async fn a_refused_command_leaves_its_key_free() {
    let stack = Stack::start().await;
    let create =
        || sent(stack.request(Method::POST, "/v1/products").header("idempotency-key", "k1").json(&product("b")));
    let owner = stack.post("/v1/products", product("b")).await;
    assert_eq!(create().await.status, 409);
    let path = format!("/v1/products/{}", owner.id());
    stack.at(Method::DELETE, &path, 1, serde_json::Value::Null).await;
    assert_eq!(create().await.status, 201);
    stack.stop().await;
}

#[tokio::test]
async fn a_bulk_write_with_a_key_is_carried_out_once() {
    let stack = Stack::start().await;
    stack.post("/v1/products", product("a")).await;
    let body = |quantity: i64| {
        format!("{}\n", json!({"sku": "sku-a", "location": "main", "op": "receive", "quantity": quantity}))
    };
    let receive =
        |quantity| stack.request(Method::POST, "/v1/stock/bulk").header("idempotency-key", "k").body(body(quantity));
    let first = answers(receive(3)).await;
    let again = answers(receive(3)).await;
    assert_eq!(first, again);
    assert_eq!(stack.count("SELECT on_hand FROM inventory.levels").await, 3);
    let other = receive(4).send().await.unwrap().text().await.unwrap();
    assert!(other.contains("idempotency_key_reused"), "{other}");
    stack.stop().await;
}
