use super::stack::{Ahead, Answer, Stack, sent};
use reqwest::Method;
use schemas::Uuid;
use serde_json::{Value, json};
use std::sync::{Arc, atomic::Ordering};
use write_api::clock::Clock;

const PRODUCT: &str = "01900000-0000-7000-8000-0000000000a1";

fn search(client: &str, query_id: &str) -> Value {
    json!({
        "type": "query", "query_id": query_id, "client_id": client, "user_query": "red shoes",
        "query_response_hit_ids": [PRODUCT], "timestamp": schemas::Utc::now(), "arm": "fresher/new",
    })
}

fn click(client: &str, query_id: &str, ordinal: u32) -> Value {
    json!({
        "type": "event", "action_name": "click", "query_id": query_id, "client_id": client,
        "timestamp": schemas::Utc::now(), "message_type": "CLICK_THROUGH",
        "event_attributes": {
            "object": {"object_id": PRODUCT, "object_id_field": "product_id", "description": "A shoe"},
            "position": {"ordinal": ordinal, "x": 12},
        },
    })
}

async fn lines(stack: &Stack, reports: &[Value]) -> Answer {
    let body: String = reports.iter().map(|report| format!("{report}\n")).collect();
    sent(stack.request(Method::POST, "/v1/insights").body(body)).await
}

fn statuses(answer: &Answer) -> Vec<&str> {
    answer.body["records"].as_array().unwrap().iter().map(|record| record["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn reports_are_taken_as_lines_or_as_an_array_and_each_once() {
    let stack = Stack::start().await;
    let reports = [search("c1", "q1"), click("c1", "q1", 1), click("c2", "q1", 2), search("c2", "q2")];
    let first = lines(&stack, &reports).await;
    assert_eq!((first.status, statuses(&first)), (200, vec!["accepted"; 4]), "{first:?}");
    assert_eq!((&first.body["records"][1]["version"], &first.body["records"][3]["version"]), (&json!(2), &json!(2)));
    let again = stack.post("/v1/insights", json!(reports)).await;
    assert_eq!((statuses(&again), &again.body["duplicates"]), (vec!["duplicate"; 4], &json!(4)));
    assert_eq!(again.body["token"], first.body["token"], "the token of what is known names it, too");
    let twice = click("c1", "q1", 3);
    assert_eq!(statuses(&lines(&stack, &[twice.clone(), twice]).await), ["accepted", "duplicate"]);
    // Under an id of its own a report is told from another that says the same, and known whatever it says.
    let mut named = [click("c3", "q1", 1), click("c3", "q1", 1), click("c4", "q9", 9)];
    for (report, id) in named.iter_mut().zip([1, 2, 1]) {
        report["record_id"] = json!(Uuid::from_u128(id));
    }
    named[1]["timestamp"] = named[0]["timestamp"].clone();
    assert_eq!(statuses(&lines(&stack, &named).await), ["accepted", "accepted", "duplicate"]);
    assert_eq!(stack.count("SELECT count(*) FROM insights.outbox WHERE partition_id = aggregate_id").await, 7);
    let none = stack.post("/v1/insights", json!([])).await;
    assert_eq!((none.status, &none.body["accepted"]), (200, &json!(0)));
    stack.stop().await;
}

#[tokio::test]
async fn a_wrong_report_is_answered_and_the_others_are_taken() {
    let stack = Stack::start().await;
    let with = |mut report: Value, name: &str, value: Value| {
        report[name] = value;
        report
    };
    let reports = [
        search("c", "q"),
        with(search("c", "q"), "timestamp", json!("2020-01-01T00:00:00Z")),
        with(search("c", "q"), "user_query", json!(5)),
        with(click("c", "q", 1), "event_attributes", json!({})),
        json!({"type": "view"}),
        json!(7),
        with(search("c", "q"), "query_attributes", json!({"x": "y".repeat(20_000)})),
        click("c", "q", 1),
    ];
    let answer = stack.post("/v1/insights", json!(reports)).await;
    assert_eq!((&answer.body["accepted"], &answer.body["rejected"]), (&json!(2), &json!(6)), "{answer:?}");
    let told = |index: usize| {
        let record = &answer.body["records"][index];
        assert_eq!(record["index"], index);
        (record["code"].as_str().unwrap_or_default(), record["errors"][0]["pointer"].as_str().unwrap_or_default())
    };
    assert_eq!(told(1), ("validation_failed", "/timestamp"));
    assert_eq!(told(2), ("invalid_request", "/user_query"));
    assert_eq!(told(3), ("validation_failed", "/event_attributes/object"));
    assert_eq!(told(4), ("invalid_request", "/type"));
    assert_eq!(told(5).0, "invalid_request");
    assert_eq!(told(6).0, "too_large");
    let many = vec![search("c", "q"); 501];
    assert_eq!(stack.post("/v1/insights", json!(many)).await.status, 413);
    assert_eq!(lines(&stack, &many).await.code(), "too_large");
    let broken = sent(stack.request(Method::POST, "/v1/insights").body("[{")).await;
    assert_eq!((broken.status, broken.code()), (400, "invalid_request"));
    let garbled = sent(stack.request(Method::POST, "/v1/insights").body("{\n\nx")).await;
    assert_eq!(statuses(&garbled), ["rejected", "rejected"]);
    stack.stop().await;
}

#[tokio::test]
async fn reports_of_many_at_once_stay_in_order_and_apart() {
    let stack = Stack::start().await;
    let batch = |from: usize| -> Vec<Value> {
        (from..from + 30).map(|number| search(&format!("c{}", number % 3), &format!("q{number}"))).collect()
    };
    // Neighbours share half of their reports.
    let batches: Vec<Vec<Value>> = {
        let all: Vec<Value> = batch(0).into_iter().chain(batch(30)).chain(batch(60)).collect();
        (0..5).map(|number| all[number * 15..number * 15 + 30].to_vec()).collect()
    };
    let answers = futures::future::join_all(batches.iter().map(|batch| lines(&stack, batch))).await;
    let sum = |name: &str| answers.iter().map(|answer| answer.body[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("accepted"), sum("duplicates"), sum("rejected")), (90, 60, 0), "{answers:?}");
    let disordered = "SELECT count(*) FROM (SELECT version, row_number() OVER (PARTITION BY aggregate_id ORDER BY id) \
                      AS place FROM insights.outbox) AS rows WHERE version <> place";
    assert_eq!(stack.count(disordered).await, 0);
    assert_eq!(stack.count("SELECT count(*) FROM insights.outbox").await, 90);
    stack.stop().await;
}

#[tokio::test]
async fn a_request_with_a_key_is_answered_the_same_again() {
    let stack = Stack::start().await;
    let body = format!("{}\n{}\n", search("c", "q"), json!({"type": "view"}));
    let report = || sent(stack.request(Method::POST, "/v1/insights").header("idempotency-key", "k").body(body.clone()));
    let (first, again) = (report().await, report().await);
    assert_eq!(first.body, again.body);
    assert_eq!(statuses(&again), ["accepted", "rejected"]);
    let other = stack.request(Method::POST, "/v1/insights").header("idempotency-key", "k").body("{}");
    assert_eq!(sent(other).await.code(), "idempotency_key_reused");
    stack.stop().await;
}

#[tokio::test]
async fn a_report_is_forgotten_after_two_days_and_no_sooner() {
    let clock = Arc::new(Ahead::default());
    let stack = Stack::by(Arc::clone(&clock) as Arc<dyn Clock>).await;
    let report = search("c1", "q1");
    assert_eq!(statuses(&lines(&stack, std::slice::from_ref(&report)).await), ["accepted"]);
    for (hours, expected) in [(47, "duplicate"), (49, "accepted")] {
        clock.0.store(hours, Ordering::Relaxed);
        // What is old is forgotten as new reports come.
        let other = search("c2", &format!("q{hours}"));
        assert_eq!(statuses(&lines(&stack, &[other]).await), ["accepted"]);
        assert_eq!(statuses(&lines(&stack, std::slice::from_ref(&report)).await), [expected], "after {hours} hours");
    }
    stack.stop().await;
}
