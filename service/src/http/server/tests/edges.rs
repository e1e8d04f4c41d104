//! What a request may be, how long it may take, and what every answer says.

use super::*;
use schemas::token::TOKEN_HEADER;

/// The end of an answer that is no problem.
const WHOLE: &str = "here";

fn get_with(uri: &str, headers: &str) -> String {
    format!("GET {uri} HTTP/1.1\r\nhost: x\r\n{headers}connection: close\r\n\r\n")
}

/// An answer that is this problem, with all that an answer says.
fn is_problem(answer: &str, status: u16, code: &str) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.contains("content-type: application/problem+json"), "{answer}");
    assert!(body.contains(&format!("\"code\":\"{code}\"")) && body.contains("\"detail\":"), "{answer}");
    let id = head.lines().find_map(|line| line.strip_prefix("x-correlation-id: ")).expect("an id");
    assert!(body.contains(&format!("\"instance\":\"{id}\"")), "{answer}");
    protects(head);
}

fn protects(head: &str) {
    for line in [
        "x-content-type-options: nosniff",
        "x-frame-options: DENY",
        "content-security-policy: default-src 'none'; frame-ancestors 'none'",
        "referrer-policy: no-referrer",
        "cross-origin-resource-policy: same-origin",
    ] {
        assert!(head.lines().any(|said| said == line), "{line} is missing: {head}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_a_problem_whoever_notices() {
    let padded = |bytes: usize| format!("/?{}", "q".repeat(bytes - 2));
    let one = |bytes: usize| format!("x-long: {}\r\n", "h".repeat(bytes));
    let many = |count: usize| (0..count).map(|number| format!("x-{number}: h\r\n")).collect::<String>();
    let (uri, headers) = ("uri_too_long", "headers_too_large");
    for (asked, status, code) in [
        (get_with(&padded(8 << 10), ""), 200, ""),
        (get_with(&padded((8 << 10) + 1), ""), 414, uri),
        // The framework's own bounds.
        (get_with(&padded(66_000), ""), 414, uri),
        (get_with("/", &one(32_000)), 200, ""),
        (get_with("/", &one(32 << 10)), 431, headers),
        (get_with("/", &one(300_000)), 431, headers),
        (get_with("/", &one(500_000)), 431, headers),
        // A token may name thousands of aggregates.
        (get_with("/", &one(250_000).replace("x-long", TOKEN_HEADER)), 200, ""),
        (get_with("/", &one(256 << 10).replace("x-long", TOKEN_HEADER)), 431, headers),
        (get_with("/", &many(98)), 200, ""),
        (get_with("/", &many(99)), 431, headers),
        ("GE\0T / HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(), 400, "invalid_request"),
    ] {
        let server = start(patient()).await;
        let mut client = server.client("").await;
        // A server that has heard enough may hang up before all is said.
        let (mut hears, mut says) = client.split();
        let mut answer = Vec::new();
        let both = async { tokio::join!(says.write_all(asked.as_bytes()), hears.read_to_end(&mut answer)) };
        let (_, heard) = tokio::time::timeout(SOON, both).await.expect("in time");
        heard.expect("not taken back");
        let answer = String::from_utf8(answer).expect("text");
        if status == 200 {
            assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(WHOLE), "{answer}");
        } else {
            is_problem(&answer, status, code);
            server.counted(code).await;
        }
        drop(client);
        server.stop().await;
    }
}

#[tokio::test]
async fn a_request_is_answered_in_time_or_with_504() {
    let server = start(HttpOptions { http_request_ms: 100, ..patient() }).await;
    let answer = heard(&mut server.client(&get_with("/wait", "x-correlation-id: mine\r\n")).await).await;
    is_problem(&answer, 504, "timeout");
    assert!(answer.contains("x-correlation-id: mine\r\n"), "{answer}");
    server.counted("timeout").await;
    // One that has been told is no longer waited for.
    server.come.notified().await;

    // A route of its own time; another request that is cut off tells that the time is over.
    let mut patient = server.client(&get_with("/patient", "")).await;
    server.come.notified().await;
    is_problem(&heard(&mut server.client(&get_with("/wait", "")).await).await, 504, "timeout");
    server.go.notify_one();
    let answer = heard(&mut patient).await;
    assert!(answer.ends_with("at last"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn the_time_of_a_request_begins_when_its_body_is_there() {
    let server = start(HttpOptions { http_request_ms: 100, ..patient() }).await;
    let head = "POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nconnection: close\r\n\r\n1";
    let mut slow = server.client(head).await;
    is_problem(&heard(&mut server.client(&get_with("/wait", "")).await).await, 504, "timeout");
    slow.write_all(b"23").await.expect("said");
    let answer = heard(&mut slow).await;
    assert!(answer.ends_with("\r\n\r\n123"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn one_address_does_not_take_all_connections() {
    let server = start(HttpOptions { http_connections_per_peer: 1, ..patient() }).await;
    let mut first = server.client(ASK).await;
    heard_until(&mut first, WHOLE).await;
    let refused = heard(&mut server.client(ASK).await).await;
    is_problem(&refused, 503, "overloaded");
    assert!(refused.contains("this address"), "{refused}");
    server.counted("connections_of_peer").await;
    drop(first);
    server.has_a_place_again().await;
    server.stop().await;
}

#[tokio::test]
async fn another_host_than_those_that_are_served_is_refused() {
    let hosts = "shop.example,x".parse().expect("hosts");
    let server = start(HttpOptions { hosts, ..patient() }).await;
    heard_until(&mut server.client(ASK).await, WHOLE).await;
    let other = get_with("/", "").replace("host: x", "host: evil.example");
    is_problem(&heard(&mut server.client(&other).await).await, 421, "misdirected_request");
    server.counted("misdirected_request").await;
    server.stop().await;
}

#[tokio::test]
async fn every_answer_protects_who_gets_it() {
    let server = start(patient()).await;
    let plain = heard(&mut server.client(&get_with("/", "")).await).await;
    protects(&plain);
    assert!(!plain.contains("strict-transport-security"), "{plain}");
    protects(&heard(&mut server.client(&get_with("/nowhere", "")).await).await);
    server.stop().await;
    let server = start(HttpOptions { hsts_seconds: 86_400, ..patient() }).await;
    let said = heard(&mut server.client(&get_with("/", "")).await).await;
    assert!(said.contains("strict-transport-security: max-age=86400\r\n"), "{said}");
    server.stop().await;
}
