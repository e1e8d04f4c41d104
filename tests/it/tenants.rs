//! What administrators do to shops, and how much a shop may ask.

mod deletion;
mod quotas;

use acceptance::{
    beside::Beside,
    builders::product_line,
    eventually::eventually,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// Status and code of a search at the shop's host, of a search with a key, and of a command with it.
async fn doors(stack: &TestStack, shop: &Shop, owner: &Shop) -> [(u16, String); 3] {
    let search = format!("{}/v1/search?q=lamp", stack.query_url());
    let visit = Client::new().get(search).header("host", format!("{}.localhost", shop.slug));
    let visit = Shop::answer(visit.send().await.expect("an answer")).await;
    let read = owner.read("/v1/search?q=lamp", None).await;
    let set = json!({"kind": "multi_way", "terms": ["sofa", "couch"]});
    let write = owner.request(Method::PUT, "/v1/merchandising/synonyms/sofas").header("if-match", "*").json(&set);
    let write = Shop::answer(write.send().await.expect("an answer")).await;
    [visit, read, write]
        .map(|answer| (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default().to_owned()))
}

#[tokio::test]
async fn a_suspended_shop_is_closed_to_all_but_administrators_and_loses_nothing() {
    let stack = TestStack::start(false).await;
    let (shop, other) = (Shop::open(&stack, "closing").await, Shop::open(&stack, "open").await);
    let token = shop.bulk_all("products", &[product_line("lamp", "Lamp")]).await;
    shop.search("lamp", &token).await;
    let owner = shop.with_key(&shop.key("owner", &[]).await.1);
    assert_eq!(doors(&stack, &shop, &owner).await.map(|(status, _)| status / 100), [2; 3]);
    let act = async |what: &str, body: Value| -> Value {
        let path = format!("/v1/tenants/closing/{what}");
        shop.command(Method::POST, &path, None, &body).await
    };
    let suspended = act("suspend", json!({"reason": "Unpaid since June"})).await;
    let closed = (403, "tenant_suspended".to_owned());
    eventually("it is closed", PATIENCE, || async {
        let met = doors(&stack, &shop, &owner).await;
        if met == [closed.clone(), closed.clone(), closed.clone()] { Ok(()) } else { Err(format!("{met:?}")) }
    })
    .await;
    let told = owner.read("/v1/search?q=lamp", None).await;
    assert_eq!(told.body["detail"], "Unpaid since June");
    // Administrators see it, and the others go on.
    assert_eq!(shop.read("/v1/search?q=lamp", suspended["token"].as_str()).await.body["total"], 1);
    assert_eq!(other.read("/v1/search?q=lamp", None).await.status, 200);
    assert_eq!(act("suspend", json!({"reason": "Unpaid since June"})).await["status"], "unchanged");
    act("resume", Value::Null).await;
    eventually("it is open again", PATIENCE, || async {
        let met = doors(&stack, &shop, &owner).await;
        if met.iter().all(|(status, _)| status / 100 == 2) { Ok(()) } else { Err(format!("{met:?}")) }
    })
    .await;
    assert_eq!(owner.read("/v1/search?q=lamp", None).await.body["total"], 1);
    let missing = shop.request(Method::POST, "/v1/tenants/nowhere/suspend").json(&json!({"reason": "x"})).send().await;
    assert_eq!(missing.expect("an answer").status(), 404);
}

#[tokio::test]
async fn a_shop_that_asks_too_much_waits_and_no_other_does() {
    let stack = TestStack::start(false).await;
    let (greedy, modest) = (Shop::open(&stack, "greedy").await, Shop::open(&stack, "modest").await);
    let keys = [greedy.key("owner", &[]).await.1, modest.key("owner", &[]).await.1];
    for (program, flags, path) in [
        ("query-api", ["--shop-reads-per-second", "1"], "/v1/categories"),
        ("write-api", ["--shop-commands-per-second", "1"], "/v1/keys"),
    ] {
        let server = Beside::start(&stack, program, &flags).await;
        let ask = async |key: &str| {
            let method = if program == "query-api" { Method::GET } else { Method::POST };
            let request = Client::new().request(method, server.url(path)).bearer_auth(key);
            request.json(&json!({"name": ""})).send().await.expect("an answer")
        };
        let mut refused = None;
        for _ in 0..20 {
            let answer = ask(&keys[0]).await;
            if answer.status() == 429 {
                refused = Some(answer);
                break;
            }
        }
        let refused = refused.unwrap_or_else(|| unreachable!("{program} takes whatever comes"));
        assert_eq!(refused.headers()["retry-after"], "1");
        assert_eq!(refused.json::<Value>().await.expect("JSON")["code"], "too_many_requests");
        assert_ne!(ask(&keys[1]).await.status(), 429, "{program}");
    }
}

/// The origin that an answer names, of a request by a page: with a key or at the shop's host; beforehand or itself.
async fn named(
    url: &str,
    origin: &str,
    key: Option<&str>,
    host: Option<&str>,
    beforehand: Option<&str>,
) -> Option<String> {
    let mut request = match beforehand {
        Some(_) => Client::new().request(Method::OPTIONS, url),
        None if url.ends_with("/v1/insights") => Client::new().post(url).json(&json!([])),
        None => Client::new().get(url),
    };
    request = request.header("origin", origin);
    for (name, value) in [("authorization", key.map(|key| format!("Bearer {key}"))), ("host", host.map(str::to_owned))]
    {
        request = value.into_iter().fold(request, |request, value| request.header(name, value));
    }
    if let Some(method) = beforehand {
        request = request.header("access-control-request-method", method);
        request =
            request.header("access-control-request-headers", "authorization,idempotency-key,souk-consistency-token");
    }
    let answer = request.send().await.expect("an answer");
    let headers = answer.headers();
    let varies: Vec<_> = headers.get_all("vary").iter().filter_map(|value| value.to_str().ok()).collect();
    assert!(varies.iter().any(|one| one.to_lowercase().contains("origin")), "{url}: a cache has to know: {varies:?}");
    headers.get("access-control-allow-origin").map(|value| value.to_str().expect("text").to_owned())
}

#[tokio::test]
async fn pages_that_a_shop_names_read_its_answers_and_no_others() {
    let stack = TestStack::start(false).await;
    let (shop, other) = (Shop::open(&stack, "paged").await, Shop::open(&stack, "unpaged").await);
    let (page, stranger) = ("https://paged.example", "https://stranger.example");
    let (key, others) = (shop.key("owner", &[]).await.1, other.key("search", &[]).await.1);
    let owner = shop.with_key(&key);
    let (read, write) = (format!("{}/v1/categories", stack.query_url()), format!("{}/v1/insights", stack.write_url()));
    // Before it names any.
    assert_eq!(named(&read, stranger, Some(&key), None, None).await.as_deref(), Some(stranger));
    assert_eq!(named(&write, stranger, Some(&key), None, None).await, None);
    let wrong = owner.request(Method::PUT, "/v1/origins").json(&json!({"origins": [page, "https://paged.example/"]}));
    let wrong = Shop::answer(wrong.send().await.expect("an answer")).await;
    assert_eq!((wrong.status.as_u16(), &wrong.body["errors"][0]["pointer"]), (422, &json!("/origins/1")), "{wrong:?}");
    let set = owner.command(Method::PUT, "/v1/origins", None, &json!({"origins": [page]})).await;
    let shown = owner.read("/v1/origins", set["token"].as_str()).await;
    assert_eq!((shown.fresh, &shown.body), (true, &json!({"origins": [page]})));
    let host = Some("paged.localhost");
    eventually("both servers know", PATIENCE, || async {
        let mut met = Vec::new();
        for url in [&read, &write] {
            for origin in [page, stranger] {
                met.push(named(url, origin, Some(&key), None, None).await);
                met.push(named(url, origin, None, host, None).await);
                met.push(named(url, origin, None, host, Some("POST")).await);
            }
        }
        let expected = |origin: Option<&str>| vec![origin.map(str::to_owned); 3];
        let expected = [expected(Some(page)), expected(None), expected(Some(page)), expected(None)].concat();
        if met == expected { Ok(()) } else { Err(format!("{met:?}")) }
    })
    .await;
    // Whose shop it is, is not known beforehand where no host says it.
    for url in [&read, &write] {
        assert_eq!(named(url, stranger, None, None, Some("POST")).await.as_deref(), Some(stranger));
    }
    // The other shop is as it was.
    assert_eq!(named(&read, stranger, Some(&others), None, None).await.as_deref(), Some(stranger));
    assert_eq!(other.read("/v1/origins", None).await.body, json!({"origins": []}));
    let again = owner.command(Method::PUT, "/v1/origins", None, &json!({"origins": [page]})).await;
    assert_eq!(again["status"], "unchanged");
}
