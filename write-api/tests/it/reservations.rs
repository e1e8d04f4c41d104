//! Reservations of one SKU that are asked for at once are decided together, each with its own answer, key, event and entry.

use super::stack::{Answer, Stack, product, sent};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

const CLIENTS: usize = 120;
const PIECES: usize = 30;

async fn stocked(stack: &Stack, name: &str, pieces: usize) {
    stack.post("/v1/products", product(name)).await;
    let set = json!({"sku": format!("sku-{name}"), "location": "main", "op": "set", "quantity": pieces});
    stack.bulk("/v1/stock/bulk", &[set]).await;
}

fn body(number: usize, name: &str, quantity: i64) -> Value {
    let id = format!("0199a3b4-5c6d-7e8f-9a0b-{number:012}");
    json!({"reservation_id": id, "minutes": 10, "lines": [{"sku": format!("sku-{name}"), "quantity": quantity}]})
}

async fn reserve(stack: &Stack, key: &str, body: &Value) -> Answer {
    let request = stack.request(Method::POST, "/v1/reservations").header("idempotency-key", key);
    sent(request.header("x-correlation-id", key).json(body)).await
}

fn statuses(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_many_want_at_once_is_decided_together() {
    let stack = Stack::with(&["--shop-commands-per-second", "0"]).await;
    stocked(&stack, "a", PIECES).await;
    let keys: Vec<(String, Value)> = (0..CLIENTS).map(|n| (format!("client-{n}"), body(n, "a", 1))).collect();
    let answers = join_all(keys.iter().map(|(key, body)| reserve(&stack, key, body))).await;
    assert_eq!((statuses(&answers, 201), statuses(&answers, 409)), (PIECES, CLIENTS - PIECES), "{answers:?}");
    let levels: (i64, i64, i64) = sqlx::query_as("SELECT on_hand, reserved, committed FROM inventory.levels")
        .fetch_one(&stack.pool)
        .await
        .unwrap();
    assert_eq!(levels, (30, 30, 0));
    // Each event has who asked, and the next version in the order of ids.
    let events: Vec<(i64, String)> = sqlx::query_as(
        "SELECT version, correlation_id FROM inventory.outbox WHERE event_type LIKE '%.reserved.v1' ORDER BY id",
    )
    .fetch_all(&stack.pool)
    .await
    .unwrap();
    let versions: Vec<i64> = events.iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, (2..32).collect::<Vec<i64>>());
    let granted: Vec<&str> =
        keys.iter().zip(&answers).filter(|(_, a)| a.status == 201).map(|((k, _), _)| k.as_str()).collect();
    let mut told: Vec<&str> = events.iter().map(|(_, correlation)| correlation.as_str()).collect();
    told.sort_unstable();
    let mut expected = granted.clone();
    expected.sort_unstable();
    assert_eq!(told, expected);
    // And an entry of the audit, each with the digest of the one before.
    let entries = stack.count("SELECT count(*) FROM audit.outbox WHERE payload LIKE '%stock_item.reserved%'").await;
    assert_eq!(entries, 30);
    let metrics = stack.http.get(format!("{}/metrics", stack.base)).send().await.unwrap().text().await.unwrap();
    let value = |name: &str| -> f64 {
        let line = metrics.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.rsplit(' ').next().and_then(|value| value.parse().ok()).unwrap_or_default()
    };
    let (decided, transactions) = (value("souk_commands_together_sum"), value("souk_commands_together_count"));
    assert!(decided >= 120.0 && transactions < 100.0, "{decided} commands in {transactions} transactions");
    // All of them once more get the same.
    let again = join_all(keys.iter().map(|(key, body)| reserve(&stack, key, body))).await;
    for (first, again) in answers.iter().zip(&again) {
        assert_eq!(first.status, again.status);
        assert_eq!(first.body["lines"], again.body["lines"]);
        assert_eq!(first.body["errors"], again.body["errors"]);
    }
    assert_eq!(stack.count("SELECT count(*) FROM inventory.reservations").await, 30);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_that_comes_many_times_at_once_is_one_reservation() {
    let stack = Stack::start().await;
    stocked(&stack, "a", PIECES).await;
    let asked = body(1, "a", 2);
    let answers = join_all((0..20).map(|_| reserve(&stack, "same", &asked))).await;
    assert_eq!(statuses(&answers, 201), 20, "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| answer.header("idempotency-replayed") == "true").count(), 19);
    assert_eq!(stack.count("SELECT sum(reserved)::int8 FROM inventory.levels").await, 2);
    let other = reserve(&stack, "same", &body(2, "a", 2)).await;
    assert_eq!((other.status, other.code()), (422, "idempotency_key_reused"));
    // By its id the same holds without a key, and for ever.
    let without = sent(stack.request(Method::POST, "/v1/reservations").json(&asked)).await;
    assert_eq!(without.status, 200);
    let taken = sent(stack.request(Method::POST, "/v1/reservations").json(&body(1, "a", 3))).await;
    assert_eq!((taken.status, taken.code()), (409, "reservation_exists"));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_holds_up_nobody() {
    let stack = Stack::start().await;
    stocked(&stack, "a", PIECES).await;
    let given_up = (100..140).map(|n| {
        let (stack, asked) = (&stack, body(n, "a", 1));
        async move {
            let request = stack.request(Method::POST, "/v1/reservations").json(&asked);
            let _ = tokio::time::timeout(std::time::Duration::from_micros(400 * (n as u64 % 10)), request.send()).await;
        }
    });
    join_all(given_up).await;
    let last = reserve(&stack, "last", &body(1, "a", 1)).await;
    assert!(last.status == 201 || last.code() == "insufficient_stock", "{last:?}");
    let unlike = "SELECT count(*) FROM inventory.levels AS l WHERE reserved <> (
        SELECT coalesce(sum(quantity), 0) FROM inventory.reservations WHERE state = 'held')";
    assert_eq!(stack.count(unlike).await, 0);
    stack.stop().await;
}

#[tokio::test]
async fn what_has_moved_adds_up_to_what_is_there() {
    let stack = Stack::start().await;
    stocked(&stack, "a", 9).await;
    assert_eq!(reserve(&stack, "k", &body(1, "a", 4)).await.status, 201);
    let id = "0199a3b4-5c6d-7e8f-9a0b-000000000001";
    assert_eq!(stack.post(&format!("/v1/reservations/{id}/commit"), json!({})).await.status, 200);
    for _ in 0..2 {
        let left = stack.post(&format!("/v1/reservations/{id}/dispatch"), json!({})).await;
        assert_eq!((left.status, &left.body["lines"][0]["state"]), (200, &json!("dispatched")));
    }
    let moved: Vec<(String, i64)> = sqlx::query_as("SELECT kind, pieces FROM inventory.movements ORDER BY id")
        .fetch_all(&stack.pool)
        .await
        .unwrap();
    assert_eq!(moved, [("adjusted".to_owned(), 9), ("dispatched".to_owned(), -4)]);
    assert_eq!(stack.count("SELECT on_hand FROM inventory.levels").await, 5);
    stack.stop().await;
}
