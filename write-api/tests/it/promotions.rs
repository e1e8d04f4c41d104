//! Promotions and codes over HTTP.

use super::stack::{Answer, Stack, sent};
use reqwest::Method;
use serde_json::{Value, json};

fn promotion(more: &Value) -> Value {
    let mut body = json!({"title": "10 % off", "effect": {"kind": "percentage", "rate_ppm": 100_000}});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn add(stack: &Stack, name: &str, codes: Value) -> Answer {
    stack.post(&format!("/v1/promotions/{name}/codes"), json!({"codes": codes})).await
}

#[tokio::test]
async fn a_promotion_is_replaced_for_a_version_ended_and_begun_again() {
    let stack = Stack::start().await;
    let path = "/v1/promotions/spring";
    let made = stack.put(path, promotion(&json!({}))).await;
    assert_eq!((made.status, made.header("etag")), (201, "\"1\""), "{made:?}");
    let other = promotion(&json!({"title": "20 % off"}));
    assert_eq!(stack.put(path, other.clone()).await.status, 428);
    assert_eq!(stack.at(Method::PUT, path, 2, other.clone()).await.status, 412);
    assert_eq!(stack.at(Method::PUT, path, 1, promotion(&json!({}))).await.body["status"], "unchanged");
    assert_eq!(stack.at(Method::PUT, path, 1, other.clone()).await.body["version"], 2);
    let ended = sent(stack.request(Method::DELETE, path)).await;
    assert_eq!((ended.status, &ended.body["version"]), (200, &json!(3)));
    assert_eq!(sent(stack.request(Method::DELETE, path)).await.body["status"], "unchanged");
    assert_eq!(stack.at(Method::PUT, path, 3, other).await.body["version"], 4);
    let missing = sent(stack.request(Method::DELETE, "/v1/promotions/none")).await;
    assert_eq!((missing.status, missing.code()), (404, "not_found"));
    let keyed = "SELECT count(*) FROM promotions.outbox WHERE partition_id = aggregate_id";
    assert_eq!(stack.count(keyed).await, 4);
    stack.stop().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_pointed_at() {
    let stack = Stack::start().await;
    let wrong = promotion(&json!({
        "title": "", "level": "order", "effect": {"kind": "buy_get", "buy": 0, "get": 1, "rate_ppm": 0}, "limits": {"by_code": 1}
    }));
    let refused = stack.put("/v1/promotions/wrong", wrong).await;
    assert_eq!((refused.status, refused.code()), (422, "validation_failed"));
    assert_eq!(refused.pointers(), ["/title", "/effect/buy", "/effect/rate_ppm", "/level", "/limits/by_code"]);
    let unknown = stack.put("/v1/promotions/wrong", promotion(&json!({"effect": {"kind": "magic"}}))).await;
    assert_eq!(unknown.status, 400, "{unknown:?}");
    let surplus = stack.put("/v1/promotions/wrong", promotion(&json!({"titel": "x"}))).await;
    assert_eq!(surplus.status, 400, "{surplus:?}");
    assert_eq!(stack.put("/v1/promotions/Wrong", promotion(&json!({}))).await.pointers(), ["name"]);
    stack.stop().await;
}

#[tokio::test]
async fn a_code_belongs_to_one_promotion_and_is_given_once() {
    let stack = Stack::start().await;
    for name in ["one", "other"] {
        stack.put(&format!("/v1/promotions/{name}"), promotion(&json!({"needs_code": true}))).await;
    }
    stack.put("/v1/promotions/automatic", promotion(&json!({}))).await;
    let first = add(&stack, "one", json!(["a-1", "A-1", "b_2"])).await;
    assert_eq!((first.status, &first.body["added"], &first.body["codes"]), (201, &json!(2), &json!(2)), "{first:?}");
    let again = add(&stack, "one", json!(["A-1"])).await;
    assert_eq!((again.status, &again.body["added"], &again.body["version"]), (200, &json!(0), &json!(1)));
    let taken = add(&stack, "other", json!(["NEW", "b_2"])).await;
    assert_eq!((taken.status, taken.code(), taken.pointers()), (409, "code_taken", vec!["/codes/1"]));
    assert_eq!(stack.count("SELECT count(*) FROM promotions.codes").await, 2, "all or none");
    assert_eq!(add(&stack, "automatic", json!(["NEW"])).await.code(), "promotion_needs_no_code");
    assert_eq!(add(&stack, "none", json!(["NEW"])).await.status, 404);
    assert_eq!(add(&stack, "one", json!(["x", "good", "a b"])).await.pointers(), ["/codes/0", "/codes/2"]);
    assert_eq!(add(&stack, "one", json!([])).await.pointers(), ["/codes"]);

    let disable = async |promotion: &str, code: &str| {
        sent(stack.request(Method::DELETE, &format!("/v1/promotions/{promotion}/codes/{code}"))).await
    };
    assert_eq!(disable("other", "a-1").await.status, 404, "it is of another promotion");
    assert_eq!(disable("one", "a-1").await.body["version"], 2);
    assert_eq!(disable("one", "A-1").await.body["status"], "unchanged");
    assert_eq!(add(&stack, "one", json!(["a-1"])).await.code(), "code_taken", "it was disabled");
    sent(stack.request(Method::DELETE, "/v1/promotions/one")).await;
    assert_eq!(add(&stack, "one", json!(["LATE"])).await.code(), "promotion_ended");
    stack.stop().await;
}

#[tokio::test]
async fn codes_are_drawn_once_for_a_key() {
    let stack = Stack::start().await;
    stack.put("/v1/promotions/one", promotion(&json!({"needs_code": true}))).await;
    let draw = async |key: &str, body: &Value| {
        let request = stack.request(Method::POST, "/v1/promotions/one/codes/generate");
        sent(request.header("idempotency-key", key).json(body)).await
    };
    let drawn = draw("k-1", &json!({"count": 12_000, "prefix": "s-"})).await;
    assert_eq!((drawn.status, &drawn.body["added"]), (201, &json!(12_000)), "{drawn:?}");
    assert_eq!(drawn.header("etag"), "\"3\"", "three events");
    let again = draw("k-1", &json!({"count": 12_000, "prefix": "s-"})).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
    assert_eq!(again.body, drawn.body);
    assert_eq!(draw("k-1", &json!({"count": 5})).await.code(), "idempotency_key_reused");
    assert_eq!(draw("k-2", &json!({"count": 100_000, "length": 6})).await.pointers(), ["/length"]);
    assert_eq!(stack.count("SELECT count(*) FROM promotions.codes WHERE code LIKE 'S-%'").await, 12_000);
    // Another shop has its own.
    stack.open("other").await;
    let url = format!("{}/v1/promotions/one/codes", stack.base);
    let theirs = stack.http.post(url).header("x-tenant-slug", "other").json(&json!({"codes": ["MINE"]}));
    assert_eq!(sent(theirs).await.status, 404);
    stack.stop().await;
}
