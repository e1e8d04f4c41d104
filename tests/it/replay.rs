//! Delivery is at least once, effects are exactly once: duplicates, late commits, poison, the dead.

use crate::dead_letters;
use acceptance::{
    builders::product_line,
    digest,
    eventually::eventually,
    quiet::until_quiet,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use eventlog::dead_letter::operator;
use launcher::stack::Service;
use projector::registry;
use reqwest::Method;
use schemas::Uuid;
use serde_json::{Value, json};

/// How many events the views have read so far.
async fn events_read(stack: &TestStack) -> i64 {
    sqlx::query_scalar("SELECT coalesce(sum(next_offset), 0)::bigint FROM checkpoints WHERE projection = ANY($1)")
        .bind(registry::names())
        .fetch_one(&stack.read)
        .await
        .expect("checkpoints")
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_and_replays_change_nothing_and_bring_nothing_back() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "replay").await;
    let lines: Vec<Value> = (0..20).map(|n| product_line(&format!("r-{n}"), &format!("Replayed thing {n}"))).collect();
    let token = shop.bulk_all("products", &lines).await;
    let gone = shop.search("replayed", &token).await.body["hits"][0].clone();
    let id = gone["id"].as_str().expect("an id");
    let deleted = shop.command(Method::DELETE, &format!("/v1/products/{id}"), Some(2), &json!({})).await;
    let token = deleted["token"].as_str().expect("a token").to_owned();
    assert_eq!(shop.search("replayed", &token).await.body["total"], 19);
    until_quiet(&stack).await;
    let before = digest::take(&stack).await;
    // A relay that crashed before it could mark its rows sends v1, v2, v3 once more, twice.
    for round in 0..2 {
        // The views may have read what the relay has not marked yet: it would mark the rows of the next round.
        until_quiet(&stack).await;
        let read_before = events_read(&stack).await;
        let again =
            sqlx::query("UPDATE catalog.outbox SET published_at = NULL").execute(&stack.write).await.expect("marked");
        let expected = read_before + i64::try_from(again.rows_affected()).expect("a count");
        eventually("the duplicates have been read", PATIENCE, || async {
            let read = events_read(&stack).await;
            if read >= expected { Ok(()) } else { Err(format!("{read} of {expected} in round {round}")) }
        })
        .await;
    }
    until_quiet(&stack).await;
    assert_eq!(digest::take(&stack).await, before);
    assert_eq!(shop.search("replayed", &token).await.body["total"], 19, "the deleted product stays gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_becomes_visible_late_is_not_lost() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "late").await;
    let tenant: Uuid = sqlx::query_scalar("SELECT id FROM tenants").fetch_one(&stack.read).await.expect("the tenant");
    // A transaction that draws its outbox id first and commits last.
    let mut late = stack.write.begin().await.expect("begun");
    let product = Uuid::now_v7();
    let payload = json!({"category_id": product, "content": {"slug": "late", "name": "Late"}}).to_string();
    let late_id: i64 = sqlx::query_scalar(
        "INSERT INTO catalog.outbox (event_id, tenant_id, event_type, aggregate, aggregate_id, version, partition_id, payload,
                                     occurred_at, correlation_id)
         VALUES ($1, $2, 'souk.catalog.category.created.v1', 'category', $3, 1, $3, $4, now(), 'late') RETURNING id",
    )
    .bind(Uuid::now_v7())
    .bind(tenant)
    .bind(product)
    .bind(payload)
    .fetch_one(&mut *late)
    .await
    .expect("inserted");
    let token = shop.bulk_all("products", &[product_line("early", "Early bird")]).await;
    assert_eq!(shop.search("early", &token).await.titles(), ["Early bird"], "nobody waits for a long transaction");
    let cursor: i64 = sqlx::query_scalar("SELECT max(id) FROM catalog.outbox WHERE published_at IS NOT NULL")
        .fetch_one(&stack.write)
        .await
        .expect("a cursor");
    assert!(late_id < cursor, "the naive way, `id > cursor`, has gone past the late row");
    late.commit().await.expect("committed");
    eventually("the late row has arrived", PATIENCE, || async {
        let tree = shop.read("/v1/categories", None).await.body;
        if tree["categories"][0]["slug"] == "late" { Ok(()) } else { Err(tree.to_string()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_event_parks_its_aggregate_and_nothing_else() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "poison").await;
    let token =
        shop.bulk_all("products", &[product_line("p-1", "Poisoned thing"), product_line("p-2", "Healthy thing")]).await;
    let hits = shop.search("poisoned", &token).await;
    let id: Uuid = hits.body["hits"][0]["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    dead_letters::poisoned(&stack, id).await;
    eventually("the event is parked and the one behind it queued", PATIENCE, || async {
        let letters = shop.read("/v1/status/dead-letters", None).await.body;
        let states: Vec<&str> =
            letters["dead_letters"].as_array().into_iter().flatten().filter_map(|l| l["state"].as_str()).collect();
        if states == ["parked", "queued"] { Ok(()) } else { Err(letters.to_string()) }
    })
    .await;
    let token = shop.bulk_all("products", &[product_line("p-3", "Thing after the poison")]).await;
    assert_eq!(shop.search("after", &token).await.titles(), ["Thing after the poison"], "others flow");
    let mut connection = stack.read.acquire().await.expect("a connection");
    let parked: i64 = sqlx::query_scalar("SELECT id FROM dead_letters WHERE state = 'parked'")
        .fetch_one(&mut *connection)
        .await
        .expect("parked");
    operator::discard(&mut connection, parked, "tests", "written by a test").await.expect("discarded");
    eventually("the queue behind it has moved on", PATIENCE, || async {
        let letters = shop.read("/v1/status/dead-letters", None).await.body;
        if letters["dead_letters"] == json!([]) { Ok(()) } else { Err(letters.to_string()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_died_stays_visible_as_stalled() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "stalled").await;
    let trend = || async {
        let lag = shop.read("/v1/status/lag", None).await.body;
        let views =
            lag["projections"].as_array().into_iter().flatten().find(|p| p["projection"] == "products").cloned();
        views.and_then(|views| views["trend"].as_str().map(str::to_owned)).ok_or_else(|| lag.to_string())
    };
    let becomes = |wanted: &'static str| {
        eventually(wanted, PATIENCE, move || async move {
            let trend = trend().await?;
            if trend == wanted { Ok(()) } else { Err(trend) }
        })
    };
    becomes("idle").await;
    stack.stack.kill(Service::Projector).expect("killed");
    becomes("stalled").await;
    stack.stack.start(Service::Projector).expect("started");
    becomes("idle").await;
}
