//! The way from a command to a search hit, and back out again.

use acceptance::{
    builders::{price_line, product_line, stock_line},
    eventually::eventually,
    shop::{PATIENCE, Read, Shop},
    stack::TestStack,
};
use launcher::stack::Service;
use query_api::read_model::{Expected, Isolation};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_product_travels_from_its_command_to_the_shopper_and_away_again() {
    let stack = TestStack::start(true).await;
    let shop = Shop::open(&stack, "pipeline").await;
    let category =
        shop.command(Method::POST, "/v1/categories", None, &json!({"name": "Kettles", "slug": "kettles"})).await;
    let product = json!({
        "external_id": "k-1", "slug": "gooseneck", "title": "Gooseneck kettle", "brand": "Acme",
        "category_ids": [category["id"]], "variants": [{"sku": "K-1"}],
    });
    let request =
        shop.request(Method::POST, "/v1/products").header("x-correlation-id", "pipeline-test-1").json(&product);
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
    assert!(log.contains("pipeline-test-1"), "the request's correlation id is in the projector's log");
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
        let names = ["embed", "index", "products", "relay:catalog"];
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
    let mut line = product_line("same", TITLE);
    line["categories"] = json!(["c"]);
    let token = ours.bulk_all("products", &[line]).await;
    // The same external id, slug and SKU are free in another shop.
    let other = theirs.bulk_all("products", &[product_line("same", "Lamp of theirs")]).await;
    let found = ours.search("lamp", &token).await;
    assert_eq!(found.titles(), [TITLE]);
    assert_eq!(theirs.search("lamp", &other).await.titles(), ["Lamp of theirs"]);
    let id = text(&found.body["hits"][0]["id"]);
    let page = ours.read(&format!("/v1/products/{id}"), Some(&token)).await;
    let variant = text(&page.body["variants"][0]["id"]);
    let names = Names { product: id.clone(), variant, slug: text(&found.body["hits"][0]["slug"]) };
    // Each route of one, asked by the other: a read model says with its routes what has to come.
    let cases: Vec<&Isolation> = query_api::reads::ALL.iter().flat_map(|read| read.isolation).collect();
    let api = theirs.read("/openapi.json", None).await.body;
    for route in api["paths"].as_object().expect("paths").keys() {
        let known = cases.iter().filter(|case| case.route == route).count();
        assert_eq!(known, 1, "{route} has no case, or two: `isolation` of its read model names it");
    }
    for case in cases {
        is_apart(case, &names, &ours, &theirs).await;
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
    assert_eq!(ours.search("lamp", &token).await.titles(), [TITLE]);
}

/// The title of the product that the other shop must not see.
const TITLE: &str = "Lamp of ours";

/// What a case's placeholders stand for.
struct Names {
    product: String,
    variant: String,
    slug: String,
}

impl Names {
    fn filled(&self, text: &str) -> String {
        let now = schemas::Utc::now().to_rfc3339();
        let text = text.replace("{product}", &self.product).replace("{variant}", &self.variant);
        text.replace("{slug}", &self.slug).replace("{now}", &now)
    }
}

/// Asks a route as its owner and as another, and compares with what the read model says.
async fn is_apart(case: &Isolation, names: &Names, ours: &Shop, theirs: &Shop) {
    let mut token = None;
    for given in case.given {
        let method = given.method.parse().expect("a method");
        let body = serde_json::from_str(&names.filled(given.body)).expect("JSON");
        let request = ours.request(method, &names.filled(given.path));
        let answer = Shop::answer(request.json::<Value>(&body).send().await.expect("answered")).await;
        assert!(answer.status.is_success(), "{}: {answer:?}", given.path);
        token = answer.body["token"].as_str().map(str::to_owned);
    }
    let length = |read: &Read, pointer: &str| read.body.pointer(pointer).and_then(Value::as_array).map(Vec::len);
    // Not all that the owner sees is covered by the token of a write: what staff did comes a second later.
    let own = eventually("the owner sees something", PATIENCE, async || {
        let own = asked(case, names, ours, token.as_deref()).await;
        match case.expected {
            Expected::Empty(pointer) if length(&own, pointer) == Some(0) => Err(format!("{}: {own:?}", case.route)),
            _ => Ok(own),
        }
    })
    .await;
    let asking = if case.expected == Expected::StaffOnly { theirs.without_key() } else { theirs.clone() };
    let read = asked(case, names, &asking, None).await;
    let (route, status, has) = (case.route, read.status, |body: &Value| body.to_string().contains(TITLE));
    match case.expected {
        Expected::NotFound => assert_eq!((own.status, status), (StatusCode::OK, StatusCode::NOT_FOUND), "{route}"),
        Expected::StaffOnly => assert_eq!(status, StatusCode::UNAUTHORIZED, "{route}"),
        Expected::OfInstallation => assert_eq!(status, StatusCode::OK, "{route}"),
        Expected::OfShoppers => {
            assert_eq!((own.status, status), (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN), "{route}");
        }
        Expected::Concealed => {
            assert!(has(&own.body), "{route} shows nothing of the owner's: {own:?}");
            assert!(!has(&read.body) && !read.body.to_string().contains(&names.product), "{route}: {read:?}");
        }
        Expected::Empty(pointer) => {
            assert!(length(&own, pointer) > Some(0), "{route} shows nothing of the owner's: {own:?}");
            assert_eq!(length(&read, pointer), Some(0), "{route}: {read:?}");
        }
        Expected::NothingYet(pointer) => assert_eq!(length(&read, pointer), Some(0), "{route}: {read:?}"),
        Expected::Denied(pointer) => {
            assert_eq!(own.body.pointer(pointer), Some(&json!(true)), "{route}: {own:?}");
            assert!(read.body.pointer(pointer) != Some(&json!(true)) && !has(&read.body), "{route}: {read:?}");
        }
    }
}

async fn asked(case: &Isolation, names: &Names, shop: &Shop, token: Option<&str>) -> Read {
    let path = names.filled(case.ask);
    let Some(body) = case.body else { return shop.read(&path, token).await };
    let body: Value = serde_json::from_str(&names.filled(body)).expect("JSON");
    Read { status: StatusCode::OK, fresh: true, body: shop.ask(&path, &body).await }
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

fn with_sku(mut line: Value, sku: &str) -> Value {
    line["sku"] = json!(sku);
    line
}
