use super::stack::{Stack, product, sent};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn ids_are_in_the_order_of_versions_within_each_aggregate() {
    let stack = Stack::start().await;
    let lines: Vec<Value> = (0..20).map(|number| product(&number.to_string())).collect();
    stack.bulk("/v1/products/bulk", &lines).await;
    let receives = |sign: i64| -> Vec<Value> {
        (0..100)
            .map(|number| json!({"sku": format!("sku-{}", (sign * number).rem_euclid(20)), "location": "main", "op": "receive", "quantity": 1}))
            .collect()
    };
    let (one, other) = (receives(1), receives(-1));
    let (one, other) = tokio::join!(stack.bulk("/v1/stock/bulk", &one), stack.bulk("/v1/stock/bulk", &other));
    assert_eq!((&one.1["rejected"], &other.1["rejected"]), (&json!(0), &json!(0)));
    let disordered = "SELECT count(*) FROM (SELECT version, row_number() OVER (PARTITION BY aggregate_id ORDER BY id) \
                      AS place FROM inventory.outbox) AS rows WHERE version <> place";
    assert_eq!(stack.count(disordered).await, 0);
    assert_eq!(stack.count("SELECT sum(on_hand)::int8 FROM inventory.levels").await, 200);
    stack.stop().await;
}

#[tokio::test]
async fn an_event_carries_who_asked_and_the_partition_of_its_product() {
    let stack = Stack::start().await;
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = stack.request(Method::POST, "/v1/products").header("x-correlation-id", "call-1");
    let made = sent(request.header("traceparent", traceparent).json(&product("a"))).await;
    assert_eq!(made.header("x-correlation-id"), "call-1");
    let variant = made.body["variants"][0]["id"].as_str().unwrap().to_owned();
    stack.post(&format!("/v1/variants/{variant}/stock/receive"), json!({"location": "main", "quantity": 1})).await;
    let row: (String, String, i64, String, Option<String>) = sqlx::query_as(
        "SELECT event_type, partition_id::text, version, correlation_id, traceparent FROM catalog.outbox",
    )
    .fetch_one(&stack.pool)
    .await
    .unwrap();
    let created = "souk.catalog.product.created.v1".to_owned();
    assert_eq!(row, (created, made.id(), 1, "call-1".into(), Some(traceparent.into())));
    let stock: (String, String, String) =
        sqlx::query_as("SELECT aggregate, aggregate_id::text, partition_id::text FROM inventory.outbox")
            .fetch_one(&stack.pool)
            .await
            .unwrap();
    assert_eq!(stock, ("stock_item".into(), variant, made.id()));
    stack.stop().await;
}

#[tokio::test]
async fn the_relay_is_woken_after_a_commit() {
    let stack = Stack::start().await;
    let mut listener = sqlx::postgres::PgListener::connect_with(&stack.pool).await.unwrap();
    listener.listen("souk_outbox").await.unwrap();
    stack.post("/v1/products", product("a")).await;
    let heard = async { while listener.recv().await.unwrap().payload() != "catalog" {} };
    tokio::time::timeout(std::time::Duration::from_secs(5), heard).await.expect("woken");
    drop(listener);
    stack.stop().await;
}
