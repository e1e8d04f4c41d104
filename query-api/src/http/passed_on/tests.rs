use super::*;
use axum::{
    Json,
    body::Body,
    http::{HeaderValue, StatusCode},
};
use serde_json::{Value, json};
use service::http::Peer;
use std::net::IpAddr;
use tokio::net::TcpListener;

/// A stand-in for write-api that tells what it was asked.
async fn stand_in() -> WriteApi {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let told = |method: Method, uri: Uri, headers: HeaderMap, body: String| async move {
        let of = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let names =
            ["host", "authorization", "x-tenant-slug", "if-match", "idempotency-key", "x-forwarded-for", "cookie"];
        let seen: Vec<Option<String>> = names.into_iter().map(of).collect();
        let answer = Json(json!({
            "method": method.as_str(), "uri": uri.to_string(), "headers": seen, "body": body,
        }));
        let kept = [("etag", "\"7\""), ("retry-after", "3"), ("cache-control", "no-store"), ("set-cookie", "a=b")];
        (StatusCode::TOO_MANY_REQUESTS, kept, answer)
    };
    let router = Router::new().fallback(told);
    tokio::spawn(async move { axum::serve(listener, router).await });
    WriteApi::at(format!("http://{address}/").parse().expect("an address"))
}

fn request(method: &str, uri: &str, body: Body) -> Request {
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .header("host", "lamps.localhost:8081")
        .header("authorization", "Bearer t")
        .header("x-tenant-slug", "lamps")
        .header("if-match", "\"3\"")
        .header("idempotency-key", "k")
        .header("x-forwarded-for", "203.0.113.5")
        .header("cookie", "c=d")
        .body(body)
        .expect("a request");
    request.extensions_mut().insert(Peer(IpAddr::from([192, 0, 2, 1])));
    request
}

async fn ask(write_api: &WriteApi, request: Request) -> Result<(StatusCode, HeaderMap, Value), Refusal> {
    let (parts, body) = passed_on(write_api, request).await?.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    Ok((parts.status, parts.headers, serde_json::from_slice(&body).expect("JSON")))
}

#[tokio::test]
async fn a_request_goes_on_as_it_came_with_the_address_of_who_made_it() {
    let write_api = stand_in().await;
    let asked = request("PUT", "/v1/me/addresses/0199%2Fa?tenant=lamps", Body::from("{}"));
    let (status, headers, told) = ask(&write_api, asked).await.expect("an answer");
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let expected = json!({
        "method": "PUT", "uri": "/v1/me/addresses/0199%2Fa?tenant=lamps", "body": "{}",
        "headers": ["lamps.localhost:8081", "Bearer t", "lamps", "\"3\"", "k", "192.0.2.1", null],
    });
    assert_eq!(told, expected, "what a client says of where it comes from is no matter, and cookies stay here");
    assert_eq!(
        (&headers["etag"], &headers["retry-after"]),
        (&"\"7\"".parse().expect("a value"), &"3".parse().expect("a value"))
    );
    assert_eq!(headers["cache-control"], "no-store");
    assert!(!headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn what_is_too_large_or_leads_elsewhere_stays_here() {
    let write_api = stand_in().await;
    let code = |refusal: Refusal| refusal.0.code;
    let large = request("POST", "/v1/accounts", Body::from(vec![b'a'; MAX_BODY + 1]));
    assert_eq!(ask(&write_api, large).await.map_err(code).expect_err("refused"), "too_large");
    assert!(ask(&write_api, request("POST", "/v1/accounts", Body::from(vec![b'a'; MAX_BODY]))).await.is_ok());
    for path in ["/v1/me/../products", "/v1/me/%2e%2E/products", "/v1/me/./x", "/v1/me/a/%2e"] {
        let refused = ask(&write_api, request("GET", path, Body::empty())).await;
        assert_eq!(refused.map_err(code).expect_err(path), "invalid_request");
    }
}

#[tokio::test]
async fn without_write_api_the_client_is_told_to_come_back() {
    // Nobody listens at the port any more.
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    let write_api = WriteApi::at(format!("http://{gone}").parse().expect("an address"));
    let refused = ask(&write_api, request("GET", "/v1/me", Body::empty())).await.expect_err("nobody answers");
    let answer = refused.into_response();
    assert_eq!(
        (answer.status(), &answer.headers()["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &HeaderValue::from_static("1"))
    );
}

/// A route that is not as its guard wants it ends the process at its start.
#[tokio::test]
async fn the_routes_can_be_made() {
    let pool = sqlx::PgPool::connect_lazy("postgres://nowhere/none").expect("a pool");
    let router = routes(Tenants::new(pool));
    assert!(router.has_routes());
}

#[test]
fn the_base_may_have_a_path() {
    let base: Url = "https://souk.internal/write/".parse().expect("an address");
    let uri: Uri = "/v1/sessions".parse().expect("a path");
    assert_eq!(address(&base, &uri).map(String::from).as_deref(), Some("https://souk.internal/write/v1/sessions"));
}
