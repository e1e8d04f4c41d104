//! Every limit of `docs/guides/limits.md` as a client meets it: the page's tables are read, and each row is tried against
//! running servers. A row without a trial fails, and so does a trial without a row.

mod trials;

use acceptance::{
    beside::Beside,
    eventually::eventually,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use clap::{Args, Command};
use launcher::stack::Service;
use reqwest::{Client, Response};
use service::http::HttpOptions;
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One row of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    limit: String,
    most: String,
    setting: String,
    answer: String,
    code: String,
}

impl Row {
    /// The limit in bytes, or as it is counted.
    fn most(&self) -> usize {
        let mut words = self.most.split(' ');
        let number: usize = words.next().and_then(|word| word.parse().ok()).expect("a number");
        match words.next() {
            Some("KiB") => number << 10,
            Some("MiB") => number << 20,
            _ => number,
        }
    }
}

/// The rows of all tables of limits on the page.
fn rows() -> Vec<Row> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides/limits.md");
    let text = std::fs::read_to_string(page).expect("the page");
    let (mut inside, mut found) = (false, Vec::new());
    for line in text.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        match cells[..] {
            ["limit", "at most", "setting", "answer", "code"] => inside = true,
            [limit, most, setting, answer, code] if inside && !limit.starts_with("---") => {
                let [limit, most, setting, answer, code] = [limit, most, setting, answer, code].map(str::to_owned);
                found.push(Row { limit, most, setting, answer, code });
            }
            [_, ..] if line.is_empty() => inside = false,
            _ => {}
        }
    }
    found
}

/// write-api with flags.
async fn limited(stack: &TestStack, flags: &[&str]) -> Beside {
    Beside::start(stack, "write-api", flags).await
}

/// Whether refusals are counted for this reason.
async fn is_counted(server: &Beside, reason: &str) {
    let line = format!("souk_requests_refused_total{{reason=\"{reason}\"}} ");
    eventually(reason, PATIENCE, async || {
        let metrics = said(&server.address, &get("/metrics")).await;
        let count = metrics.lines().find_map(|found| found.strip_prefix(&line)).unwrap_or_default();
        if count.trim() == "0" || count.is_empty() { Err(metrics) } else { Ok(()) }
    })
    .await;
}

/// A request without a body, after whose answer the server hangs up.
fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
}

/// All that a server says to this until it hangs up; nothing if it can't be reached.
async fn said(address: &str, text: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(address).await else { return String::new() };
    let (mut hears, mut says) = stream.split();
    let mut heard = Vec::new();
    // Who is cut off may hear and say no more; what came before counts.
    let both = async { tokio::join!(says.write_all(text.as_bytes()), hears.read_to_end(&mut heard)) };
    drop(tokio::time::timeout(PATIENCE, both).await.expect("it hangs up"));
    String::from_utf8_lossy(&heard).into_owned()
}

/// Fails unless this is what the row says of a client that passes the limit.
fn as_told(row: &Row, answer: &str) {
    if row.answer == "closed" {
        assert!(!answer.contains("HTTP/1.1 4") && !answer.contains("HTTP/1.1 5"), "{row:?}: {answer}");
        return;
    }
    assert!(answer.starts_with(&format!("HTTP/1.1 {} ", row.answer)), "{row:?}: {answer}");
    assert!(answer.contains("content-type: application/problem+json"), "{row:?}: {answer}");
    assert!(answer.contains(&format!("\"code\":\"{}\"", row.code)), "{row:?}: {answer}");
}

/// Fails if the answer is what the row says of a client that passes the limit.
fn within(row: &Row, answer: &str) {
    let refused = answer.starts_with(&format!("HTTP/1.1 {} ", row.answer)) && answer.contains(&row.code);
    assert!(!refused && answer.starts_with("HTTP/1.1 "), "{row:?}: {answer}");
}

#[tokio::test]
async fn each_limit_is_as_the_page_says() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "limits").await;
    let mut left: Vec<&str> = trials::ALL.to_vec();
    for row in rows() {
        trials::of(&row, &stack, &shop).await;
        left.retain(|trial| *trial != row.limit);
    }
    assert!(left.is_empty(), "the page does not name {left:?}");
}

#[test]
fn the_defaults_of_the_page_are_those_of_the_programs() {
    let options = HttpOptions::augment_args(Command::new("server"));
    for row in rows().into_iter().filter(|row| !row.setting.is_empty() && row.most != "any") {
        let flag =
            options.get_arguments().find(|flag| flag.get_long() == Some(row.setting.as_str())).expect(&row.setting);
        let default = flag.get_default_values().first().and_then(|value| value.to_str());
        assert_eq!(default, Some(row.most.as_str()), "{row:?}");
    }
}

/// A header of an answer as text.
fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[tokio::test]
async fn every_answer_of_every_server_protects_who_gets_it() {
    let stack = TestStack::start(false).await;
    let http = Client::new();
    let pages = ["/", "/console", "/storefront/storefront.js", "/console/console.js", "/storefront/nothing"];
    let everywhere = ["/health/live", "/health/ready", "/metrics", "/nowhere"];
    for (service, paths) in [
        (Service::WriteApi, &["/openapi.json", "/v1/products"][..]),
        (Service::QueryApi, &["/openapi.json", "/v1/search", "/v1/console/generations", "/v1/operations/x"]),
        (Service::QueryApi, &pages),
        (Service::Projector, &[]),
        (Service::Operator, &["/v1/operations/x"]),
    ] {
        for path in everywhere.iter().chain(paths) {
            let asked = http.get(format!("{}{path}", stack.stack.url(service))).header("accept", "text/html");
            let answer = asked.send().await.expect("an answer");
            let place = format!("{}{path}", service.name());
            assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{place}");
            assert_eq!(header(&answer, "x-frame-options"), "DENY", "{place}");
            assert_eq!(header(&answer, "referrer-policy"), "no-referrer", "{place}");
            assert_eq!(header(&answer, "cross-origin-resource-policy"), "same-origin", "{place}");
            let policy = header(&answer, "content-security-policy");
            assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{place}: {policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{place}: {policy}");
            assert!(answer.headers().get("strict-transport-security").is_none(), "{place}");
        }
    }
}

#[test]
fn the_tables_are_read() {
    let rows = rows();
    assert!(rows.len() >= 15, "{rows:?}");
    let uri = rows.iter().find(|row| row.code == "uri_too_long").expect("the address");
    assert_eq!((uri.most(), uri.answer.as_str(), uri.setting.as_str()), (8_192, "414", ""));
    assert!(rows.iter().all(|row| row.code.is_empty() == (row.answer == "closed")), "{rows:?}");
}
