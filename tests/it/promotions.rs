//! Promotions are defined, given codes, read back and ended, in one shop only.

mod preview;

use acceptance::{
    eventually::eventually,
    quiet::until_quiet,
    scratch,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use reqwest::{Method, StatusCode};
use schemas::{TimeDelta, Utc};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ALL: &str = "/v1/promotions";

fn token(answer: &Value) -> String {
    answer["token"].as_str().expect("a token").to_owned()
}

/// Free shipping, with these fields besides.
fn shipping(title: &str, more: &Value) -> Value {
    let mut body = json!({"title": title, "effect": {"kind": "shipping"}});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

async fn define(shop: &Shop, name: &str, if_match: Option<u64>, body: &Value) -> String {
    token(&shop.command(Method::PUT, &format!("{ALL}/{name}"), if_match, body).await)
}

/// A digest of all that the read side has of promotions.
async fn views(stack: &TestStack) -> Result<String, String> {
    let digest: Option<String> = sqlx::query_scalar(
        "SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (
           SELECT promotions::text AS line FROM promotions UNION ALL SELECT promotion_codes::text FROM promotion_codes
           UNION ALL SELECT promotion_figures::text FROM promotion_figures
           UNION ALL SELECT promotion_customers::text FROM promotion_customers) AS lines",
    )
    .fetch_one(&stack.read)
    .await
    .map_err(|error| error.to_string())?;
    Ok(digest.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_is_read_back_at_once_made_another_ended_and_begun_again() {
    let stack = TestStack::start(false).await;
    let (ours, theirs) = (Shop::open(&stack, "cheaper").await, Shop::open(&stack, "dearer").await);
    let path = format!("{ALL}/spring");
    let made = define(&ours, "spring", None, &shipping("Spring", &json!({}))).await;
    let read = ours.read(&path, Some(&made)).await;
    assert!(read.fresh, "{read:?}");
    assert_eq!((&read.body["version"], &read.body["state"]), (&json!(1), &json!("running")));
    assert_eq!(read.body["promotion"]["title"], "Spring");

    // What was read can be put back as it is, with the version that was read.
    let mut shown = read.body["promotion"].clone();
    shown["title"] = json!("Summer");
    let changed = define(&ours, "spring", Some(1), &shown).await;
    let read = ours.read(&path, Some(&changed)).await;
    assert_eq!((&read.body["version"], &read.body["promotion"]["title"]), (&json!(2), &json!("Summer")));
    assert_eq!(theirs.read(&path, None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(theirs.read(ALL, None).await.body["promotions"], json!([]));
    let active = ours.read("/v1/active-promotions", Some(&changed)).await;
    assert_eq!(active.body["promotions"], json!([{"title": "Summer", "until": null}]));

    let ended = token(&ours.command(Method::DELETE, &path, None, &Value::Null).await);
    let read = ours.read(&path, Some(&ended)).await;
    assert_eq!((&read.body["state"], &read.body["end_reason"]), (&json!("ended"), &json!("staff")), "{read:?}");
    assert_eq!(ours.read("/v1/active-promotions", Some(&ended)).await.body["promotions"], json!([]));
    let again = define(&ours, "spring", Some(3), &shown).await;
    let read = ours.read(&path, Some(&again)).await;
    assert_eq!(
        (&read.body["state"], &read.body["ended_at"], &read.body["version"]),
        (&json!("running"), &Value::Null, &json!(4))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn promotions_are_listed_by_name_page_by_page() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "paged").await;
    let mut tokens = Vec::new();
    for name in ["b", "c", "a"] {
        tokens.push(define(&shop, name, None, &shipping(name, &json!({}))).await);
    }
    let all = tokens.join(",");
    let names = |body: &Value| -> Vec<String> {
        let listed = body["promotions"].as_array().expect("promotions").iter();
        listed.map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
    };
    let first = shop.read(&format!("{ALL}?limit=2"), Some(&all)).await;
    assert_eq!((names(&first.body), &first.body["next"]), (vec!["a".to_owned(), "b".to_owned()], &json!("b")));
    let last = shop.read(&format!("{ALL}?limit=2&after=b"), Some(&all)).await;
    assert_eq!((names(&last.body), &last.body["next"]), (vec!["c".to_owned()], &Value::Null));
    assert_eq!(shop.read(&format!("{ALL}?limit=0"), None).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_codes_of_one_command_are_read_back() {
    let stack = TestStack::start(false).await;
    let (ours, theirs) = (Shop::open(&stack, "coded").await, Shop::open(&stack, "uncoded").await);
    define(&ours, "spring", None, &shipping("Spring", &json!({"needs_code": true, "limits": {"by_code": 1}}))).await;
    let path = format!("{ALL}/spring/codes");
    ours.command(Method::POST, &path, None, &json!({"codes": ["welcome10", "WELCOME10"]})).await;
    let asked = json!({"count": 100_000, "prefix": "spring-"});
    let request =
        || ours.request(Method::POST, &format!("{path}/generate")).header("idempotency-key", "draw-1").json(&asked);
    let answer = request().send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::CREATED);
    let drawn: Value = answer.json().await.expect("JSON");
    assert_eq!((&drawn["added"], &drawn["codes"]), (&json!(100_000), &json!(100_001)));
    let again: Value = request().send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(again, drawn, "nothing is drawn twice");

    // All of them, and no others.
    let batch = drawn["path"].as_str().expect("a path");
    let all = ours.get(&format!("{batch}&format=ndjson"), Some(&token(&drawn))).send().await.expect("an answer");
    assert_eq!(all.headers()["content-type"], "application/x-ndjson");
    let text = all.text().await.expect("the codes");
    let codes: BTreeSet<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["code"].as_str().expect("a code").to_owned())
        .collect();
    assert_eq!(codes.len(), 100_000);
    assert!(codes.iter().all(|code| code.starts_with("SPRING-") && code.len() == 17));
    let page = ours.read(&format!("{path}?limit=3"), Some(&token(&drawn))).await;
    let next = page.body["next"].as_str().expect("a next page");
    let shown: Vec<&str> =
        page.body["codes"].as_array().expect("codes").iter().filter_map(|one| one["code"].as_str()).collect();
    assert_eq!(shown, codes.iter().take(3).map(String::as_str).collect::<Vec<_>>());
    let page = ours.read(&format!("{path}?limit=1&after={next}"), None).await;
    assert_eq!(page.body["codes"][0]["code"].as_str(), codes.iter().nth(3).map(String::as_str));
    let read = ours.read(&format!("{ALL}/spring"), None).await;
    assert_eq!((&read.body["codes"], &read.body["disabled_codes"]), (&json!(100_001), &json!(0)));

    // No event is larger than what can be sent, and another shop sees nothing.
    let longest: i64 = sqlx::query_scalar("SELECT max(octet_length(payload))::bigint FROM promotions.outbox")
        .fetch_one(&stack.write)
        .await
        .expect("a length");
    assert!(usize::try_from(longest).is_ok_and(|bytes| bytes < schemas::sizes::MAX_EVENT_BYTES));
    let one = codes.first().expect("a code");
    assert_eq!(theirs.read(&format!("/v1/coupons/{one}"), None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(theirs.read(&path, None).await.status, StatusCode::NOT_FOUND);
    until_quiet(&stack).await;
    let before = views(&stack).await.expect("a digest");
    scratch::rebuild(&stack).await;
    eventually("a rebuild from scratch gives the same", PATIENCE, || async {
        let after = views(&stack).await?;
        if after == before { Ok(()) } else { Err(format!("{after} instead of {before}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shoppers_learn_whether_a_code_can_be_used_and_no_more() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "asked").await;
    let tomorrow = (Utc::now() + TimeDelta::days(1)).to_rfc3339();
    let with_codes = |more: Value| shipping("Free shipping", &more);
    define(&shop, "now", None, &with_codes(json!({"needs_code": true}))).await;
    define(&shop, "later", None, &with_codes(json!({"needs_code": true, "from": tomorrow}))).await;
    define(&shop, "over", None, &with_codes(json!({"needs_code": true}))).await;
    let mut tokens = Vec::new();
    for (name, codes) in [("now", json!(["good", "off"])), ("later", json!(["soon"])), ("over", json!(["late"]))] {
        let added = shop.command(Method::POST, &format!("{ALL}/{name}/codes"), None, &json!({"codes": codes})).await;
        tokens.push(token(&added));
    }
    tokens.push(token(&shop.command(Method::DELETE, &format!("{ALL}/now/codes/off"), None, &Value::Null).await));
    tokens.push(token(&shop.command(Method::DELETE, &format!("{ALL}/over"), None, &Value::Null).await));
    let all = tokens.join(",");
    let (_, search) = shop.key("search", &[]).await;
    let shopper = shop.with_key(&search);
    for (code, status, title) in [
        ("Good", "usable", json!("Free shipping")),
        ("OFF", "disabled", Value::Null),
        ("soon", "not_yet", Value::Null),
        ("late", "ended", Value::Null),
    ] {
        let read = shopper.read(&format!("/v1/coupons/{code}"), Some(&all)).await;
        let expected = json!({"code": code.to_uppercase(), "status": status, "title": title});
        assert_eq!((read.status, &read.body), (StatusCode::OK, &expected), "{code}");
    }
    for unknown in ["none", "x", "%00abc", "a%20b%20c"] {
        let read = shopper.read(&format!("/v1/coupons/{unknown}"), None).await;
        assert_eq!(read.status, StatusCode::NOT_FOUND, "{unknown}");
    }
    assert_eq!(shopper.read(ALL, None).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_whose_span_is_over_is_ended_by_itself() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "spanned").await;
    let until = (Utc::now() + TimeDelta::seconds(2)).to_rfc3339();
    let made = define(&shop, "short", None, &shipping("Short", &json!({"until": until}))).await;
    assert!(shop.read(&format!("{ALL}/short"), Some(&made)).await.fresh);
    eventually("the job has ended it", PATIENCE, || async {
        let read = shop.read(&format!("{ALL}/short"), None).await;
        if read.body["end_reason"] == "span_over" { Ok(()) } else { Err(read.body.to_string()) }
    })
    .await;
}
