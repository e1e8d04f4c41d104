//! `Prefer: wait`: the answer to a command comes when reads see it, and says so.

use acceptance::{
    builders::{ndjson, product_line},
    shop::Shop,
    stack::TestStack,
};
use launcher::stack::Service;
use reqwest::{Method, Response, StatusCode};
use schemas::token::CONSISTENCY_HEADER;
use serde_json::{Value, json};

/// A command that prefers something; its answer.
async fn preferring(shop: &Shop, prefer: &str, method: Method, path: &str, body: &Value) -> Response {
    shop.request(method, path).header("prefer", prefer).json(body).send().await.expect("an answer")
}

/// What an answer says of the wait.
fn said(answer: &Response) -> (StatusCode, &str, &str) {
    let header = |name| answer.headers().get(name).map_or("", |value| value.to_str().expect("text"));
    (answer.status(), header(CONSISTENCY_HEADER), header("preference-applied"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_answered_when_reads_see_it() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "patient").await;
    for number in 0..5 {
        let product = product_line(&format!("p{number}"), &format!("Patient lamp {number}"));
        let answer = preferring(&shop, "wait=30; in=search", Method::POST, "/v1/products", &product).await;
        assert_eq!(said(&answer), (StatusCode::CREATED, "fresh", "wait=30; in=search"));
        let made: Value = answer.json().await.expect("JSON");
        // No token goes with what is read: nothing else waits here.
        let found = shop.read("/v1/search?q=patient&limit=50", None).await;
        assert_eq!(found.titles().len(), number + 1, "{made}");
    }
    let lines: Vec<Value> = (5..9).map(|number| product_line(&format!("p{number}"), "Patient lamp")).collect();
    let request = shop.request(Method::POST, "/v1/products/bulk").header("prefer", "wait=30; in=search");
    let text = request.body(ndjson(&lines)).send().await.expect("an answer").text().await.expect("lines");
    let summary: Value = serde_json::from_str(text.lines().last().expect("a summary")).expect("JSON");
    assert_eq!(summary["summary"]["consistency"], "fresh", "{summary}");
    assert_eq!(shop.read("/v1/search?q=patient&limit=50", None).await.titles().len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_of_any_context_may_be_waited_for() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "any").await;
    let synonyms = json!({"kind": "multi_way", "terms": ["lamp", "light"]});
    let cases: [(Method, &str, Value); 4] = [
        (Method::PUT, "/v1/merchandising/synonyms/lamps", synonyms),
        (Method::POST, "/v1/keys", json!({"name": "k", "kind": "staff", "permissions": ["catalog.write"]})),
        (Method::PUT, "/v1/settings/channels/web", json!({"title": "Web", "currencies": ["EUR"]})),
        (Method::POST, "/v1/guests", json!({})),
    ];
    // What happens to a shop is read in that shop.
    let renamed = shop.request(Method::PUT, "/v1/tenants/any").header("prefer", "wait=30").header("if-match", "*");
    let answer = renamed.json(&json!({"name": "Any other"})).send().await.expect("an answer");
    assert_eq!(said(&answer), (StatusCode::OK, "fresh", "wait=30; in=views"));
    for (method, path, body) in cases {
        let answer = preferring(&shop, "wait=30", method, path, &body).await;
        let (status, consistency, applied) = said(&answer);
        let told = (consistency.to_owned(), applied.to_owned());
        let text = answer.text().await.expect("text");
        assert!(status.is_success(), "{path}: {status} {text}");
        // Whoever begins as a guest writes nothing that is read.
        if path != "/v1/guests" {
            assert_eq!(told, ("fresh".to_owned(), "wait=30; in=views".to_owned()), "{path}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reads_do_not_see_is_carried_out_and_said() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "hasty").await;
    for (prefer, number) in [("wait=soon", 0), ("wait=31", 1), ("wait=5; in=index", 2)] {
        let product = product_line(&format!("r{number}"), "Refused lamp");
        let answer = preferring(&shop, prefer, Method::POST, "/v1/products", &product).await;
        assert_eq!(said(&answer).0, StatusCode::BAD_REQUEST, "{prefer}");
    }
    stack.stop(Service::Projector);
    let lamp = product_line("late", "Late lamp");
    let answer = preferring(&shop, "wait=1", Method::POST, "/v1/products", &lamp).await;
    assert!(answer.headers()["souk-versions-served"].to_str().expect("text").starts_with("catalog/"));
    assert_eq!(said(&answer), (StatusCode::CREATED, "stale", "wait=1; in=views"));
    stack.stop(Service::QueryApi);
    let answer =
        preferring(&shop, "wait=1", Method::POST, "/v1/products", &product_line("unseen", "Unseen lamp")).await;
    assert_eq!(said(&answer), (StatusCode::CREATED, "unknown", ""));
}
