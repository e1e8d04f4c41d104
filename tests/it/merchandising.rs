//! What staff define steers search at once, for those who send the token, and in their shop only.

use acceptance::{
    digest,
    eventually::eventually,
    quiet::until_quiet,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const RULES: &str = "/v1/merchandising/rules";

fn rule(url: &str) -> Value {
    json!({
        "enabled": true, "priority": 3, "when": {"query": {"match": "is", "text": "returns"}},
        "then": [{"type": "redirect", "url": url}],
    })
}

fn token(answer: &Value) -> String {
    answer["token"].as_str().expect("a token").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_read_back_at_once_replaced_and_removed() {
    let stack = TestStack::start(false).await;
    let (ours, theirs) = (Shop::open(&stack, "steered").await, Shop::open(&stack, "unsteered").await);
    let path = format!("{RULES}/returns");
    let made = ours.command(Method::PUT, &path, None, &rule("/returns")).await;
    let read = ours.read(&path, Some(&token(&made))).await;
    assert!(read.fresh, "{read:?}");
    assert_eq!((&read.body["version"], &read.body["definition"]), (&json!(1), &rule("/returns")));

    // What was read can be put back as it is, with the version that was read.
    let replaced = ours.command(Method::PUT, &path, Some(1), &rule("/help/returns")).await;
    let read = ours.read(&path, Some(&token(&replaced))).await;
    assert_eq!((read.fresh, &read.body["definition"]["then"][0]["url"]), (true, &json!("/help/returns")));
    let search = ours.search("returns", &token(&replaced)).await;
    assert!(search.fresh, "a search does not wait for a document that no rule changes: {search:?}");
    assert_eq!(theirs.read(&path, None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(theirs.read(RULES, None).await.body["definitions"], json!([]));

    let removed = ours.command(Method::DELETE, &path, Some(2), &Value::Null).await;
    let read = ours.read(&path, Some(&token(&removed))).await;
    assert_eq!(read.status, StatusCode::NOT_FOUND, "{read:?}");
    let again = ours.command(Method::PUT, &path, None, &rule("/returns")).await;
    let read = ours.read(&path, Some(&token(&again))).await;
    assert_eq!((read.fresh, &read.body["version"]), (true, &json!(4)));
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_are_listed_by_kind_and_name_page_by_page() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "listed").await;
    let synonyms = json!({"kind": "one_way", "from": ["settee"], "to": ["sofa"]});
    let mut tokens = Vec::new();
    for name in ["b", "c", "a"] {
        let made = shop.command(Method::PUT, &format!("/v1/merchandising/synonyms/{name}"), None, &synonyms).await;
        tokens.push(token(&made));
    }
    tokens.push(token(&shop.command(Method::PUT, &format!("{RULES}/z"), None, &rule("/z")).await));
    let page = |query: &'static str| {
        let all = tokens.join(",");
        let shop = &shop;
        async move { shop.read(&format!("/v1/merchandising/synonyms{query}"), Some(&all)).await }
    };
    let names = |body: &Value| -> Vec<String> {
        let definitions = body["definitions"].as_array().expect("definitions").iter();
        definitions.map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
    };
    let first = page("?limit=2").await;
    assert!(first.fresh, "{first:?}");
    assert_eq!((names(&first.body), &first.body["next"]), (vec!["a".into(), "b".into()], &json!("b")));
    let last = page("?limit=2&after=b").await;
    assert_eq!((names(&last.body), &last.body["next"]), (vec!["c".into()], &Value::Null));
    assert_eq!(last.body["definitions"][0]["definition"], synonyms);
    assert_eq!(page("?limit=0").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(shop.read("/v1/merchandising/banners", None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_bring_back_nothing_that_was_replaced_or_removed() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "again").await;
    shop.command(Method::PUT, &format!("{RULES}/kept"), None, &rule("/old")).await;
    shop.command(Method::PUT, &format!("{RULES}/kept"), Some(1), &rule("/new")).await;
    shop.command(Method::PUT, &format!("{RULES}/gone"), None, &rule("/gone")).await;
    shop.command(Method::DELETE, &format!("{RULES}/gone"), Some(1), &Value::Null).await;
    until_quiet(&stack).await;
    let before = digest::take(&stack).await;
    let read = async || -> i64 {
        sqlx::query_scalar(
            "SELECT coalesce(sum(next_offset), 0)::bigint FROM checkpoints WHERE topic LIKE '%merchandising%'",
        )
        .fetch_one(&stack.read)
        .await
        .expect("checkpoints")
    };
    assert_eq!(read().await, 4);
    sqlx::query("UPDATE merchandising.outbox SET published_at = NULL").execute(&stack.write).await.expect("marked");
    eventually("the duplicates have been read", PATIENCE, || async {
        let read = read().await;
        if read == 8 { Ok(()) } else { Err(format!("{read} of 8")) }
    })
    .await;
    assert_eq!(digest::take(&stack).await, before);
    let listed = shop.read(RULES, None).await.body;
    assert_eq!(listed["definitions"].as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(listed["definitions"][0]["definition"]["then"][0]["url"], "/new");
}
