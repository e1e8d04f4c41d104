//! Who may call which route: every operation of both OpenAPI documents, asked without a key, with one that nobody has, and by an
//! administrator. What has to come follows from what the document says.

use acceptance::{shop::Shop, stack::TestStack};
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// Operations of a document: method, path with something in each parameter, and who may call it.
fn operations(name: &str) -> Vec<(Method, String, String)> {
    let path = format!("{}/../docs/openapi/{name}", env!("CARGO_MANIFEST_DIR"));
    let document: Value = serde_json::from_str(&std::fs::read_to_string(path).expect(name)).expect("JSON");
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let parts = path.split('/').map(|part| if part.starts_with('{') { "0199" } else { part });
        let filled = parts.collect::<Vec<_>>().join("/");
        for (method, operation) in methods.as_object().expect("methods") {
            let method = method.to_uppercase().parse().expect("a method");
            let access = operation["x-souk-access"].as_str().expect(path);
            found.push((method, filled.clone(), access.to_owned()));
        }
    }
    found
}

/// What a route of each kind answers without a key, and with one that nobody has.
fn expected(access: &str) -> [bool; 2] {
    match access {
        "anybody" => [true, true],
        "shopper" => [true, false],
        other => {
            assert!(other == "admin" || other.starts_with("staff "), "a kind without a case: {other}");
            [false, false]
        }
    }
}

/// Whether a request is let in, whatever is answered there.
async fn enters(http: &Client, method: &Method, url: &str, slug: &str, key: Option<&str>) -> bool {
    let request = http.request(method.clone(), url).header("x-tenant-slug", slug);
    let request = if *method == Method::GET { request } else { request.json(&json!({})) };
    let request = key.into_iter().fold(request, |request, key| request.bearer_auth(key));
    let answer = request.send().await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body: Value = answer.json().await.unwrap_or_default();
    assert!(status < 500 || status == 503, "{method} {url}: {status} {body}");
    if status == 401 {
        assert_eq!(body["code"], "unauthorized", "{method} {url}");
        assert_eq!(headers["www-authenticate"], "Bearer", "{method} {url}");
    }
    status != 401
}

#[tokio::test]
async fn every_route_lets_in_whom_its_document_names() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "guarded").await;
    let (http, key) = (Client::new(), stack.stack.admin_key().expect("the admin key"));
    let mut kinds = std::collections::BTreeSet::new();
    for (name, base) in [("query-api.json", stack.query_url()), ("write-api.json", stack.write_url())] {
        for (method, path, access) in operations(name) {
            let url = format!("{base}{path}");
            let wanted = expected(&access);
            let asked = [
                enters(&http, &method, &url, &shop.slug, None).await,
                enters(&http, &method, &url, &shop.slug, Some("guessed")).await,
            ];
            assert_eq!(asked, wanted, "{method} {url} is for: {access}");
            assert!(enters(&http, &method, &url, &shop.slug, Some(&key)).await, "{method} {url}");
            kinds.insert(access);
        }
    }
    assert!(kinds.len() >= 6, "{kinds:?}");
    // Those that no document lists.
    for path in ["/v1/operations/status", "/v1/console/road", "/v1/console/letters"] {
        let url = format!("{}{path}", stack.query_url());
        assert!(!enters(&http, &Method::GET, &url, &shop.slug, None).await, "{path}");
        assert!(enters(&http, &Method::GET, &url, &shop.slug, Some(&key)).await, "{path}");
    }
}

#[tokio::test]
async fn nothing_that_is_refused_is_done() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "closed").await;
    let stranger = shop.without_key();
    let line = json!({"external_id": "a", "title": "Lamp of a stranger", "variants": [{"sku": "a"}], "publish": true});
    let sent = stranger.request(Method::POST, "/v1/products/bulk").body(format!("{line}\n")).send().await;
    assert_eq!(sent.expect("an answer").status(), 401);
    let opened = stranger.request(Method::PUT, "/v1/tenants/of-a-stranger").json(&json!({"name": "x"})).send().await;
    assert_eq!(opened.expect("an answer").status(), 401);
    let tenants: i64 = sqlx::query_scalar("SELECT count(*) FROM tenants.tenants WHERE slug = 'of-a-stranger'")
        .fetch_one(&stack.write)
        .await
        .expect("counted");
    let products: i64 =
        sqlx::query_scalar("SELECT count(*) FROM catalog.products").fetch_one(&stack.write).await.expect("counted");
    assert_eq!((tenants, products), (0, 0));
}
