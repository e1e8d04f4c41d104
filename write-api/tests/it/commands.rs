use super::stack::{Stack, product, sent};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_product_lives_through_its_states() {
    let stack = Stack::start().await;
    let created = stack.post("/v1/products", product("a")).await;
    assert_eq!((created.status, created.header("etag")), (201, "\"1\""), "{created:?}");
    assert_eq!(created.header("souk-consistency-token"), created.body["token"]);
    assert_eq!(created.body["variants"][0]["sku"], "sku-a");
    let path = format!("/v1/products/{}", created.id());

    let unsaid = stack.put(&path, product("a")).await;
    assert_eq!((unsaid.status, unsaid.code()), (428, "version_required"));
    let stale = stack.at(Method::PUT, &path, 7, product("a")).await;
    assert_eq!((stale.status, stale.code()), (412, "version_conflict"));
    let same = stack.at(Method::PUT, &path, 1, product("a")).await;
    assert_eq!((same.status, &same.body["status"], &same.body["version"]), (200, &json!("unchanged"), &json!(1)));

    let mut better = product("a");
    better["title"] = json!("Better");
    let changed = stack.at(Method::PUT, &path, 1, better).await;
    assert_eq!(changed.body["version"], 2);
    assert_eq!(changed.body["variants"], created.body["variants"]);
    let draft = stack.at(Method::POST, &format!("{path}/archive"), 2, Value::Null).await;
    assert_eq!(draft.code(), "status_conflict");
    for (version, action) in [(2, "publish"), (3, "archive"), (4, "publish")] {
        let moved = stack.at(Method::POST, &format!("{path}/{action}"), version, Value::Null).await;
        assert_eq!(moved.body["version"], version + 1, "{moved:?}");
    }
    assert_eq!(stack.at(Method::DELETE, &path, 5, Value::Null).await.body["version"], 6);
    assert_eq!(stack.at(Method::DELETE, &path, 6, Value::Null).await.status, 404);
    assert_eq!(stack.post("/v1/products", product("a")).await.status, 201, "names are free again");
    assert_eq!(stack.count("SELECT count(*) FROM catalog.outbox").await, 7);
    stack.stop().await;
}

#[tokio::test]
async fn names_are_unique_in_the_tenant() {
    let stack = Stack::start().await;
    stack.post("/v1/products", product("a")).await;
    assert_eq!(stack.post("/v1/products", product("a")).await.code(), "external_id_taken");
    let mut other = product("b");
    other["variants"][0]["sku"] = json!("sku-a");
    let taken = stack.post("/v1/products", other.clone()).await;
    assert_eq!((taken.status, taken.code(), taken.pointers()), (409, "sku_taken", vec!["/variants/0/sku"]));
    other["slug"] = json!("product-a-a");
    other["variants"][0]["sku"] = json!("sku-b");
    assert_eq!(stack.post("/v1/products", other).await.code(), "slug_taken");
    stack.stop().await;
}

#[tokio::test]
async fn a_shop_has_so_many_attribute_names() {
    let stack = Stack::with(&["--attribute-names", "3"]).await;
    let with = |name: &str, attributes: Value| {
        let mut product = product(name);
        product["attributes"] = attributes;
        product
    };
    let first = stack.post("/v1/products", with("a", json!({"colour": "red", "size": 1}))).await;
    assert_eq!(first.status, 201, "{first:?}");
    let mut more = with("b", json!({"colour": "blue"}));
    more["variants"][0]["attributes"] = json!({"a/b": 1, "weight": 2});
    let refused = stack.post("/v1/products", more.clone()).await;
    assert_eq!((refused.status, refused.code()), (409, "too_many_attributes"), "{refused:?}");
    assert_eq!(refused.pointers(), ["/attributes/a~1b"]);
    more["variants"][0]["attributes"] = json!({"weight": 2});
    assert_eq!(stack.post("/v1/products", more).await.status, 201);
    let known = stack.post("/v1/products", with("c", json!({"weight": 5, "size": 2}))).await;
    assert_eq!(known.status, 201, "known names are free: {known:?}");
    let change = with("a", json!({"colour": "red", "size": 1, "depth": 3}));
    let refused = stack.at(Method::PUT, &format!("/v1/products/{}", first.id()), 1, change).await;
    assert_eq!((refused.status, refused.code()), (409, "too_many_attributes"));
    let lines = [with("d", json!({"size": 1})), with("e", json!({"height": 1})), with("f", json!({"colour": "x"}))];
    let (answers, _) = stack.bulk("/v1/products/bulk?on_error=skip", &lines).await;
    assert_eq!(answers[1]["problem"]["code"], "too_many_attributes", "{answers:?}");
    assert_eq!(stack.count("SELECT count(*) FROM catalog.products").await, 5, "two of three lines");
    assert_eq!(stack.count("SELECT count(*) FROM catalog.attribute_names").await, 3);
    stack.stop().await;
}

#[tokio::test]
async fn of_many_who_want_a_name_at_once_one_gets_it() {
    let stack = Stack::start().await;
    let wanted: Vec<_> = (0..8).map(|_| stack.post("/v1/products", product("a"))).collect();
    let answers = futures::future::join_all(wanted).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(answers.iter().all(|answer| answer.status == 201 || answer.code() == "external_id_taken"), "{answers:?}");
    stack.stop().await;
}

#[tokio::test]
async fn the_category_tree_stays_a_tree() {
    let stack = Stack::start().await;
    let home = stack.post("/v1/categories", json!({"name": "Home", "external_id": "home"})).await;
    let lamps = stack.post("/v1/categories", json!({"name": "Lamps", "parent": "home"})).await;
    assert_eq!((home.status, lamps.status), (201, 201), "{lamps:?}");
    let path = format!("/v1/categories/{}", home.id());
    let circle = stack.at(Method::PUT, &path, 1, json!({"name": "Home", "parent_id": lamps.id()})).await;
    assert_eq!(circle.code(), "category_tree");
    assert_eq!(stack.at(Method::DELETE, &path, 1, Value::Null).await.code(), "category_tree");
    let mut lamp = product("a");
    lamp["categories"] = json!(["lamps", "home"]);
    assert_eq!(stack.post("/v1/products", lamp.clone()).await.status, 201);
    lamp["categories"] = json!(["nowhere"]);
    assert_eq!(stack.post("/v1/products", lamp).await.pointers(), ["/categories/0"]);
    let below = format!("/v1/categories/{}", lamps.id());
    assert_eq!(stack.at(Method::DELETE, &below, 1, Value::Null).await.status, 200);
    assert_eq!(stack.at(Method::DELETE, &path, 1, Value::Null).await.status, 200);
    stack.stop().await;
}

#[tokio::test]
async fn prices_are_replaced_for_a_version_and_removed() {
    let stack = Stack::start().await;
    let made = stack.post("/v1/products", product("a")).await;
    let path = format!("/v1/variants/{}/prices", made.body["variants"][0]["id"].as_str().unwrap());
    let sheet = |amount: i64| json!({"entries": [{"currency": "USD", "list_amount": amount}]});
    assert_eq!(stack.put(&path, sheet(100)).await.status, 201);
    assert_eq!(stack.put(&path, sheet(90)).await.status, 428);
    assert_eq!(stack.at(Method::PUT, &path, 1, sheet(90)).await.body["version"], 2);
    assert_eq!(stack.at(Method::DELETE, &path, 2, Value::Null).await.body["version"], 3);
    assert_eq!(stack.at(Method::DELETE, &path, 3, Value::Null).await.status, 412);
    assert_eq!(stack.put(&path, sheet(80)).await.body["version"], 4);
    let bad = json!({"entries": [{"currency": "USD", "list_amount": 5, "sale_amount": 6}]});
    assert_eq!(stack.put(&path, bad).await.pointers(), ["/entries/0/sale_amount"]);
    stack.stop().await;
}

#[tokio::test]
async fn stock_taken_by_many_at_once_never_falls_below_zero() {
    let stack = Stack::start().await;
    let made = stack.post("/v1/products", product("a")).await;
    let path = format!("/v1/variants/{}/stock", made.body["variants"][0]["id"].as_str().unwrap());
    let received = stack.post(&format!("{path}/receive"), json!({"location": "main", "quantity": 5})).await;
    assert_eq!(received.status, 201, "{received:?}");
    let take = json!({"location": "main", "quantity": -1, "reason": "lost"});
    let adjust = format!("{path}/adjust");
    let takes: Vec<_> = (0..12).map(|_| stack.post(&adjust, take.clone())).collect();
    let answers = futures::future::join_all(takes).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 5, "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| answer.code() == "insufficient_stock").count(), 7);
    assert_eq!(stack.count("SELECT on_hand FROM inventory.levels").await, 0);
    let forced = sqlx::query("UPDATE inventory.levels SET on_hand = -1").execute(&stack.pool).await;
    assert!(forced.is_err(), "the database itself refuses");
    stack.stop().await;
}

#[tokio::test]
async fn the_service_tells_how_it_is() {
    let stack = Stack::start().await;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while sent(stack.request(Method::GET, "/health/ready")).await.status != 200 {
        assert!(tokio::time::Instant::now() < deadline, "never ready");
        tokio::task::yield_now().await;
    }
    let metrics = sent(stack.request(Method::GET, "/metrics")).await.body;
    let line = r#"souk_commands_total{context="tenants",command="open",outcome="created"} 1"#;
    assert!(metrics.as_str().unwrap().contains(line), "{metrics}");
    let document = sent(stack.request(Method::GET, "/openapi.json")).await;
    assert!(document.body["paths"]["/v1/products/bulk"]["post"].is_object());
    stack.stop().await;
}
