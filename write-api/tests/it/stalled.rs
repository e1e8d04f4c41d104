//! Bulk writes whose client takes its time, or has gone without a word.

use super::stack::{Stack, product, sent};
use bytes::Bytes;
use futures::StreamExt;
use reqwest::{Body, Method, Response, header::RETRY_AFTER};
use serde_json::{Value, json};
use std::{convert::Infallible, time::Duration};

const MODES: [&str; 4] = ["", "?on_error=stop", "?on_error=all-or-nothing", "?dry_run=true"];
/// Far longer than anything here takes, and far shorter than the gap that is allowed.
const SOON: Duration = Duration::from_secs(10);

fn renamed(title: &str) -> Value {
    let mut line = product("a");
    line["title"] = json!(title);
    line
}

/// A body that has one line and does not end.
fn one_line(line: &Value) -> Body {
    let line = Ok::<_, Infallible>(Bytes::from(format!("{line}\n")));
    Body::wrap_stream(futures::stream::iter([line]).chain(futures::stream::pending()))
}

async fn stalled(stack: &Stack, mode: &str, key: Option<&str>) -> Response {
    let request = stack.request(Method::POST, &format!("/v1/products/bulk{mode}")).body(one_line(&renamed("Bulk")));
    let request = key.into_iter().fold(request, |request, key| request.header("idempotency-key", key));
    request.send().await.unwrap()
}

/// The last line of an answer that ends by itself.
async fn last_line(response: Response) -> Value {
    let text = tokio::time::timeout(SOON, response.text()).await.unwrap().unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

#[tokio::test]
async fn streams_that_stall_hold_up_nobody() {
    for mode in MODES {
        for with_key in [false, true] {
            let stack = Stack::start().await;
            let made = stack.post("/v1/products", product("a")).await;
            let keys: Vec<String> = (0..32).map(|number| format!("k{number}")).collect();
            let streams = keys.iter().map(|key| stalled(&stack, mode, with_key.then_some(key)));
            let streams = futures::future::join_all(streams).await;
            let (open, refused): (Vec<_>, Vec<_>) = streams.into_iter().partition(|answer| answer.status() == 200);
            assert_eq!((open.len(), refused.len()), (6, 26), "{mode}: the places that one shop may have");
            assert!(refused.iter().all(|answer| answer.status() == 503 && answer.headers()[RETRY_AFTER] == "1"));

            let path = format!("/v1/products/{}", made.id());
            for round in 0..50 {
                let command = stack.request(Method::PUT, &path).header("if-match", "*");
                let command = sent(command.json(&renamed(&format!("Round {round}"))));
                let answer = tokio::time::timeout(SOON, command).await;
                assert_eq!(answer.map(|answer| answer.status), Ok(200), "{mode} {with_key}");
                let idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                            AND application_name = 'souk write-api' AND state LIKE 'idle in transaction%'
                            AND state_change < now() - interval '500 ms'";
                assert_eq!(stack.count(idle).await, 0, "{mode} {with_key}");
            }
            let ready = stack.http.get(format!("{}/health/ready", stack.base)).send().await.unwrap();
            assert_eq!(ready.status(), 200, "{mode} {with_key}");
            drop(open);
            stack.stop().await;
        }
    }
}

#[tokio::test]
async fn a_stream_that_stalls_is_ended() {
    let stack = Stack::with(&["--bulk-gap-ms", "200"]).await;
    stack.post("/v1/products", product("a")).await;
    for (number, mode) in MODES.into_iter().enumerate() {
        for key in [None, Some(format!("k{number}"))] {
            let last = last_line(stalled(&stack, mode, key.as_deref()).await).await;
            assert_eq!(last["problem"]["code"], "request_timeout", "{mode} {key:?}");
        }
    }
    let titles = "SELECT count(*) FROM catalog.products WHERE content LIKE '%Bulk%'";
    assert_eq!(stack.count(titles).await, 1, "what was answered before stands");
    let metrics = stack.http.get(format!("{}/metrics", stack.base)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("souk_requests_refused_total{reason=\"request_timeout\"} 8"), "{metrics}");
    stack.stop().await;
}

#[tokio::test]
async fn nothing_of_a_stream_that_is_one_transaction_stands_when_it_stalls() {
    let stack = Stack::with(&["--bulk-gap-ms", "200"]).await;
    stack.post("/v1/products", product("a")).await;
    let last = last_line(stalled(&stack, "?on_error=all-or-nothing", Some("k")).await).await;
    assert_eq!(last["problem"]["code"], "request_timeout");
    assert_eq!(stack.count("SELECT count(*) FROM catalog.products WHERE content LIKE '%Bulk%'").await, 0);
    assert_eq!(stack.count("SELECT count(*) FROM catalog.idempotency_keys").await, 0);
    stack.stop().await;
}

#[tokio::test]
async fn a_place_for_a_stream_is_free_again_after_it() {
    let stack = Stack::with(&["--bulk-streams", "1", "--bulk-gap-ms", "200"]).await;
    let first = stalled(&stack, "", None).await;
    let second = sent(stack.request(Method::POST, "/v1/products/bulk").body("")).await;
    assert_eq!((second.status, second.code(), second.header("retry-after")), (503, "overloaded", "1"));
    last_line(first).await;
    let freed = async {
        while sent(stack.request(Method::POST, "/v1/products/bulk").body("")).await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, freed).await.unwrap();
    stack.stop().await;
}

#[tokio::test]
async fn one_transaction_takes_so_many_bytes_and_others_as_many_as_come() {
    let stack = Stack::with(&["--bulk-spool-mib", "1"]).await;
    let lines: Vec<Value> = (0..40).map(|number| product(&number.to_string())).collect();
    let wide = |line: &Value| {
        let mut line = line.clone();
        line["description"] = json!("x".repeat(30_000));
        format!("{line}\n")
    };
    let body: String = lines.iter().map(wide).collect();
    let send = |mode: &str| stack.request(Method::POST, &format!("/v1/products/bulk{mode}")).body(body.clone()).send();
    for mode in ["?on_error=all-or-nothing", "?dry_run=true"] {
        let last = last_line(send(mode).await.unwrap()).await;
        assert_eq!(last["problem"]["code"], "too_large", "{mode}");
    }
    let products = "SELECT count(*) FROM catalog.products";
    assert_eq!(stack.count(products).await, 0);
    assert_eq!(last_line(send("").await.unwrap()).await["summary"]["created"], 40);
    assert_eq!(stack.count(products).await, 40);
    stack.stop().await;
}
