use super::*;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use futures::StreamExt;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

/// How the stand-in treats one request.
#[derive(Clone, Copy)]
enum Behaviour {
    Away,
    /// Applies everything, answers that many lines, and breaks the connection.
    BreakAfter(usize),
    /// Says of the first line that it was too late.
    Conflict,
    Whole,
}

/// A stand-in for the write API that remembers how often each line was applied.
#[derive(Clone)]
struct StandIn {
    script: Arc<Mutex<Vec<Behaviour>>>,
    applied: Arc<Mutex<HashMap<String, u64>>>,
    requests: Arc<Mutex<Vec<usize>>>,
}

async fn bulk(State(stand_in): State<StandIn>, body: String) -> Response {
    let behaviour = {
        let mut script = stand_in.script.lock().expect("a lock");
        if script.is_empty() { Behaviour::Whole } else { script.remove(0) }
    };
    stand_in.requests.lock().expect("a lock").push(body.lines().count());
    if matches!(behaviour, Behaviour::Away) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let mut answers = Vec::new();
    for (index, line) in body.lines().enumerate() {
        if matches!(behaviour, Behaviour::Conflict) && index == 0 {
            let problem = schemas::problem::Problem::new(schemas::problem::Code::VersionConflict);
            answers.push(json!({"line": 1, "status": "rejected", "problem": problem}));
            continue;
        }
        let mut applied = stand_in.applied.lock().expect("a lock");
        let known = applied.insert(line.to_owned(), index as u64).is_some();
        let id = schemas::Uuid::from_u128(u128::from(line.as_bytes()[0]));
        answers.push(
            json!({"line": index + 1, "status": if known { "unchanged" } else { "created" }, "id": id, "version": 1}),
        );
    }
    let summary = json!({"summary": {"lines": answers.len()}});
    let (kept, last) = match behaviour {
        Behaviour::BreakAfter(lines) => (lines, Err(std::io::Error::other("broken"))),
        _ => (answers.len(), Ok(as_part(&summary))),
    };
    let parts: Vec<_> = answers[..kept].iter().map(|answer| Ok(as_part(answer))).collect();
    // What comes before the last part is sent off while the last one is waited for.
    let last = futures::stream::once(async move {
        tokio::task::yield_now().await;
        last
    });
    Body::from_stream(futures::stream::iter(parts).chain(last)).into_response()
}

fn as_part(value: &Value) -> Bytes {
    Bytes::from(format!("{value}\n"))
}

async fn start(script: &[Behaviour]) -> (StandIn, WriteClient) {
    let stand_in =
        StandIn { script: Arc::new(Mutex::new(script.to_vec())), applied: Arc::default(), requests: Arc::default() };
    let router = Router::new().route("/v1/products/bulk", post(bulk)).with_state(stand_in.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (stand_in, WriteClient::new(&base, "demo", HeaderMap::new(), Duration::from_secs(20)).expect("a client"))
}

fn lines(names: &str) -> Vec<String> {
    names.chars().map(|name| name.to_string()).collect()
}

#[tokio::test]
async fn every_line_is_settled_although_the_write_api_comes_and_goes() {
    let script = [Behaviour::Away, Behaviour::BreakAfter(3), Behaviour::Away, Behaviour::BreakAfter(0)];
    let (stand_in, client) = start(&script).await;
    let answers = client.send(Bulk::Products, &lines("abcdefgh"), OnError::Skip, false).await.expect("settled");
    assert_eq!(answers.lines.len(), 8);
    assert_eq!(answers.token.len(), 8);
    assert_eq!(stand_in.applied.lock().expect("a lock").len(), 8);
    // What was answered before the connection broke is not sent again.
    assert_eq!(*stand_in.requests.lock().expect("a lock"), [8, 8, 5, 5, 5]);
    assert!(answers.lines[..3].iter().all(|answer| answer.status == LineStatus::Created));
}

#[tokio::test]
async fn one_transaction_that_broke_off_is_sent_again_whole() {
    let (stand_in, client) = start(&[Behaviour::BreakAfter(3)]).await;
    client.send(Bulk::Products, &lines("abcde"), OnError::AllOrNothing, false).await.expect("settled");
    assert_eq!(*stand_in.requests.lock().expect("a lock"), [5, 5]);
}

#[tokio::test]
async fn a_line_that_came_too_late_is_tried_again_alone() {
    let (stand_in, client) = start(&[Behaviour::Conflict, Behaviour::Conflict]).await;
    let answers = client.send(Bulk::Products, &lines("abc"), OnError::Skip, false).await.expect("settled");
    assert_eq!(*stand_in.requests.lock().expect("a lock"), [3, 1, 1]);
    assert!(answers.lines.iter().all(|answer| answer.status == LineStatus::Created));
}

#[tokio::test]
async fn a_line_that_is_always_too_late_is_rejected_in_the_end() {
    let (_, client) = start(&[Behaviour::Conflict; 20]).await;
    let answers = client.send(Bulk::Products, &lines("ab"), OnError::Skip, false).await.expect("settled");
    assert_eq!((answers.lines[0].status, answers.lines[1].status), (LineStatus::Rejected, LineStatus::Created));
}

#[tokio::test]
async fn a_write_api_that_stays_away_ends_the_import_with_what_to_do() {
    let client =
        WriteClient::new("http://127.0.0.1:9", "demo", HeaderMap::new(), Duration::from_millis(120)).expect("a client");
    let error = client.send(Bulk::Products, &lines("a"), OnError::Skip, false).await.expect_err("given up").to_string();
    assert!(error.contains("http://127.0.0.1:9") && error.contains("souk status"), "{error}");
}

#[tokio::test]
async fn a_refused_request_is_not_tried_again() {
    let (stand_in, client) = start(&[]).await;
    let error = client.send(Bulk::Stock, &lines("a"), OnError::Skip, false).await.expect_err("no such route");
    assert!(matches!(error, ImportError::Refused { .. }), "{error}");
    assert_eq!(stand_in.requests.lock().expect("a lock").len(), 0);
}
