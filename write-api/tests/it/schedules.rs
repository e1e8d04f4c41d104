//! Products that are published and archived by themselves, by a clock that the test sets.

use super::stack::{Ahead, Stack, product};
use reqwest::Method;
use schemas::{TimeDelta, Utc};
use serde_json::{Value, json};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// Waits until the product of a query has a status.
async fn until(stack: &Stack, slug: &str, status: &str) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let found: String = sqlx::query_scalar("SELECT status FROM catalog.products WHERE slug = $1")
            .bind(slug)
            .fetch_one(&stack.pool)
            .await
            .unwrap();
        if found == status {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{slug} is {found}, not {status}");
    }
}

#[tokio::test]
async fn a_product_is_published_and_archived_when_its_time_has_come() {
    let clock = Arc::new(Ahead::default());
    let stack = Stack::by(Arc::clone(&clock) as Arc<dyn write_api::clock::Clock>).await;
    let made = stack.post("/v1/products", product("a")).await;
    let waiting = stack.post("/v1/products", product("b")).await;
    let slug: String = sqlx::query_scalar("SELECT slug FROM catalog.products WHERE external_id = 'a'")
        .fetch_one(&stack.pool)
        .await
        .unwrap();
    let at = |hours: i64| (Utc::now() + TimeDelta::hours(hours)).to_rfc3339();
    let path = |id: &str| format!("/v1/products/{id}/schedule");
    let span = json!({"publish_at": at(1), "archive_at": at(3)});
    let unsaid = stack.put(&path(&made.id()), span.clone()).await;
    assert_eq!((unsaid.status, unsaid.code()), (428, "version_required"), "{unsaid:?}");
    let said = stack.at(Method::PUT, &path(&made.id()), 1, span.clone()).await;
    assert_eq!((said.status, &said.body["version"]), (200, &json!(2)), "{said:?}");
    let again = stack.at(Method::PUT, &path(&made.id()), 2, span).await;
    assert_eq!(again.body["status"], "unchanged", "{again:?}");
    let missed = json!({"publish_at": at(10)});
    assert_eq!(stack.at(Method::PUT, &path(&waiting.id()), 1, missed).await.status, 200);
    let then = at(3);
    let turned = json!({"publish_at": then, "archive_at": then});
    let refused = stack.at(Method::PUT, &path(&made.id()), 2, turned).await;
    assert_eq!((refused.status, refused.pointers()), (422, vec!["/archive_at"]), "{refused:?}");
    let far = json!({"publish_at": "+100000-01-01T00:00:00Z"});
    let refused = stack.at(Method::PUT, &path(&made.id()), 2, far).await;
    assert!((400..500).contains(&refused.status), "{refused:?}");

    clock.0.store(2, Ordering::Relaxed);
    until(&stack, &slug, "published").await;
    clock.0.store(4, Ordering::Relaxed);
    until(&stack, &slug, "archived").await;
    let told = "SELECT count(*) FROM catalog.outbox WHERE event_type = 'souk.catalog.product.scheduled.v1'";
    assert_eq!(stack.count(told).await, 4, "said twice, and what is left after each step");
    assert_eq!(stack.count("SELECT count(*) FROM catalog.products WHERE status = 'draft'").await, 1);
    let left = "SELECT count(*) FROM catalog.products WHERE publish_at IS NOT NULL OR archive_at IS NOT NULL";
    assert_eq!(stack.count(left).await, 1, "the other one still waits");
    let taken_back = stack.at(Method::PUT, &path(&waiting.id()), 2, Value::Object(serde_json::Map::new())).await;
    assert_eq!(taken_back.status, 200, "{taken_back:?}");
    assert_eq!(stack.count(left).await, 0);
    stack.stop().await;
}
