//! A product's history names the record in Kafka that each of its events became.

use acceptance::{
    builders::{price_line, product_line, stock_line},
    eventually::eventually,
    quiet::until_quiet,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    message::Headers,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

/// The id of the event that stands at a place.
fn event_at(stack: &TestStack, topic: &str, partition: i32, offset: i64) -> String {
    let consumer: BaseConsumer =
        stack.kafka().set("group.id", "lineage").set("enable.auto.commit", "false").create().expect("a consumer");
    let mut place = TopicPartitionList::new();
    place.add_partition_offset(topic, partition, Offset::Offset(offset)).expect("a place");
    consumer.assign(&place).expect("assigned");
    let record = consumer.poll(PATIENCE).expect("a record").expect("read").detach();
    assert_eq!((record.partition(), record.offset()), (partition, offset));
    let headers = record.headers().expect("headers");
    let id = headers.iter().find(|header| header.key == "ce_id").and_then(|header| header.value).expect("an id");
    String::from_utf8_lossy(id).into_owned()
}

async fn history(shop: &Shop, key: &str, staff: &str) -> (StatusCode, Value) {
    let request = shop.get(&format!("/v1/operations/history/{key}"), None).bearer_auth(staff);
    let answer = request.timeout(Duration::from_secs(30)).send().await.expect("an answer");
    (answer.status(), answer.json().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_of_a_product_is_shown_with_its_record() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "lineage").await;
    let staff = stack.stack.admin_key().expect("the admin key");
    for title in ["Lamp", "Brass lamp", "Brass lamp with a shade"] {
        shop.bulk_all("products", &[product_line("one", title), product_line("other", title)]).await;
    }
    shop.bulk_all("prices", &[price_line("one", 900)]).await;
    shop.bulk_all("stock", &[stock_line("one", 3)]).await;
    until_quiet(&stack).await;
    let page = shop.read("/v1/products/by-external-id/one", None).await.body;
    let product = page["id"].as_str().expect("an id");
    let tenant: uuid::Uuid = sqlx::query_scalar("SELECT id FROM tenants WHERE slug = 'lineage'")
        .fetch_one(&stack.read)
        .await
        .expect("the shop");
    let (status, body) = history(&shop, &format!("{tenant}:{product}"), &staff).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let events = body["events"].as_array().expect("events");
    let of = |context: &str| events.iter().filter(|event| event["context"] == context).count();
    assert!(of("catalog") >= 3 && of("pricing") == 1 && of("inventory") == 1, "{body}");
    let versions: Vec<u64> = events
        .iter()
        .filter(|event| event["context"] == "catalog")
        .filter_map(|event| event["version"].as_u64())
        .collect();
    assert!(versions.is_sorted() && versions.first() == Some(&1), "{versions:?}");
    for event in events {
        let (topic, partition) = (event["topic"].as_str().expect("a topic"), event["partition"].as_i64());
        let partition = partition.and_then(|number| i32::try_from(number).ok()).expect("a partition");
        let offset = event["record_offset"].as_i64().expect("an offset");
        assert_eq!(json!(event_at(&stack, topic, partition, offset)), event["event_id"], "{event}");
    }
    let (status, refused) = history(&shop, "nobody", &staff).await;
    assert!(
        status.is_client_error() && refused["detail"].as_str().is_some_and(|text| text.contains("nobody")),
        "{refused}"
    );
    // Recorded is shown before anything reads it.
    stack.stack.kill(launcher::stack::Service::Projector).expect("killed");
    shop.request(Method::POST, "/v1/stock/bulk")
        .header("content-type", "application/x-ndjson")
        .body(acceptance::builders::ndjson(&[stock_line("one", 4)]))
        .send()
        .await
        .expect("written");
    eventually("an event that waits is shown", PATIENCE, || async {
        let (_, body) = history(&shop, &format!("{tenant}:{product}"), &staff).await;
        let last = body["events"].as_array().and_then(|events| events.last()).cloned().unwrap_or_default();
        if last["published_at"].is_null() && last["record_offset"].is_null() && !last["version"].is_null() {
            Ok(())
        } else {
            Err(last.to_string())
        }
    })
    .await;
}
