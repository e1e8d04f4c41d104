mod edges;

use super::*;
use crate::{
    Metrics,
    http::{BodyDeadline, in_own_time},
};
use axum::{
    body::{Body, Bytes},
    extract::Extension,
    middleware::from_fn,
    routing::{get, post},
};
use tokio::{sync::Notify, task::JoinHandle};

/// Far longer than anything here takes.
const SOON: Duration = Duration::from_secs(20);
/// No deadline that a test waits for.
const LONG: u64 = 600_000;

struct Running {
    address: SocketAddr,
    metrics: Metrics,
    shutdown: Shutdown,
    /// A request to `/wait` has come.
    come: Arc<Notify>,
    /// It may be answered.
    go: Arc<Notify>,
    served: JoinHandle<Result<(), ServeError>>,
}

fn patient() -> HttpOptions {
    HttpOptions {
        http_connections: 100,
        http_connections_per_peer: 100,
        http_header_ms: LONG,
        http_body_ms: LONG,
        http_request_ms: LONG,
        http_idle_ms: LONG,
        ..HttpOptions::default()
    }
}

/// A server whose `/wait` answers when it is told to.
async fn start(options: HttpOptions) -> Running {
    let (metrics, shutdown) = (Metrics::default(), Shutdown::default());
    let (come, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (comes, told) = (come.clone(), go.clone());
    let patient = (come.clone(), go.clone());
    let router = Router::new()
        .route(
            "/patient",
            get(move || async move {
                patient.0.notify_one();
                patient.1.notified().await;
                "at last"
            }),
        )
        .layer(from_fn(in_own_time))
        .route("/", get(|| async { "here" }))
        .route(
            "/wait",
            get(move || async move {
                comes.notify_one();
                told.notified().await;
            }),
        )
        .route("/read", post(|body: Bytes| async move { body }))
        .route(
            "/unbounded",
            post(|Extension(deadline): Extension<BodyDeadline>, body: Body| async move {
                deadline.lift();
                axum::body::to_bytes(body, 1_000).await.map_err(|_| "broken")
            }),
        )
        .route("/endless", get(|| async { "x".repeat(64 << 20) }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let served = tokio::spawn(serve(listener, router, options, Refusals::new(&metrics), shutdown.clone()));
    Running { address, metrics, shutdown, come, go, served }
}

impl Running {
    /// A client that has said this.
    async fn client(&self, said: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        stream.write_all(said.as_bytes()).await.expect("said");
        stream
    }

    /// Waits until a connection is answered again.
    async fn has_a_place_again(&self) {
        let again = async { while !heard_until(&mut self.client(ASK).await, "\r\n").await.contains("200 OK") {} };
        tokio::time::timeout(SOON, again).await.expect("a place");
    }

    async fn counted(&self, reason: &str) {
        let line = format!("souk_requests_refused_total{{reason=\"{reason}\"}} 1\n");
        let counted = async {
            while !self.metrics.text().contains(&line) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(SOON, counted).await.expect(reason);
    }

    async fn stop(self) {
        self.shutdown.trigger();
        tokio::time::timeout(SOON, self.served).await.expect("in time").expect("no panic").expect("served");
    }
}

/// All that comes until the server closes.
async fn heard(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    tokio::time::timeout(SOON, stream.read_to_end(&mut all)).await.expect("closed").expect("heard");
    String::from_utf8(all).expect("text")
}

/// What comes up to and with this text.
async fn heard_until(stream: &mut TcpStream, end: &str) -> String {
    let mut all = String::new();
    while !all.ends_with(end) {
        let byte = tokio::time::timeout(SOON, stream.read_u8()).await.expect("in time").expect("heard");
        all.push(char::from(byte));
    }
    all
}

const ASK: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn a_header_that_does_not_come_closes_the_connection() {
    let server = start(HttpOptions { http_header_ms: 100, ..patient() }).await;
    assert_eq!(heard(&mut server.client("GET / HTTP/1.1\r\nho").await).await, "");
    server.counted("header_not_sent").await;
    assert_eq!(heard(&mut server.client("").await).await, "", "who says nothing");
    assert_eq!(heard(&mut server.client("PRI * HTTP/2.0\r\n\r\nSM").await).await, "", "half a preface");
    let mut second = server.client(ASK).await;
    heard_until(&mut second, "here").await;
    second.write_all(b"GET /").await.expect("said");
    assert_eq!(heard(&mut second).await, "", "the second header");
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_408() {
    let server = start(HttpOptions { http_body_ms: 100, ..patient() }).await;
    let half = "POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n123";
    let answer = heard(&mut server.client(half).await).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("application/problem+json") && answer.contains("\"code\":\"request_timeout\""), "{answer}");
    server.counted("request_timeout").await;
    let whole = "POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n123";
    heard_until(&mut server.client(whole).await, "\r\n\r\n123").await;
    server.stop().await;
}

#[tokio::test]
async fn a_route_may_take_longer_over_its_body() {
    let server = start(HttpOptions { http_body_ms: 100, ..patient() }).await;
    let head = "POST /unbounded HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n123";
    let mut patient = server.client(head).await;
    // One that comes later and is cut off tells that the time is over.
    heard(&mut server.client(&head.replace("unbounded", "read")).await).await;
    patient.write_all(b"4567890").await.expect("said");
    heard_until(&mut patient, "1234567890").await;
    server.stop().await;
}

#[tokio::test]
async fn a_connection_more_than_there_are_places_for_is_answered_503() {
    let server = start(HttpOptions { http_connections: 1, ..patient() }).await;
    let mut first = server.client(ASK).await;
    heard_until(&mut first, "here").await;
    let refused = heard(&mut server.client(ASK).await).await;
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(refused.contains("\"code\":\"overloaded\""), "{refused}");
    server.counted("connections").await;
    drop(first);
    server.has_a_place_again().await;
    server.stop().await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_one_that_waits_for_its_answer_is_not() {
    let server = start(HttpOptions { http_idle_ms: 100, http_header_ms: 100, ..patient() }).await;
    let mut waiting = server.client("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let answer = heard(&mut server.client(ASK).await).await;
    assert!(answer.ends_with("here"), "{answer}");
    server.go.notify_one();
    assert!(heard(&mut waiting).await.starts_with("HTTP/1.1 200 "));
    server.stop().await;
}

#[tokio::test]
async fn an_answer_that_nobody_reads_closes_the_connection() {
    let server = start(HttpOptions { http_body_ms: 100, ..patient() }).await;
    let stream = server.client(&ASK.replace("GET /", "GET /endless")).await;
    server.counted("answer_not_read").await;
    drop(stream);
    server.stop().await;
}

#[tokio::test]
async fn a_request_in_flight_is_answered_when_the_server_stops() {
    let server = start(patient()).await;
    let mut idle = server.client(ASK).await;
    heard_until(&mut idle, "here").await;
    let mut waiting = server.client("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await;
    tokio::time::timeout(SOON, server.come.notified()).await.expect("it has come");
    server.shutdown.trigger();
    assert_eq!(heard(&mut idle).await, "", "closed at once");
    server.go.notify_one();
    assert!(heard(&mut waiting).await.starts_with("HTTP/1.1 200 "));
    server.stop().await;
}
