//! Accounts by way of query-api, as pages reach them: they speak to their own origin alone.

use super::answer;
use acceptance::{
    eventually::eventually,
    shop::{PATIENCE, Shop},
    shopper::{PASSWORD, Shopper},
    stack::TestStack,
};
use launcher::stack::Service;
use reqwest::{Client, Method, RequestBuilder, header};
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr};

/// A browser at an address of the network, which asks at the host of a shop.
struct Page {
    http: Client,
    base: String,
    host: &'static str,
}

impl Page {
    fn at(stack: &TestStack, host: &'static str, address: Ipv4Addr) -> Self {
        let http = Client::builder().no_proxy().local_address(IpAddr::V4(address)).build().expect("a client");
        Self { http, base: stack.query_url(), host }
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).header(header::HOST, self.host)
    }
}

#[tokio::test]
async fn a_page_reaches_accounts_by_its_own_origin() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "through").await;
    let page = Page::at(&stack, "through.localhost:8081", Ipv4Addr::LOCALHOST);
    Shopper::sign_up(&stack, &shop, "ana@example.com").await;
    let asked = json!({"email": "ana@example.com", "password": PASSWORD});
    let (status, _, session) = answer(page.ask(Method::POST, "/v1/sessions").json(&asked)).await;
    assert_eq!(status, 201, "{session}");
    let token = session["access_token"].as_str().expect("a token");
    let me = page.ask(Method::GET, "/v1/me").bearer_auth(token).send().await.expect("an answer");
    assert_eq!(
        (me.status().as_u16(), &me.headers()[header::CACHE_CONTROL]),
        (200, &"no-store".parse().expect("a value"))
    );
    let version = me.headers()[header::ETAG].clone();
    let address = json!({"address": {"name": "Ana", "line1": "Calle 10", "city": "Bogotá", "country": "CO"}});
    let add = || {
        page.ask(Method::POST, "/v1/me/addresses").bearer_auth(token).header(header::IF_MATCH, &version).json(&address)
    };
    assert_eq!(answer(add()).await.0, 201);
    assert_eq!(answer(add()).await.0, 412, "the version goes along");
    // Another shop's host is another shop, and nothing but accounts is reached.
    let other = Page::at(&stack, "elsewhere.localhost", Ipv4Addr::LOCALHOST);
    assert_eq!(answer(other.ask(Method::POST, "/v1/sessions").json(&asked)).await.1, "tenant_not_found");
    let nowhere = Page::at(&stack, "127.0.0.1", Ipv4Addr::LOCALHOST);
    assert_eq!(answer(nowhere.ask(Method::POST, "/v1/sessions").json(&asked)).await.1, "tenant_required");
    for path in ["/v1/products/bulk", "/v1/tenants/x", "/v1/keys", "/v1/sessions/other", "/v1/me/..%2f..%2fmetrics"] {
        let (status, _, body) = answer(page.ask(Method::PUT, path).bearer_auth(token).json(&json!({}))).await;
        assert!(matches!(status, 400 | 404 | 405), "{path}: {status} {body}");
    }
    let large = json!({"email": "a".repeat(70_000), "password": PASSWORD});
    assert_eq!(answer(page.ask(Method::POST, "/v1/accounts").json(&large)).await.1, "too_large");
    // Pages of other origins are shown nothing, as by write-api.
    let foreign = page.ask(Method::GET, "/v1/me").bearer_auth(token).header(header::ORIGIN, "https://evil.example");
    let foreign = foreign.send().await.expect("an answer");
    assert!(!foreign.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), "{foreign:?}");
}

/// Attempts are counted for the address of whoever makes them, which they can't make up.
#[tokio::test]
async fn who_guesses_waits_and_nobody_else_does() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "guessed").await;
    Shopper::sign_up(&stack, &shop, "ana@example.com").await;
    let guessing = Page::at(&stack, "guessed.localhost", Ipv4Addr::new(127, 0, 0, 9));
    let person = Page::at(&stack, "guessed.localhost", Ipv4Addr::new(127, 0, 0, 10));
    let asked = |page: &Page, password: &str, claimed: &str| {
        let body = json!({"email": "ana@example.com", "password": password});
        page.ask(Method::POST, "/v1/sessions").header("x-forwarded-for", claimed.to_owned()).json(&body)
    };
    for number in 0..5 {
        let met = answer(asked(&guessing, "some-guess-1", &format!("203.0.113.{number}"))).await;
        assert_eq!(met.1, "sign_in_failed");
    }
    let refused = asked(&guessing, PASSWORD, "203.0.113.77").send().await.expect("an answer");
    assert_eq!(refused.status().as_u16(), 429);
    assert!(refused.headers()[header::RETRY_AFTER].to_str().expect("text").parse::<u32>().expect("seconds") >= 1);
    assert_eq!(answer(asked(&person, PASSWORD, "127.0.0.9")).await.0, 201);
}

#[tokio::test]
async fn while_write_api_is_away_pages_are_told_to_come_back() {
    let stack = TestStack::start(false).await;
    Shop::open(&stack, "away").await;
    let page = Page::at(&stack, "away.localhost", Ipv4Addr::LOCALHOST);
    stack.stack.kill(Service::WriteApi).expect("killed");
    eventually("write-api is away", PATIENCE, || async {
        let met = page.ask(Method::GET, "/v1/me").send().await.expect("an answer");
        let wait = met.headers().get(header::RETRY_AFTER).cloned();
        let status = met.status().as_u16();
        if (status, wait.is_some()) == (503, true) { Ok(()) } else { Err(format!("{status} {wait:?}")) }
    })
    .await;
    // What is read needs no write side.
    assert_eq!(answer(page.ask(Method::GET, "/v1/categories")).await.0, 200);
}
