//! What one shop sends, however much of it, fails no request of another and loses none of its writes.

use acceptance::stack::TestStack;
use clap::Parser;
use serde_json::{Value, json};

#[derive(Parser)]
struct Measured {
    #[command(flatten)]
    args: bench::noisy::Args,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_shop_sends_fails_no_request_of_another() {
    let stack = TestStack::start(false).await;
    let measured = Measured::try_parse_from([
        "noisy",
        "--at-once",
        "--seconds=6",
        "--large=8",
        "--products=1000",
        "--due=1000",
        "--attributes=5000",
        "--import=2000",
        &format!("--key={}", stack.stack.admin_key().expect("the admin key")),
        &format!("--write-url={}", stack.write_url()),
        &format!("--query-url={}", stack.query_url()),
    ])
    .expect("arguments");
    let report = bench::noisy::measure(&measured.args).await.expect("measured");
    let report = serde_json::to_value(report).expect("a report");
    let beside = &report["loads"][0];
    for measured in [&report["quiet"], beside] {
        let lost = json!([measured["failed"], measured["never_found"], measured["failures"]]);
        assert_eq!(lost, json!([0, 0, {}]), "{report:#}");
        assert_eq!((&measured["writes"], &measured["searches"]), (&json!(120), &json!(120)), "{report:#}");
    }
    assert!(beside["sent"]["accepted"].as_u64() > Some(2_000), "{report:#}");
    let refused = beside["sent"]["refused"].as_array().expect("refusals");
    // More bodies stall than there are places.
    assert!(refused.iter().any(|refused| refused["code"] == "overloaded"), "{report:#}");
    let allowed = |refused: &Value| {
        let refusal = matches!(refused["status"].as_u64(), Some(408 | 413 | 422 | 429 | 503));
        refusal && refused["code"].is_string()
    };
    assert!(refused.iter().all(allowed), "{report:#}");
}
