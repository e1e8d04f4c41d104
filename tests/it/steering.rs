//! What staff define is in the next search, without a reindex; and what a storefront asks for beside searches.

use acceptance::{
    builders::product_line,
    eventually::eventually,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use reqwest::Method;
use serde_json::{Value, json};

fn token(answer: &Value) -> String {
    answer["token"].as_str().expect("a token").to_owned()
}

fn titles(body: &Value) -> Vec<String> {
    let hits = body["hits"].as_array().expect("hits").iter();
    hits.map(|hit| hit["title"].as_str().expect("a title").to_owned()).collect()
}

/// A shop with some products; their ids, and the token they were written with.
async fn shop_of(stack: &TestStack, name: &str, titles: &[&str]) -> (Shop, Vec<String>, String) {
    let shop = Shop::open(stack, name).await;
    let line = |(number, title): (usize, &&str)| product_line(&format!("{name}-{number}"), title);
    let lines: Vec<Value> = titles.iter().enumerate().map(line).collect();
    let (answers, summary) = shop.bulk("products", &lines).await.expect("answered");
    let ids = answers.iter().map(|answer| answer["id"].as_str().expect("an id").to_owned()).collect();
    (shop, ids, token(&summary))
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_and_synonyms_are_in_the_next_search() {
    let stack = TestStack::start(false).await;
    let all = ["Oak sofa", "Pine sofa", "Leather settee", "Garden chair"];
    let (shop, ids, last) = shop_of(&stack, "steering", &all).await;
    assert_eq!(shop.search("sofa", &last).await.body["total"], 2);
    let search = async |query: &str, token: &str| shop.read(&format!("/v1/search?{query}"), Some(token)).await.body;

    let synonyms = json!({"kind": "multi_way", "terms": ["settee", "sofa"]});
    let made = shop.command(Method::PUT, "/v1/merchandising/synonyms/seats", None, &synonyms).await;
    assert_eq!(search("q=settee", &token(&made)).await["total"], 3);
    assert_eq!(search("q=settee&steering=false", &token(&made)).await["total"], 1);

    let rule = json!({"enabled": true, "priority": 1, "when": {"query": {"match": "is", "text": "sofa"}}, "then": [
        {"type": "pin", "product_id": ids[3], "position": 1},
        {"type": "hide", "product_id": ids[1]},
        {"type": "banner", "id": "spring", "text": "Spring sale"}]});
    // A draft takes the same way, and is not live.
    let draft = json!({"q": "sofa", "preview": {"rules": {"sofas": rule}}});
    let previewed = shop.ask("/v1/search", &draft).await;
    assert_eq!(search("q=sofa", &token(&made)).await["hits"][0]["pinned"], Value::Null);
    let made = shop.command(Method::PUT, "/v1/merchandising/rules/sofas", None, &rule).await;
    let live = search("q=sofa", &token(&made)).await;
    for answer in [&previewed, &live] {
        assert_eq!(titles(answer)[0], "Garden chair", "{answer}");
        assert!(!titles(answer).contains(&"Pine sofa".to_owned()), "{answer}");
        assert_eq!((&answer["rules"], &answer["banners"][0]["id"]), (&json!(["sofas"]), &json!("spring")));
    }
    let why = shop.read(&format!("/v1/search/why/{}?q=sofa", ids[1]), None).await.body;
    assert_eq!(why["found"], false);
    assert!(why["reason"].as_str().expect("a reason").contains("a rule hides it"), "{why}");

    let boost = json!({"enabled": true, "priority": 1, "when": {"query": {"match": "contains", "text": "sofa"}}, "then": [
        {"type": "rewrite", "text": "chair"}]});
    let made = shop.command(Method::PUT, "/v1/merchandising/rules/sofas", Some(1), &boost).await;
    let rewritten = search("q=sofa", &token(&made)).await;
    assert_eq!((titles(&rewritten), &rewritten["rewritten"]), (vec!["Garden chair".to_owned()], &json!("chair")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_does_not_wait_for_what_staff_have_defined() {
    let stack = TestStack::start(false).await;
    let (shop, _, last) = shop_of(&stack, "unlocked", &["Oak sofa"]).await;
    let synonyms = json!({"kind": "multi_way", "terms": ["settee", "sofa"]});
    let made = shop.command(Method::PUT, "/v1/merchandising/synonyms/seats", None, &synonyms).await;
    assert_eq!(shop.search("sofa", &last).await.body["total"], 1);
    assert_eq!(shop.read("/v1/search?q=settee", Some(&token(&made))).await.body["total"], 1);
    // Whoever reads these tables now waits until the end of the test.
    let mut lock = stack.read.begin().await.expect("a transaction");
    let tables = "LOCK TABLE merchandising, insight_products IN ACCESS EXCLUSIVE MODE";
    sqlx::query(tables).execute(&mut *lock).await.expect("locked");
    let (_, next) = shop.bulk("products", &[product_line("unlocked-next", "Elm sofa")]).await.expect("answered");
    assert_eq!(shop.search("sofa", &token(&next)).await.body["total"], 2);
    assert_eq!(shop.read("/v1/search?q=settee", None).await.body["total"], 2, "the synonyms are still known");
    lock.rollback().await.expect("let go");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_experiment_with_a_setting_that_is_not_there_costs_no_shopper_a_search() {
    let stack = TestStack::start(false).await;
    let (shop, _, last) = shop_of(&stack, "trying", &["Oak sofa"]).await;
    let arms = json!([{"name": "fast", "share": 50, "ranking": {"speed": 1.0}}, {"name": "far", "share": 50, "ranking": {"window": 1e5}}]);
    let experiment = json!({"enabled": true, "arms": arms});
    let made = shop.command(Method::PUT, "/v1/merchandising/experiments/speed", None, &experiment).await;
    assert_eq!(shop.search("sofa", &last).await.body["degraded"], Value::Null, "nobody in particular has no arm");
    for client in ["ann", "bob", "cyd", "dan"] {
        let found = shop.read(&format!("/v1/search?q=sofa&client={client}"), Some(&token(&made))).await.body;
        assert_eq!(found["total"], 1, "{found}");
        let said = found["degraded"].as_str().expect("a reason");
        assert!(said.contains(found["experiment"]["arm"].as_str().expect("an arm")), "{found}");
        assert!(said.contains("speed") || said.contains("window"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn suggestions_similar_products_and_cursors() {
    let stack = TestStack::start(false).await;
    let names: Vec<String> = (0..25).map(|number| format!("Wireless keyboard number {number}")).collect();
    let mut all: Vec<&str> = names.iter().map(String::as_str).collect();
    all.push("Wired mouse");
    let (shop, ids, last) = shop_of(&stack, "suggesting", &all).await;
    let suggested = shop.read("/v1/suggest?q=wireless+key", Some(&last)).await.body;
    assert_eq!(suggested["queries"][0]["text"], "wireless keyboard", "{suggested}");
    let marked = suggested["products"][0]["highlight"].as_str().expect("a highlight");
    assert!(marked.starts_with("<mark>Wireless</mark> <mark>key"), "{marked}");

    let similar = shop.read(&format!("/v1/products/{}/similar?limit=5", ids[0]), None).await.body;
    assert_eq!(titles(&similar).len(), 5, "{similar}");
    assert!(!titles(&similar).contains(&names[0]));

    // Pages by cursor are of one state of the index, whatever is written meanwhile.
    let mut seen = Vec::new();
    let mut cursor = "*".to_owned();
    loop {
        let page = shop.read(&format!("/v1/search?q=keyboard&limit=10&cursor={cursor}"), None).await.body;
        assert_eq!(page["total"], 25, "{page}");
        seen.extend(titles(&page));
        let late = product_line(&format!("late-{}", seen.len()), "Another keyboard");
        let token = shop.bulk_all("products", &[late]).await;
        assert!(shop.search("another", &token).await.fresh);
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 25);

    let body = json!({"searches": [{"q": "keyboard", "limit": 2}, {"q": "mouse"}], "federated": true, "limit": 3});
    let merged = shop.ask("/v1/search/multi", &body).await;
    assert_eq!(titles(&merged).len(), 3, "{merged}");
    let searches: Vec<_> = merged["hits"].as_array().expect("hits").iter().map(|hit| hit["search"].clone()).collect();
    assert!(searches.contains(&json!(0)) && searches.contains(&json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_shoppers_like_comes_first_and_is_suggested() {
    let stack = TestStack::start(false).await;
    let (shop, ids, last) = shop_of(&stack, "liked", &["Brass lamp", "Brass lamp", "Copper lamp"]).await;
    let first = async || shop.read("/v1/search?q=brass+lamp", Some(&last)).await.body["hits"][0]["id"].clone();
    assert_eq!(first().await, json!(ids[0]), "equal hits stand in the order in which they were made");
    let now = schemas::Utc::now();
    let search = |number: u32| {
        json!({"type": "query", "query_id": format!("q{number}"), "client_id": "c", "user_query": "brass lamp",
            "query_response_hit_ids": [ids[0], ids[1]], "timestamp": now})
    };
    let bought = json!({"type": "event", "action_name": "purchase", "query_id": "q1", "client_id": "c", "timestamp": now,
        "event_attributes": {"object": {"object_id": ids[1], "object_id_field": "product_id"}, "position": {"ordinal": 2}}});
    let reported = shop.command(Method::POST, "/v1/insights", None, &json!([search(1), search(2), bought])).await;
    assert_eq!(reported["accepted"], 3, "{reported}");
    let found = shop.read("/v1/search?q=brass+lamp", Some(&token(&reported))).await.body;
    assert_eq!(found["hits"][0]["id"], json!(ids[1]), "with the token what was bought comes first at once: {found}");
    eventually("what was bought comes first", PATIENCE, || async {
        let found = first().await;
        if found == json!(ids[1]) { Ok(()) } else { Err(found.to_string()) }
    })
    .await;
    let explained = shop.read("/v1/search?q=brass+lamp&explain=true", None).await.body;
    let parts = explained["hits"][0]["explanation"].to_string();
    assert!(parts.contains("popular"), "{parts}");
    assert!(explained["index_offsets"].is_array() && explained["hits"][0]["doc_version"].is_u64(), "{explained}");
    let suggested = shop.read("/v1/suggest?q=brass", Some(&token(&reported))).await.body;
    assert_eq!(suggested["queries"][0]["text"], "brass lamp", "{suggested}");
}
