use super::stack::{Stack, answers, product};
use reqwest::Method;
use serde_json::{Value, json};

fn statuses(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["status"].as_str().unwrap()).collect()
}

fn bad() -> Value {
    json!({"external_id": "bad", "title": "", "variants": [{"sku": "sku-bad"}]})
}

const PRODUCTS: &str = "SELECT count(*) FROM catalog.products";

#[tokio::test]
async fn a_bad_line_is_skipped() {
    let stack = Stack::start().await;
    let mut thief = product("c");
    thief["variants"][0]["sku"] = json!("sku-a");
    let lines = [product("a"), bad(), thief, product("d"), product("a")];
    let (answers, summary) = stack.bulk("/v1/products/bulk", &lines).await;
    assert_eq!(statuses(&answers), ["created", "rejected", "rejected", "created", "unchanged"]);
    assert_eq!(answers[1]["problem"]["errors"][0]["pointer"], "/title");
    assert_eq!(answers[2]["problem"]["code"], "sku_taken");
    assert_eq!((&summary["lines"], &summary["created"], &summary["rejected"]), (&json!(5), &json!(2), &json!(2)));
    let token: schemas::token::Token = summary["token"].as_str().unwrap().parse().unwrap();
    assert_eq!(token.len(), 2);
    let (again, _) = stack.bulk("/v1/products/bulk", &[product("a"), product("d")]).await;
    assert_eq!(statuses(&again), ["unchanged", "unchanged"]);
    stack.stop().await;
}

#[tokio::test]
async fn a_bad_line_stops_those_after_it() {
    let stack = Stack::start().await;
    let lines = [product("a"), bad(), product("b")];
    let (answers, summary) = stack.bulk("/v1/products/bulk?on_error=stop", &lines).await;
    assert_eq!(statuses(&answers), ["created", "rejected", "not_tried"]);
    assert_eq!(summary["not_tried"], 1);
    assert_eq!(stack.count(PRODUCTS).await, 1);
    stack.stop().await;
}

#[tokio::test]
async fn all_or_nothing_is_one_transaction() {
    let stack = Stack::start().await;
    let path = "/v1/products/bulk?on_error=all-or-nothing";
    let mut lines: Vec<Value> = (0..1_200).map(|number| product(&number.to_string())).collect();
    lines[1_100] = bad();
    let (answers, summary) = stack.bulk(path, &lines).await;
    assert_eq!((answers.len(), &summary["not_tried"], &summary["rejected"]), (1_200, &json!(1_199), &json!(1)));
    assert_eq!(answers[0]["problem"]["code"], "not_tried");
    assert_eq!(stack.count(PRODUCTS).await, 0);
    lines.remove(1_100);
    let (_, summary) = stack.bulk(path, &lines).await;
    assert_eq!(summary["created"], 1_199);
    assert_eq!(stack.count(PRODUCTS).await, 1_199);
    stack.stop().await;
}

#[tokio::test]
async fn a_dry_run_decides_everything_and_writes_nothing() {
    let stack = Stack::start().await;
    let lines = [product("a"), product("a"), bad()];
    let (answers, summary) = stack.bulk("/v1/products/bulk?dry_run=true", &lines).await;
    assert_eq!(statuses(&answers), ["created", "unchanged", "rejected"]);
    assert_eq!(summary["token"], "sk1.");
    assert_eq!(stack.count(PRODUCTS).await + stack.count("SELECT count(*) FROM catalog.outbox").await, 0);
    stack.stop().await;
}

#[tokio::test]
async fn lines_about_one_product_work_in_order() {
    let stack = Stack::start().await;
    let mut first = product("a");
    first["publish"] = json!(true);
    let mut second = first.clone();
    second["title"] = json!("Second");
    let lines = [
        first,
        second,
        json!({"op": "archive", "external_id": "a"}),
        json!({"op": "delete", "external_id": "a"}),
        json!({"op": "publish", "external_id": "a"}),
        product("a"),
    ];
    let (answers, _) = stack.bulk("/v1/products/bulk", &lines).await;
    assert_eq!(statuses(&answers), ["created", "changed", "changed", "changed", "rejected", "created"]);
    let versions: Vec<_> = answers.iter().map(|line| line["version"].as_u64()).collect();
    assert_eq!(versions, [Some(2), Some(3), Some(4), Some(5), None, Some(1)]);
    stack.stop().await;
}

#[tokio::test]
async fn lines_that_cannot_be_read_are_answered_with_their_number() {
    let stack = Stack::start().await;
    let long = format!("{{\"title\":\"{}\"}}", "x".repeat(1 << 20));
    let body = format!("{}\n\nnonsense\n{long}\n{{\"titel\":1}}\n{}", product("a"), product("b"));
    let (answers, _) = answers(stack.request(Method::POST, "/v1/products/bulk").body(body)).await;
    let numbers: Vec<_> = answers.iter().map(|line| line["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 3, 4, 5, 6]);
    assert_eq!(statuses(&answers), ["created", "rejected", "rejected", "rejected", "created"]);
    let codes: Vec<_> = answers[1..4].iter().map(|line| line["problem"]["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["invalid_request", "too_large", "invalid_request"]);
    stack.stop().await;
}

#[tokio::test]
async fn two_streams_over_the_same_products_make_each_once() {
    let stack = Stack::start().await;
    let lines: Vec<Value> = (0..300).map(|number| product(&number.to_string())).collect();
    let mut backwards = lines.clone();
    backwards.reverse();
    let path = "/v1/products/bulk";
    let (one, other) = tokio::join!(stack.bulk(path, &lines), stack.bulk(path, &backwards));
    let total = |name: &str| one.1[name].as_u64().unwrap() + other.1[name].as_u64().unwrap();
    assert_eq!((total("created"), total("unchanged"), total("rejected")), (300, 300, 0), "{} {}", one.1, other.1);
    stack.stop().await;
}

#[tokio::test]
async fn categories_prices_and_stock_come_in_bulk_too() {
    let stack = Stack::start().await;
    let categories = [
        json!({"external_id": "home", "name": "Home"}),
        json!({"external_id": "home/lamps", "parent": "home", "name": "Lamps", "slug": "home-lamps", "position": 2}),
        json!({"external_id": "x", "parent": "nowhere", "name": "X"}),
    ];
    let (lines, _) = stack.bulk("/v1/categories/bulk", &categories).await;
    assert_eq!(statuses(&lines), ["created", "created", "rejected"]);
    stack.post("/v1/products", product("a")).await;
    let sheet = json!({"sku": "sku-a", "entries": [{"currency": "USD", "list_amount": 100}]});
    let (lines, _) = stack.bulk("/v1/prices/bulk", &[sheet.clone(), sheet, json!({"sku": "no", "entries": []})]).await;
    assert_eq!(statuses(&lines), ["created", "unchanged", "rejected"]);
    let stock = |op: &str, quantity: i64| json!({"sku": "sku-a", "location": "main", "op": op, "quantity": quantity, "reason": "count"});
    let moves = [stock("set", 5), stock("set", 5), stock("receive", 2), stock("adjust", -8), stock("adjust", -7)];
    let (lines, _) = stack.bulk("/v1/stock/bulk", &moves).await;
    assert_eq!(statuses(&lines), ["created", "unchanged", "changed", "rejected", "changed"]);
    assert_eq!(lines[3]["problem"]["code"], "insufficient_stock");
    assert_eq!(stack.count("SELECT on_hand FROM inventory.levels").await, 0);
    stack.stop().await;
}

#[tokio::test]
async fn names_that_make_one_slug_are_told_apart() {
    let stack = Stack::start().await;
    let named =
        |id: &str, title: &str| json!({"external_id": id, "title": title, "variants": [{"sku": format!("sku-{id}")}]});
    for rows in [
        [("арт-1", "Чайник"), ("тов-1", "Кружка")],
        [("茶", "茶壶"), ("碗", "饭碗")],
        [("A/1", "T-shirt"), ("A-1", "T-shirt")],
        [("a0X", "Mug"), ("A0x", "Mug")],
        [("é", "Ü"), ("è", "Ö")],
    ] {
        let lines = rows.map(|(id, title)| named(id, title));
        let (answers, _) = stack.bulk("/v1/products/bulk", &lines[..1]).await;
        assert_eq!(statuses(&answers), ["created"], "{answers:?}");
        // Also where the other one was written before, and in one request with its repetition.
        let (answers, _) = stack.bulk("/v1/products/bulk", &[lines[1].clone(), lines[0].clone()]).await;
        assert_eq!(statuses(&answers), ["created", "unchanged"], "{answers:?}");
    }
    let categories = ["C", "C++", "C#", "日本", "中国"].map(|name| json!({"external_id": name, "name": name}));
    let (answers, _) = stack.bulk("/v1/categories/bulk", &categories).await;
    assert_eq!(statuses(&answers), ["created"; 5], "{answers:?}");
    let given = json!({"external_id": "other", "name": "C", "slug": "c-c"});
    let (answers, _) = stack.bulk("/v1/categories/bulk", &[given]).await;
    assert_eq!(answers[0]["problem"]["code"], "slug_taken", "one that was given is not changed: {answers:?}");
    stack.stop().await;
}

#[tokio::test]
async fn texts_are_kept_in_one_unicode_form() {
    let stack = Stack::start().await;
    let composed = json!({"external_id": "caf\u{e9}", "title": "Cr\u{e8}me", "brand": "\u{d55c}", "variants": [{"sku": "s"}],
        "attributes": {"d\u{e9}cor": "\u{e9}"}});
    let apart = json!({"external_id": "cafe\u{301}", "title": "Cre\u{300}me", "brand": "\u{1112}\u{1161}\u{11ab}",
        "variants": [{"sku": "s"}], "attributes": {"de\u{301}cor": "e\u{301}"}});
    let escaped = "{\"external_id\":\"cafe\\u0301\",\"title\":\"Cre\\u0300me\",\"brand\":\"\\u1112\\u1161\\u11ab\",\
                   \"variants\":[{\"sku\":\"s\"}],\"attributes\":{\"de\\u0301cor\":\"e\\u0301\"}}\n";
    let (first, _) = stack.bulk("/v1/products/bulk", &[composed, apart]).await;
    assert_eq!(statuses(&first), ["created", "unchanged"], "{first:?}");
    let (again, _) = answers(stack.request(Method::POST, "/v1/products/bulk").body(escaped)).await;
    assert_eq!(statuses(&again), ["unchanged"], "{again:?}");
    stack.stop().await;
}
