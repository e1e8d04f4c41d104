//! The road from a command to a search hit, and back out again.

use acceptance::{
    builders::{price_line, product_line, stock_line},
    eventually::eventually,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use launcher::stack::Service;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_product_travels_from_its_command_to_the_shopper_and_away_again() {
    let stack = TestStack::start(true).await;
    let shop = Shop::open(&stack, "road").await;
    let category =
        shop.command(Method::POST, "/v1/categories", None, &json!({"name": "Kettles", "slug": "kettles"})).await;
    let product = json!({
        "external_id": "k-1", "slug": "gooseneck", "title": "Gooseneck kettle", "brand": "Acme",
        "category_ids": [category["id"]], "variants": [{"sku": "K-1"}],
    });
    let request = shop.request(Method::POST, "/v1/products").header("x-correlation-id", "road-test-1").json(&product);
    let created: Value = request.send().await.expect("answered").json().await.expect("JSON");
    let (id, token) = (text(&created["id"]), text(&created["token"]));
    assert!(shop.search("gooseneck", &token).await.titles().is_empty(), "a draft is not found");

    let published = shop.command(Method::POST, &format!("/v1/products/{id}/publish"), Some(1), &json!({})).await;
    assert_eq!(shop.search("gooseneck", &text(&published["token"])).await.titles(), ["Gooseneck kettle"]);
    shop.until_it_embeds().await;
    let found = shop.read("/v1/search?mode=semantic&q=boil+water+for+tea", Some(&text(&published["token"]))).await;
    assert!(found.fresh, "{found:?}");
    assert_eq!(found.titles(), ["Gooseneck kettle"], "vectors honour the token, too");

    let prices = shop.bulk_all("prices", &[price_line("k-1", 4_999)].map(|line| with_sku(line, "K-1"))).await;
    let stock = shop.bulk_all("stock", &[stock_line("k-1", 7)].map(|line| with_sku(line, "K-1"))).await;
    let both = format!("{prices},{stock}");
    let hit = shop.search("gooseneck", &both).await.body["hits"][0].clone();
    assert_eq!((&hit["prices"]["USD"]["min"], &hit["available"]), (&json!(4_999), &json!(true)));
    pages_show_it(&shop, &id, &both).await;

    let changed =
        json!({"external_id": "k-1", "slug": "gooseneck", "title": "Swan neck kettle", "variants": [{"sku": "K-1"}]});
    let changed = shop.command(Method::PUT, &format!("/v1/products/{id}"), Some(2), &changed).await;
    let token = text(&changed["token"]);
    assert!(shop.search("gooseneck", &token).await.titles().is_empty());
    assert_eq!(shop.search("swan", &token).await.titles(), ["Swan neck kettle"]);
    let archived = shop.command(Method::POST, &format!("/v1/products/{id}/archive"), Some(3), &json!({})).await;
    assert!(shop.search("swan", &text(&archived["token"])).await.titles().is_empty());
    let log = stack.log(Service::Projector);
    assert!(log.contains("road-test-1"), "the request's correlation id is in the projector's log");
    lag_and_metrics_tell_of_it(&stack, &shop).await;
}

async fn pages_show_it(shop: &Shop, id: &str, token: &str) {
    for path in [
        format!("/v1/products/{id}"),
        "/v1/products/by-slug/gooseneck".into(),
        "/v1/products/by-external-id/k-1".into(),
    ] {
        let page = shop.read(&path, Some(token)).await;
        assert!(page.fresh, "{page:?}");
        let variant = &page.body["variants"][0];
        assert_eq!((&variant["prices"]["USD"]["amount"], &variant["on_hand"]), (&json!(4_999), &json!(7)), "{path}");
        assert_eq!(page.body["version"], 2, "what If-Match has to name");
    }
    let listing = shop.read("/v1/categories/kettles/products", Some(token)).await;
    assert_eq!((&listing.body["total"], &listing.body["products"][0]["id"]), (&json!(1), &json!(id)));
    let tree = shop.read("/v1/categories", Some(token)).await;
    assert_eq!(tree.body["categories"][0]["products"], 1);
}

async fn lag_and_metrics_tell_of_it(stack: &TestStack, shop: &Shop) {
    eventually("no projection is behind", PATIENCE, || async {
        let lag = shop.read("/v1/status/lag", None).await.body;
        let projections: Vec<&Value> = lag["projections"].as_array().into_iter().flatten().collect();
        let names = ["embed", "index", "relay:catalog", "views"];
        let all = names.iter().all(|name| projections.iter().any(|p| p["projection"] == *name && p["lag_events"] == 0));
        if all { Ok(()) } else { Err(lag.to_string()) }
    })
    .await;
    let metrics = |service| async move {
        reqwest::get(format!("{}/metrics", stack.stack.url(service)))
            .await
            .expect("answered")
            .text()
            .await
            .expect("text")
    };
    let projector = metrics(Service::Projector).await;
    for name in [
        "souk_outbox_depth",
        "souk_projection_lag_events",
        "souk_write_to_searchable_seconds_bucket",
        "souk_index_documents",
    ] {
        assert!(projector.contains(name), "{name}");
    }
    assert!(metrics(Service::WriteApi).await.contains("souk_commands_total"));
    assert!(metrics(Service::QueryApi).await.contains("souk_query_answers_total"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_with_the_token_of_a_write_is_never_stale() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "fresh").await;
    for number in 0..100 {
        let (id, title) = (format!("f-{number}"), format!("Thing zx{number}q"));
        let token = shop.bulk_all("products", &[product_line(&id, &title)]).await;
        assert_eq!(shop.search(&format!("zx{number}q"), &token).await.titles(), [title]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_tenant_has_no_other_sees() {
    let stack = TestStack::start(false).await;
    let (ours, theirs) = (Shop::open(&stack, "ours").await, Shop::open(&stack, "theirs").await);
    let tree = [json!({"external_id": "c", "name": "Lamps", "slug": "lamps", "position": 1})];
    ours.bulk_all("categories", &tree).await;
    let mut line = product_line("same", "Lamp of ours");
    line["categories"] = json!(["c"]);
    let token = ours.bulk_all("products", &[line]).await;
    // The same external id, slug and SKU are free in another shop.
    let other = theirs.bulk_all("products", &[product_line("same", "Lamp of theirs")]).await;
    let found = ours.search("lamp", &token).await;
    assert_eq!(found.titles(), ["Lamp of ours"]);
    assert_eq!(theirs.search("lamp", &other).await.titles(), ["Lamp of theirs"]);
    let id = text(&found.body["hits"][0]["id"]);
    let slug = text(&found.body["hits"][0]["slug"]);
    let words = json!({"kind": "multi_way", "terms": ["lamp", "light"]});
    let words = ours.command(Method::PUT, "/v1/merchandising/synonyms/lamps", None, &words).await;
    assert!(ours.read("/v1/merchandising/synonyms/lamps", words["token"].as_str()).await.fresh);
    let now = schemas::Utc::now();
    let search = json!({"type": "query", "query_id": "q", "client_id": "c", "user_query": "lamp", "arm": "e/a", "timestamp": now});
    let click = json!({"type": "event", "action_name": "click", "query_id": "q", "client_id": "c", "timestamp": now,
        "event_attributes": {"object": {"object_id": id}}});
    let reported = ours.command(Method::POST, "/v1/insights", None, &json!([search, click])).await;
    let figures = ours.read("/v1/insights/experiments/e", reported["token"].as_str()).await;
    assert_eq!((figures.fresh, &figures.body["arms"][0]["clicks"]), (true, &json!(1)));
    // Each read route of one, asked by the other; a new route has to say here what it shows.
    let api = theirs.read("/openapi.json", None).await.body;
    for route in api["paths"].as_object().expect("paths").keys() {
        match route.as_str() {
            "/v1/search"
            | "/v1/suggest"
            | "/v1/facets/{field}"
            | "/v1/products/by-slug/{slug}"
            | "/v1/products/by-external-id/{id}" => {
                let path = route.replace("{slug}", &slug).replace("{id}", "same").replace("{field}", "category");
                let path = if route == "/v1/suggest" { format!("{path}?q=lamp") } else { path };
                let body = theirs.read(&path, None).await.body.to_string();
                assert!(!body.contains("Lamp of ours") && !body.contains(&id), "{path}: {body}");
            }
            "/v1/search/multi" => {
                let request = reqwest::Client::new().post(format!("{}{route}", stack.query_url()));
                let searches = json!({"searches": [{"q": "lamp"}]});
                let answer = request.header("x-tenant-slug", "theirs").json(&searches).send().await.expect("answered");
                let body = Shop::answer(answer).await.body.to_string();
                assert!(body.contains("Lamp of theirs") && !body.contains("Lamp of ours"), "{body}");
            }
            "/v1/search/why/{product}" => {
                let body = theirs.read(&format!("/v1/search/why/{id}?q=lamp"), None).await.body;
                assert!(body["found"] != true && !body.to_string().contains("Lamp of ours"), "{body}");
            }
            "/v1/products/{id}" | "/v1/products/{id}/similar" => {
                assert_eq!(
                    theirs.read(&route.replace("{id}", &id), None).await.status,
                    StatusCode::NOT_FOUND,
                    "{route}"
                );
            }
            "/v1/categories" => assert_eq!(theirs.read(route, None).await.body["categories"], json!([])),
            "/v1/categories/{category}/products" => {
                assert_eq!(theirs.read("/v1/categories/lamps/products", None).await.status, StatusCode::NOT_FOUND);
            }
            "/v1/merchandising/{kind}" => {
                let body = theirs.read("/v1/merchandising/synonyms", None).await.body;
                assert_eq!(body["definitions"], json!([]));
            }
            "/v1/merchandising/{kind}/{name}" => {
                let read = theirs.read("/v1/merchandising/synonyms/lamps", None).await;
                assert_eq!(read.status, StatusCode::NOT_FOUND);
            }
            "/v1/insights/queries" => assert_eq!(theirs.read(route, None).await.body["queries"], json!([])),
            "/v1/insights/products" => assert_eq!(theirs.read(route, None).await.body["products"], json!([])),
            "/v1/insights/experiments/{name}" => {
                assert_eq!(theirs.read("/v1/insights/experiments/e", None).await.body["arms"], json!([]));
            }
            "/v1/status/dead-letters" => assert_eq!(theirs.read(route, None).await.body["dead_letters"], json!([])),
            route if route.starts_with("/v1/console/") => {
                assert_eq!(theirs.read(route, None).await.status, StatusCode::UNAUTHORIZED, "{route}: staff only");
            }
            // Of the installation, without anything of a tenant's.
            "/v1/status/lag" | "/v1/status/index" => {}
            _ => unreachable!("{route} has no case here"),
        }
    }
    // A token of ours tells another shop nothing: it is just never fresh there.
    let read = theirs.get("/v1/categories", None).header("souk-consistency-token", &token).header("souk-wait-ms", "50");
    assert!(!Shop::answer(read.send().await.expect("answered")).await.fresh);
    // And nobody can change what is ours.
    for (method, path) in [
        (Method::PUT, format!("/v1/products/{id}")),
        (Method::DELETE, format!("/v1/products/{id}")),
        (Method::POST, format!("/v1/products/{id}/archive")),
    ] {
        let content = json!({"title": "Taken over", "variants": [{"sku": "X"}]});
        let answer =
            theirs.request(method, &path).header("if-match", "*").json(&content).send().await.expect("answered");
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(ours.search("lamp", &token).await.titles(), ["Lamp of ours"]);
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

fn with_sku(mut line: Value, sku: &str) -> Value {
    line["sku"] = json!(sku);
    line
}
