//! One request's trace, from the command through Kafka to the index, as a collector receives it.

use acceptance::{
    builders::product_line,
    eventually::eventually,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use axum::{Router, body::Bytes, extract::State, routing::post};
use std::sync::{Arc, Mutex};

type Received = Arc<Mutex<Vec<Bytes>>>;

async fn collector() -> (String, Received) {
    let received = Received::default();
    let take = |State(received): State<Received>, body: Bytes| async move {
        received.lock().expect("no panic").push(body);
    };
    let router = Router::new().route("/v1/traces", post(take)).with_state(received.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}"), received)
}

fn holds(body: &[u8], what: &[u8]) -> bool {
    body.windows(what.len()).any(|window| window == what)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_traced_from_its_request_to_the_index() {
    let (url, received) = collector().await;
    let stack = TestStack::traced(url).await;
    let shop = Shop::open(&stack, "traced").await;
    let trace: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
    let answer = shop
        .request(reqwest::Method::POST, "/v1/products/bulk")
        .header("traceparent", format!("00-{trace:032x}-00f067aa0ba902b7-01"))
        .header("content-type", "application/x-ndjson")
        .body(product_line("t-1", "Traced thing").to_string())
        .send()
        .await
        .expect("an answer");
    assert!(answer.status().is_success(), "{answer:?}");
    // In OTLP's protobuf a trace's id stands as sixteen bytes, names as text.
    let id = trace.to_be_bytes();
    for (service, span) in [
        ("write-api", "http.request"),
        ("projector", "relay.event"),
        ("projector", "views.event"),
        ("projector", "index.document"),
    ] {
        eventually(&format!("{service} sends the span {span}"), PATIENCE, || async {
            let bodies = received.lock().map_err(|error| error.to_string())?;
            let found = bodies
                .iter()
                .any(|body| holds(body, &id) && holds(body, service.as_bytes()) && holds(body, span.as_bytes()));
            if found { Ok(()) } else { Err(format!("{} exports", bodies.len())) }
        })
        .await;
    }
}
