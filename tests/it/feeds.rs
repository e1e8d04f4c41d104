//! What waits in one feed delays no other.

use acceptance::{
    builders::product_line,
    eventually::eventually,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use reqwest::Method;
use schemas::Utc;
use serde_json::{Value, json};

/// Reports of shoppers that wait.
const WAITING: usize = 20_000;
/// Reports that one request takes.
const REPORTS: usize = 500;

fn search(number: usize) -> Value {
    json!({
        "type": "query", "query_id": format!("q-{number}"), "client_id": format!("client-{}", number % 100),
        "user_query": "kettle", "query_response_hit_ids": [], "timestamp": Utc::now(),
    })
}

async fn lag_of_insights(shop: &Shop) -> Result<u64, String> {
    let lag = shop.read("/v1/status/lag", None).await.body;
    let feed = lag["projections"].as_array().into_iter().flatten().find(|one| one["projection"] == "insights");
    feed.and_then(|feed| feed["lag_events"].as_u64()).ok_or_else(|| lag.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_searchable_while_twenty_thousand_reports_wait() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "busy").await;
    // Whoever holds a checkpoint holds its feed.
    let mut held = stack.read.begin().await.expect("a transaction");
    let checkpoints = sqlx::query("SELECT FROM checkpoints WHERE projection = 'insights' FOR UPDATE")
        .execute(&mut *held)
        .await
        .expect("held");
    assert!(checkpoints.rows_affected() > 0, "the feed has begun");
    for first in (0..WAITING).step_by(REPORTS) {
        let reports: Vec<Value> = (first..first + REPORTS).map(search).collect();
        let reported = shop.command(Method::POST, "/v1/insights", None, &json!(reports)).await;
        assert_eq!(reported["accepted"], REPORTS, "{reported}");
    }
    let all_wait = || async {
        let lag = lag_of_insights(&shop).await?;
        if lag == WAITING as u64 { Ok(()) } else { Err(format!("{lag} wait")) }
    };
    eventually("all reports wait for the feed", PATIENCE, all_wait).await;

    let token = shop.bulk_all("products", &[product_line("kettle", "Gooseneck kettle")]).await;
    assert_eq!(shop.search("gooseneck", &token).await.titles(), ["Gooseneck kettle"]);
    assert_eq!(lag_of_insights(&shop).await, Ok(WAITING as u64), "they still wait");

    held.rollback().await.expect("let go");
    eventually("the reports are applied", PATIENCE, || async {
        let lag = lag_of_insights(&shop).await?;
        if lag == 0 { Ok(()) } else { Err(format!("{lag} wait")) }
    })
    .await;
}
