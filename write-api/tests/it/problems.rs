use super::stack::{Stack, product, sent};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn every_bad_request_is_a_problem_that_points() {
    let stack = Stack::start().await;
    let post = |path: &str, body: String| sent(stack.request(Method::POST, path).body(body));
    let nowhere = sent(stack.request(Method::GET, "/v1/nothing")).await;
    assert_eq!((nowhere.status, nowhere.code()), (404, "not_found"));
    assert_eq!(nowhere.header("content-type"), "application/problem+json");
    assert_eq!(nowhere.body["instance"], nowhere.header("x-correlation-id"));
    let method = sent(stack.request(Method::PATCH, "/v1/products")).await;
    assert_eq!((method.status, method.code()), (405, "method_not_allowed"));
    let malformed = post("/v1/products", "{".into()).await;
    assert_eq!((malformed.status, malformed.code(), malformed.pointers()), (400, "invalid_request", vec![""]));
    let mut wrong = product("a");
    wrong["variants"][0]["sku"] = json!(5);
    assert_eq!(stack.post("/v1/products", wrong).await.pointers(), ["/variants/0/sku"]);
    let mut typo = product("a");
    typo["titel"] = json!("x");
    assert_eq!(stack.post("/v1/products", typo).await.pointers(), ["/titel"]);
    let large = post("/v1/products", format!("{{\"title\":\"{}\"}}", "x".repeat(5 << 20))).await;
    assert_eq!((large.status, large.code()), (413, "too_large"));
    let id = post("/v1/products/abc/publish", String::new()).await;
    assert_eq!((id.status, id.pointers()), (400, vec!["id"]));
    let missing = post(&format!("/v1/products/{}/publish", schemas::Uuid::nil()), String::new()).await;
    assert_eq!((missing.status, missing.code()), (404, "not_found"));
    let policy = post("/v1/products/bulk?on_error=hope", String::new()).await;
    assert_eq!((policy.status, policy.pointers()), (400, vec!["on_error"]));
    let version =
        sent(stack.request(Method::DELETE, &format!("/v1/products/{}", schemas::Uuid::nil())).header("if-match", "x"))
            .await;
    assert_eq!((version.status, version.pointers()), (400, vec!["If-Match"]));
    stack.stop().await;
}
