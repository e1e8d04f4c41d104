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

#[tokio::test]
async fn a_parameter_that_changes_the_effect_is_part_of_the_request() {
    let stack = Stack::start().await;
    let body = format!("{}\n{}\n", json!({"external_id": "bad", "title": ""}), product("a"));
    let send = |mode: &str| {
        let path = format!("/v1/products/bulk?on_error={mode}");
        stack.request(Method::POST, &path).header("idempotency-key", "k").body(body.clone())
    };
    assert_eq!(answers(send("stop")).await.1["not_tried"], 1);
    let other = send("skip").send().await.unwrap().text().await.unwrap();
    assert!(other.contains("idempotency_key_reused") && !other.contains("not_tried"), "{other}");
    assert_eq!(answers(send("stop")).await.1["not_tried"], 1, "the same request gets the same answer");
    stack.stop().await;
}

#[tokio::test]
async fn a_key_that_looks_like_a_chunk_of_a_stream_is_another_one() {
    let stack = Stack::start().await;
    let keyed = |path: &str, key: &str| stack.request(Method::POST, path).header("idempotency-key", key);
    let single = sent(keyed("/v1/products", "abc#0").json(&product("a"))).await;
    assert_eq!(single.status, 201);
    let stream = answers(keyed("/v1/products/bulk", "abc").body(product("b").to_string())).await;
    assert_eq!(stream.1["created"], 1);
    let again = sent(keyed("/v1/products", "abc#0").json(&product("a"))).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
    stack.stop().await;
}

#[tokio::test]
async fn what_was_contended_is_tried_again_under_the_same_key() {
    let stack = Stack::start().await;
    // Somebody is always faster, as long as this is there.
    let raced = "CREATE FUNCTION raced() RETURNS trigger LANGUAGE plpgsql AS
                   $$BEGIN IF NEW.external_id = 'b' THEN RAISE EXCEPTION 'raced' USING ERRCODE = '40001'; END IF; RETURN NEW; END$$;
                 CREATE TRIGGER raced BEFORE INSERT ON catalog.products FOR EACH ROW EXECUTE FUNCTION raced()";
    sqlx::raw_sql(raced).execute(&stack.pool).await.unwrap();
    let body = format!("{}\n{}\n", product("a"), product("b"));
    let send = || stack.request(Method::POST, "/v1/products/bulk").header("idempotency-key", "k").body(body.clone());
    let broken = send().send().await.unwrap().text().await.unwrap();
    let last: serde_json::Value = serde_json::from_str(broken.lines().last().unwrap()).unwrap();
    assert_eq!(last["problem"]["code"], "contended", "{broken}");
    assert_eq!(stack.count("SELECT count(*) FROM catalog.products").await, 0);
    sqlx::raw_sql("DROP TRIGGER raced ON catalog.products").execute(&stack.pool).await.unwrap();
    assert_eq!(answers(send()).await.1["created"], 2);
    stack.stop().await;
}
