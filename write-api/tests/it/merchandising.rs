use super::stack::{Stack, sent};
use reqwest::Method;
use serde_json::{Value, json};

fn rule(url: &str) -> Value {
    json!({"when": {"query": {"match": "contains", "text": "sale"}}, "then": [{"type": "redirect", "url": url}]})
}

/// Something of each kind, with another for its place.
fn kinds() -> [(&'static str, Value, Value); 4] {
    let synonyms = |other: &str| json!({"kind": "multi_way", "terms": ["sofa", other]});
    let facets = |order: &str| json!({"facets": [{"field": "brand", "order": order}]});
    let experiment = |share: i64| json!({"arms": [{"name": "a", "share": share}, {"name": "b", "share": 100 - share, "ranking": {"x": 0.5}}]});
    [
        ("synonyms", synonyms("couch"), synonyms("settee")),
        ("rules", rule("/a"), rule("/b")),
        ("facets", facets("count"), facets("value")),
        ("experiments", experiment(50), experiment(10)),
    ]
}

#[tokio::test]
async fn whatever_is_defined_is_replaced_for_a_version_and_removed() {
    let stack = Stack::start().await;
    for (kind, first, second) in kinds() {
        let path = format!("/v1/merchandising/{kind}/one");
        let made = stack.put(&path, first.clone()).await;
        assert_eq!((made.status, made.header("etag")), (201, "\"1\""), "{made:?}");
        assert_eq!(made.header("souk-consistency-token"), made.body["token"].as_str().unwrap());
        assert_eq!(stack.put(&path, second.clone()).await.status, 428);
        assert_eq!(stack.at(Method::PUT, &path, 2, second.clone()).await.status, 412);
        assert_eq!(stack.at(Method::PUT, &path, 1, first.clone()).await.body["status"], "unchanged");
        let replaced = stack.at(Method::PUT, &path, 1, second).await;
        assert_eq!((replaced.status, &replaced.body["version"]), (200, &json!(2)));
        assert_eq!(replaced.id(), made.id());
        assert_eq!(stack.at(Method::DELETE, &path, 2, Value::Null).await.body["version"], 3);
        let nothing = sent(stack.request(Method::DELETE, &path)).await;
        assert_eq!((nothing.status, nothing.code()), (404, "not_found"));
        assert_eq!(stack.put(&path, first).await.body["version"], 4, "versions go on after a removal");
    }
    let types = "SELECT count(DISTINCT event_type) FROM merchandising.outbox WHERE partition_id = aggregate_id";
    assert_eq!(stack.count(types).await, 8);
    stack.stop().await;
}

#[tokio::test]
async fn a_definition_that_breaks_a_rule_is_pointed_at() {
    let stack = Stack::start().await;
    let refused = async |kind: &str, body: Value| {
        let answer = stack.put(&format!("/v1/merchandising/{kind}/one"), body).await;
        (answer.status, answer.pointers().join(" "), answer.body["errors"][0]["position"].clone())
    };
    let mut filtered = rule("/a");
    filtered["then"] = json!([{"type": "boost", "filter": "brand:a AND colour:red", "weight": 2.0}]);
    assert_eq!(refused("rules", filtered).await, (422, "/then/0/filter".into(), json!(12)));
    let mut unknown = rule("/a");
    unknown["then"] = json!([{"type": "explode"}]);
    assert_eq!(refused("rules", unknown).await.0, 400);
    let mut surplus = rule("/a");
    surplus["whenn"] = json!({});
    assert_eq!(refused("rules", surplus).await, (400, "/whenn".into(), Value::Null));
    let two = json!({"kind": "one_way", "from": [], "to": ["a", "A"]});
    assert_eq!(refused("synonyms", two).await.1, "/from /to/1");
    let shares = json!({"arms": [{"name": "a", "share": 50}, {"name": "b", "share": 49}]});
    assert_eq!(refused("experiments", shares).await.1, "/arms");
    assert_eq!(refused("facets", json!({"facets": [{"field": "colour"}]})).await.1, "/facets/0/field");
    let name = stack.put("/v1/merchandising/rules/Sale", rule("/a")).await;
    assert_eq!((name.status, name.pointers()), (422, vec!["name"]));
    let kind = stack.put("/v1/merchandising/banners/one", rule("/a")).await;
    assert_eq!((kind.status, kind.code()), (404, "not_found"));
    assert_eq!(stack.count("SELECT count(*) FROM merchandising.definitions").await, 0);
    stack.stop().await;
}

#[tokio::test]
async fn a_definition_with_a_key_is_made_once_and_only_for_its_tenant() {
    let stack = Stack::start().await;
    stack.open("other").await;
    let path = "/v1/merchandising/rules/one";
    let define = || sent(stack.request(Method::PUT, path).header("idempotency-key", "k").json(&rule("/a")));
    let (first, again) = (define().await, define().await);
    assert_eq!((first.status, again.status, again.header("idempotency-replayed")), (201, 201, "true"));
    assert_eq!(first.body, again.body);
    let as_other = |method| {
        let request = stack.http.request(method, format!("{}{path}", stack.base));
        request.header("x-tenant-slug", "other").header("if-match", "*")
    };
    assert_eq!(sent(as_other(Method::DELETE)).await.status, 404);
    let theirs = sent(as_other(Method::PUT).json(&rule("/b"))).await;
    assert_eq!((theirs.status, &theirs.body["version"]), (201, &json!(1)));
    assert_ne!(theirs.id(), first.id());
    assert_eq!(sent(stack.request(Method::GET, path)).await.status, 405, "reads are query-api's");
    stack.stop().await;
}
