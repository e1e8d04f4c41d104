use super::stack::{Stack, product, sent};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_tenant_must_be_named_in_one_way_and_exist() {
    let stack = Stack::start().await;
    let url = format!("{}/v1/products", stack.base);
    let unnamed = sent(stack.http.post(&url).json(&product("a"))).await;
    assert_eq!((unnamed.status, unnamed.code()), (400, "tenant_required"));
    let unknown = sent(stack.http.post(&url).header("x-tenant-slug", "nobody").json(&product("a"))).await;
    assert_eq!((unknown.status, unknown.code()), (404, "tenant_not_found"));
    let again = stack.put("/v1/tenants/demo", json!({"name": "Other"})).await;
    assert_eq!((again.status, &again.body["status"]), (200, &json!("unchanged")));
    let by_id = sent(stack.http.post(&url).header("x-tenant-id", again.id()).json(&product("a"))).await;
    assert_eq!(by_id.status, 201);
    let both = stack.request(Method::POST, "/v1/products").header("x-tenant-id", again.id()).json(&product("a"));
    assert_eq!(sent(both).await.code(), "tenant_required");
    let bad = stack.open("Bad_Slug").await;
    assert_eq!((bad.status, bad.pointers()), (422, vec!["slug"]));
    stack.stop().await;
}

#[tokio::test]
async fn an_address_that_names_another_tenant_than_a_header_is_refused() {
    let stack = Stack::start().await;
    let opened = stack.open("other").await;
    let by_slug = |path: &str| sent(stack.request(Method::POST, path).json(&product("a")));
    for path in ["/v1/products?tenant=other", "/v1/products/bulk?tenant=other", "/v1/products?tenant=nobody"] {
        let refused = by_slug(path).await;
        assert_eq!((refused.status, refused.code()), (400, "tenant_conflict"), "{path}");
    }
    assert_eq!(by_slug("/v1/products?tenant=demo").await.status, 201);
    let by_id = stack.http.post(format!("{}/v1/products?tenant=demo", stack.base)).header("x-tenant-id", opened.id());
    assert_eq!(sent(by_id.json(&product("a"))).await.code(), "tenant_conflict");
    for third in ["other", "third"] {
        let refused = stack.put(&format!("/v1/tenants/{third}"), json!({"name": third})).await;
        assert_eq!((refused.status, refused.code()), (400, "tenant_conflict"));
    }
    stack.stop().await;
}

#[tokio::test]
async fn one_tenant_neither_sees_nor_disturbs_another() {
    let stack = Stack::start().await;
    stack.open("other").await;
    let mine = stack.post("/v1/products", product("a")).await;
    let variant = mine.body["variants"][0]["id"].as_str().unwrap().to_owned();
    let category = stack.post("/v1/categories", json!({"name": "Mine", "external_id": "mine"})).await;
    let as_other = |method: Method, path: String, body: Value| {
        let request = stack.http.request(method, format!("{}{path}", stack.base)).header("x-tenant-slug", "other");
        sent(request.header("if-match", "*").json(&body))
    };
    let id = mine.id();
    let sheet = json!({"entries": [{"currency": "USD", "list_amount": 1}]});
    let stock = json!({"location": "main", "quantity": 1, "reason": "found"});
    let receive = json!({"location": "main", "quantity": 1});
    for (method, path, body) in [
        (Method::PUT, format!("/v1/products/{id}"), product("a")),
        (Method::POST, format!("/v1/products/{id}/publish"), Value::Null),
        (Method::POST, format!("/v1/products/{id}/archive"), Value::Null),
        (Method::DELETE, format!("/v1/products/{id}"), Value::Null),
        (Method::PUT, format!("/v1/categories/{}", category.id()), json!({"name": "Theirs"})),
        (Method::DELETE, format!("/v1/categories/{}", category.id()), Value::Null),
        (Method::PUT, format!("/v1/variants/{variant}/prices"), sheet),
        (Method::DELETE, format!("/v1/variants/{variant}/prices"), Value::Null),
        (Method::POST, format!("/v1/variants/{variant}/stock/receive"), receive),
        (Method::POST, format!("/v1/variants/{variant}/stock/adjust"), stock),
    ] {
        let answer = as_other(method, path.clone(), body).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
    }
    let same = as_other(Method::POST, "/v1/products".into(), product("a")).await;
    assert_eq!(same.status, 201, "the same names are free in another tenant");
    assert_ne!(same.id(), mine.id());
    let mut placed = product("b");
    placed["category_ids"] = json!([category.id()]);
    assert_eq!(as_other(Method::POST, "/v1/products".into(), placed).await.pointers(), ["/category_ids/0"]);
    stack.stop().await;
}
