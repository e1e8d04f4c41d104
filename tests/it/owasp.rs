//! The OWASP API Security Top 10 of 2023, a test for each by its number. What a risk comes to here stands in SECURITY.md.

use acceptance::{
    builders::product_line,
    eventually::eventually,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use futures::{FutureExt, future::join_all};
use reqwest::{Client, Method};
use schemas::events::access::KeyKind;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Two shops with a product of the first, and somebody who owns the second.
struct Neighbours {
    stack: TestStack,
    shop: Shop,
    product: String,
    stranger: Shop,
}

impl Neighbours {
    async fn start() -> Self {
        let stack = TestStack::start(false).await;
        let (shop, other) = (Shop::open(&stack, "victim").await, Shop::open(&stack, "stranger").await);
        let token = shop.bulk_all("products", &[product_line("lamp", "Lamp of ours")]).await;
        let found = shop.search("lamp", &token).await;
        let product = found.body["hits"][0]["id"].as_str().expect("an id").to_owned();
        let stranger = other.with_key(&other.key("owner", &[]).await.1);
        Self { stack, shop, product, stranger }
    }
}

async fn status(shop: &Shop, method: Method, path: &str, body: &Value) -> (u16, String) {
    let answer = shop.request(method, path).header("if-match", "*").json(body).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.unwrap_or_default())
}

#[tokio::test]
async fn api1_objects_of_another_shop_are_not_there() {
    let Neighbours { stack: _stack, shop, product, stranger } = Neighbours::start().await;
    let (key, _) = shop.key("staff", &["catalog.write"]).await;
    for path in [format!("/v1/products/{product}"), format!("/v1/products/{product}/similar")] {
        assert_eq!(stranger.read(&path, None).await.status, 404, "{path}");
    }
    for path in [format!("/v1/products/{product}"), format!("/v1/keys/{key}")] {
        let (status, text) = status(&stranger, Method::DELETE, &path, &Value::Null).await;
        assert_eq!(status, 404, "{path}: {text}");
    }
    assert_eq!(shop.read(&format!("/v1/products/{product}"), None).await.status, 200, "it is still there");
    let keys = shop.read("/v1/keys", None).await.body;
    assert_eq!(keys["keys"][0]["revoked_at"], Value::Null, "{keys}");
}

#[tokio::test]
async fn api2_made_up_keys_open_nothing_and_keep_nobody_out() {
    let Neighbours { stack, shop, .. } = Neighbours::start().await;
    let known = shop.with_key(&shop.key("search", &[]).await.1);
    let (http, url) = (Client::new(), format!("{}/v1/search?q=lamp", stack.query_url()));
    let opened = AtomicUsize::new(0);
    let guesses = (0..400_u16).map(|number| {
        let mut secret = [0; 32];
        secret[..2].copy_from_slice(&number.to_be_bytes());
        let request = http.get(&url).bearer_auth(access::key::text(KeyKind::Owner, secret));
        let opened = &opened;
        async move {
            let status = request.send().await.expect("an answer").status();
            opened.fetch_add(usize::from(status != 401), Ordering::Relaxed);
        }
    });
    let reads = async {
        for _ in 0..50 {
            assert_eq!(known.read("/v1/search?q=lamp", None).await.status, 200);
        }
    };
    tokio::join!(join_all(guesses), reads);
    assert_eq!(opened.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn api3_no_property_is_set_or_shown_that_is_not_the_callers() {
    let Neighbours { stack: _stack, shop, product, .. } = Neighbours::start().await;
    for name in ["tenant_id", "version", "doc_version", "created_at", "is_admin"] {
        let mut body = product_line("other", "Other");
        body[name] = json!("0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b");
        let (status, text) = status(&shop, Method::POST, "/v1/products", &body).await;
        assert_eq!(status, 400, "{name}: {text}");
    }
    shop.key("search", &[]).await;
    let keys = shop.read("/v1/keys", None).await.body.to_string();
    assert!(!keys.contains("digest") && !keys.contains("signing_key"), "{keys}");
    let visitor = shop.with_key(&shop.key("search", &[]).await.1);
    let page = visitor.read(&format!("/v1/products/{product}"), None).await.body.to_string();
    assert!(!page.contains("tenant_id"), "{page}");
}

#[tokio::test]
async fn api4_what_costs_much_is_refused() {
    let Neighbours { stack, shop, .. } = Neighbours::start().await;
    let visitor = shop.with_key(&shop.key("search", &[]).await.1);
    let filter = "(".repeat(40) + "brand:x" + &")".repeat(40);
    for path in [
        "/v1/search?limit=100000".to_owned(),
        "/v1/search?offset=100000000".to_owned(),
        "/v1/search?facets=brand&facet_limit=100000".to_owned(),
        format!("/v1/search?q={}", "a".repeat(600)),
        format!("/v1/search?filter={filter}"),
        "/v1/suggest?q=a&limit=1000".to_owned(),
    ] {
        assert_eq!(visitor.read(&path, None).await.status, 400, "{path}");
    }
    let many = json!({"searches": vec![json!({"q": "lamp"}); 21]});
    let sent = Client::new().post(format!("{}/v1/search/multi", stack.query_url())).json(&many);
    let sent = sent.bearer_auth(stack.stack.admin_key().expect("the key")).header("x-tenant-slug", &shop.slug);
    assert_eq!(sent.send().await.expect("an answer").status(), 400);
}

#[tokio::test]
async fn api5_no_way_of_writing_a_request_reaches_a_function_of_others() {
    let Neighbours { stack, shop, .. } = Neighbours::start().await;
    let (id, owner) = shop.key("owner", &[]).await;
    let search = shop.key("search", &[]).await.1;
    let (http, base) = (Client::new(), stack.write_url());
    for path in [
        "/v1/keys/ID",
        "/v1//keys/ID",
        "/v1/./keys/ID",
        "/V1/KEYS/ID",
        "/v1/keys/ID/",
        "/v1/keys%2FID",
        "/v1/x/..%2Fkeys/ID",
    ] {
        let url = format!("{base}{}", path.replace("ID", &id));
        for method in [Method::DELETE, Method::GET, Method::POST, Method::PUT, Method::HEAD, Method::OPTIONS] {
            let sent = http.request(method.clone(), &url).bearer_auth(&search);
            let sent =
                sent.header("x-http-method-override", "DELETE").header("x-original-url", format!("/v1/keys/{id}"));
            let answer = sent.send().await.expect("an answer");
            let status = answer.status();
            // What browsers ask beforehand is answered on every path of a route, and does nothing.
            let is_asked = method == Method::OPTIONS && status == 200 && answer.content_length() == Some(0);
            assert!(status.is_client_error() || is_asked, "{method} {url}: {status}");
        }
    }
    assert_eq!(shop.with_key(&owner).read("/v1/keys", None).await.status, 200, "the key is still one");
}

#[tokio::test]
async fn api6_a_report_that_is_sent_often_counts_once() {
    let Neighbours { stack: _stack, shop, product, .. } = Neighbours::start().await;
    let now = schemas::Utc::now();
    let click = json!({"type": "event", "action_name": "click", "client_id": "c", "query_id": "q", "timestamp": now,
        "event_attributes": {"object": {"object_id": product, "object_id_field": "product_id"}}});
    let visitor = shop.with_key(&shop.key("search", &[]).await.1);
    let mut counted = 0;
    for _ in 0..20 {
        let (status, text) = status(&visitor, Method::POST, "/v1/insights", &json!([click])).await;
        assert_eq!(status, 200, "{text}");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        counted += answer["accepted"].as_u64().expect("a count");
    }
    assert_eq!(counted, 1);
}

#[tokio::test]
async fn api7_no_address_that_a_client_sends_is_fetched() {
    let Neighbours { stack: _stack, shop, .. } = Neighbours::start().await;
    let trap = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut line = product_line("bait", "Bait");
    let address = format!("http://{}/picture.jpg", trap.local_addr().expect("an address"));
    line["images"] = json!([{"url": address}]);
    let token = shop.bulk_all("products", &[line]).await;
    let found = shop.search("bait", &token).await;
    assert_eq!(found.body["total"], 1, "it has come all the way: {found:?}");
    assert!(trap.accept().now_or_never().is_none(), "somebody fetched it");
}

#[tokio::test]
async fn api8_errors_say_nothing_of_the_program() {
    let Neighbours { stack, shop, .. } = Neighbours::start().await;
    let junk = [
        "/v1/search?q=%FF%FE",
        "/v1/products/%00",
        "/v1/search?filter=%27%3BDROP",
        "/v1/categories/%F0%9F%92%A9/products",
        "/%2e%2e/etc/passwd",
    ];
    let words = ["sqlx", "panicked", "tantivy", ".rs:", "postgres", "SELECT", "stack backtrace", "/work/", "/home/"];
    for path in junk {
        let answer = shop.read(path, None).await;
        let text = answer.body.to_string();
        assert!(!answer.status.is_server_error(), "{path}: {text}");
        assert!(!words.iter().any(|word| text.contains(word)), "{path}: {text}");
    }
    for url in [stack.write_url(), stack.query_url()] {
        let answer = Client::new().get(format!("{url}/nowhere")).send().await.expect("an answer");
        assert!(!answer.headers().contains_key("server") && !answer.headers().contains_key("x-powered-by"));
    }
}

#[tokio::test]
async fn api9_what_is_served_is_in_the_documents() {
    let Neighbours { stack, shop, .. } = Neighbours::start().await;
    let owner = shop.key("owner", &[]).await.1;
    for (base, version) in [(stack.write_url(), "/v0"), (stack.query_url(), "/v2")] {
        for path in ["/v1/debug", "/v1/internal", "/admin", "/debug/pprof", "/graphql", "/.env", "/swagger", version] {
            let answer = Client::new().get(format!("{base}{path}")).bearer_auth(&owner).send().await;
            assert_eq!(answer.expect("an answer").status(), 404, "{base}{path}");
        }
        let document: Value =
            reqwest::get(format!("{base}/openapi.json")).await.expect("an answer").json().await.expect("JSON");
        assert!(document["paths"].as_object().is_some_and(|paths| paths.keys().all(|path| path.starts_with("/v1/"))));
    }
}

#[tokio::test]
async fn api10_what_others_send_is_read_as_data() {
    let Neighbours { stack: _stack, shop, .. } = Neighbours::start().await;
    let script = "<img src=x onerror=alert(1)>";
    let mut line = product_line("hostile", "Hostile lamp");
    line["description"] = json!(format!("{script} ${{jndi:ldap://x}} {{{{7*7}}}} '; DROP TABLE products; --"));
    let token = shop.bulk_all("products", &[line]).await;
    eventually("it is found", PATIENCE, || async {
        let found = shop.read("/v1/search?q=hostile&highlight=true", Some(&token)).await;
        if found.body["total"] == 1 { Ok(()) } else { Err(found.body.to_string()) }
    })
    .await;
    let found = shop.read("/v1/search?q=hostile&highlight=true", Some(&token)).await;
    let marked = found.body["hits"][0]["highlight"].to_string();
    assert!(!marked.contains("<img"), "{marked}");
}
