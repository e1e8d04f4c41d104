//! Looking around without words: what staff want counts there as in a search, in search and in listings alike.

use acceptance::{builders::product_line, shop::Shop, stack::TestStack};
use reqwest::Method;
use serde_json::{Value, json};

fn named<'a>(body: &'a Value, list: &str) -> Vec<&'a str> {
    let all = body[list].as_array().expect("a list").iter();
    all.map(|one| one["external_id"].as_str().expect("an external id")).collect()
}

fn sorted(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names
}

/// Five shirts of cotton and five of linen in one category; their ids.
async fn shirts(shop: &Shop) -> Vec<String> {
    shop.bulk_all("categories", &[json!({"external_id": "c", "name": "Shirts", "slug": "shirts"})]).await;
    let line = |number: usize| {
        let fabric = if number < 5 { "cotton" } else { "linen" };
        let mut line = product_line(&format!("{fabric}-{number}"), &format!("{fabric} shirt {number}"));
        line["categories"] = json!(["c"]);
        line["attributes"] = json!({"fabric": fabric});
        line
    };
    let (answers, summary) = shop.bulk("products", &(0..10).map(line).collect::<Vec<_>>()).await.expect("answered");
    let read = shop.read("/v1/search?limit=0", summary["token"].as_str()).await;
    assert_eq!((read.fresh, &read.body["total"]), (true, &json!(10)), "{read:?}");
    answers.iter().map(|answer| answer["id"].as_str().expect("an id").to_owned()).collect()
}

/// All pages of a listing, of so many products each.
async fn listed(shop: &Shop, parameters: &str, token: Option<&str>) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = shop.read(&format!("/v1/categories/shirts/products?{parameters}{cursor}"), token).await.body;
        all.extend(named(&page, "products").into_iter().map(str::to_owned));
        assert!(all.len() <= 10, "{all:?}");
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_count_in_searches_without_words_and_in_listings() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "browsing").await;
    let ids = shirts(&shop).await;
    assert_eq!(listed(&shop, "limit=3", None).await[..2], ["cotton-0", "cotton-1"], "by title while nobody steers");
    let rule = json!({"when": {"category": "shirts"}, "then": [
        {"type": "boost", "filter": "attr.fabric:linen", "weight": 5},
        {"type": "pin", "product_id": ids[0], "position": 2},
        {"type": "hide", "product_id": ids[9]}]});
    // What is previewed is the body that would be put.
    let draft = json!({"filter": "category:shirts", "preview": {"rules": {"linen": rule}}});
    let previewed = shop.ask("/v1/search", &draft).await;
    let made = shop.command(Method::PUT, "/v1/merchandising/rules/linen", None, &rule).await;
    let token = made["token"].as_str();
    let live = shop.read("/v1/search?filter=category:shirts", token).await.body;
    let listing = shop.read("/v1/categories/shirts/products", token).await.body;
    for (found, list) in [(&previewed, "hits"), (&live, "hits"), (&listing, "products")] {
        let names = named(found, list);
        assert_eq!((names[1], &found["total"]), ("cotton-0", &json!(9)), "{found}");
        assert_eq!(sorted(names[..5].to_vec()), ["cotton-0", "linen-5", "linen-6", "linen-7", "linen-8"], "{found}");
        assert_eq!(sorted(names[5..].to_vec()), ["cotton-1", "cotton-2", "cotton-3", "cotton-4"], "{found}");
    }
    let whole = listed(&shop, "limit=100", None).await;
    for limit in 1..5 {
        assert_eq!(listed(&shop, &format!("limit={limit}"), None).await, whole, "pages of {limit}");
    }
    let by_title = listed(&shop, "sort=title&limit=4", None).await;
    assert_eq!(
        (by_title.len(), by_title[0].as_str(), by_title[8].as_str()),
        (9, "cotton-0", "linen-8"),
        "{by_title:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_shows_the_shop_as_of_a_date() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "planning-ahead").await;
    let ids = shirts(&shop).await;
    let rule = json!({"window": {"from": "2099-12-01T00:00:00Z", "until": "2099-12-27T00:00:00Z"}, "when": {"category": "shirts"},
        "then": [{"type": "pin", "product_id": ids[7], "position": 1}]});
    let made = shop.command(Method::PUT, "/v1/merchandising/rules/advent", None, &rule).await;
    // From here on the read side has the rule.
    shop.read("/v1/search?limit=0", made["token"].as_str()).await;
    for (at, first) in [(json!(null), ids[0].as_str()), (json!("2099-12-24"), &ids[7]), (json!("2099-12-27"), &ids[0])]
    {
        let body = json!({"filter": "category:shirts", "preview_at": at});
        let found = shop.ask("/v1/search", &body).await;
        assert_eq!(found["hits"][0]["id"], *first, "{at}: {found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pinned_takes_nobodys_place_and_counts() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "pinning").await;
    let mut lines: Vec<Value> =
        (0..7).map(|number| product_line(&format!("p{number}"), &format!("Running shoe {number}"))).collect();
    lines.push(product_line("x", "Trail cap"));
    let (answers, summary) = shop.bulk("products", &lines).await.expect("answered");
    assert!(shop.search("cap", summary["token"].as_str().expect("a token")).await.fresh);
    let rule = json!({"when": {"query": {"match": "is", "text": "running"}},
        "then": [{"type": "pin", "product_id": answers[7]["id"], "position": 2}]});
    let made = shop.command(Method::PUT, "/v1/merchandising/rules/lift", None, &rule).await;
    let token = made["token"].as_str();
    for limit in [1, 2, 3, 50] {
        let mut all: Vec<String> = Vec::new();
        for offset in (0..9).step_by(limit) {
            let page = shop
                .read(&format!("/v1/search?q=running&limit={limit}&offset={offset}&facets=brand"), token)
                .await
                .body;
            assert_eq!((&page["total"], &page["facets"][0]["values"][0]["count"]), (&json!(8), &json!(8)), "{page}");
            all.extend(named(&page, "hits").into_iter().map(str::to_owned));
        }
        assert_eq!(all[1], "x", "pages of {limit}: {all:?}");
        all.sort();
        assert_eq!(all, ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "x"], "pages of {limit}");
    }
}
