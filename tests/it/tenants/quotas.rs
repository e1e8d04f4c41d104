//! How much a shop may have and ask for.

use acceptance::{
    builders::{ndjson, product_line},
    eventually::eventually,
    shop::{PATIENCE, Read, Shop},
    stack::{TestStack, programs},
};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::time::Duration;

/// Usage is measured once a minute where there is a quota of storage.
const MEASURED: Duration = Duration::from_secs(180);

fn lines(numbers: std::ops::Range<u32>) -> Vec<Value> {
    numbers.map(|n| product_line(&format!("q-{n}"), &format!("Lamp {n}"))).collect()
}

async fn set(shop: &Shop, quotas: Value) -> Value {
    shop.command(Method::PUT, &format!("/v1/tenants/{}/quotas", shop.slug), None, &quotas).await
}

/// How many of some new products would be refused, and why.
async fn dry_run(shop: &Shop, numbers: std::ops::Range<u32>) -> (u64, Vec<Value>) {
    let request = shop.request(Method::POST, "/v1/products/bulk?dry_run=true").body(ndjson(&lines(numbers)));
    let text = request.send().await.expect("an answer").text().await.expect("a text");
    let mut answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let summary = answers.pop().expect("a summary");
    (summary["summary"]["rejected"].as_u64().expect("a number"), answers)
}

async fn until_refused(shop: &Shop, numbers: std::ops::Range<u32>, expected: u64) -> Vec<Value> {
    eventually("the quota holds", PATIENCE, || async {
        let (refused, answers) = dry_run(shop, numbers.clone()).await;
        if refused == expected { Ok(answers) } else { Err(format!("{refused} of {answers:?}")) }
    })
    .await
}

#[tokio::test]
async fn products_beyond_the_quota_are_refused_until_it_is_raised() {
    let stack = TestStack::start(false).await;
    let (shop, other) = (Shop::open(&stack, "small").await, Shop::open(&stack, "large").await);
    assert_eq!(set(&shop, json!({"products": 3})).await["status"], "changed");
    assert_eq!(set(&shop, json!({"products": 3})).await["status"], "unchanged");
    let answers = until_refused(&shop, 0..4, 1).await;
    assert_eq!(answers[3]["problem"]["code"], "quota_exceeded", "{answers:?}");
    let (answers, summary) = shop.bulk("products", &lines(0..5)).await.expect("answered");
    assert_eq!(summary["rejected"], 2, "{answers:?}");
    let told = answers[4]["problem"]["detail"].as_str().expect("a detail");
    assert!(told.contains("`products`") && told.contains("is 3") && told.contains("has 3"), "{told}");
    // What is there can be changed, and one goes where another went.
    shop.bulk_all("products", &[product_line("q-0", "Another lamp")]).await;
    let alone = shop.request(Method::POST, "/v1/products").json(&product_line("q-9", "One more")).send().await;
    let alone = Shop::answer(alone.expect("an answer")).await;
    assert_eq!((alone.status.as_u16(), &alone.body["code"]), (403, &json!("quota_exceeded")), "{alone:?}");
    let gone = answers[0]["id"].as_str().expect("an id");
    let gone = shop.request(Method::DELETE, &format!("/v1/products/{gone}")).header("if-match", "*").send().await;
    assert!(gone.expect("an answer").status().is_success());
    until_refused(&shop, 10..13, 2).await;
    set(&shop, json!({"products": 4})).await;
    until_refused(&shop, 10..13, 1).await;
    shop.bulk_all("products", &lines(10..12)).await;
    other.bulk_all("products", &lines(0..5)).await;
    let wrong =
        shop.request(Method::PUT, "/v1/tenants/small/quotas").json(&json!({"reads_per_second": 0})).send().await;
    let wrong = Shop::answer(wrong.expect("an answer")).await;
    assert_eq!((wrong.status.as_u16(), &wrong.body["errors"][0]["pointer"]), (422, &json!("/reads_per_second")));
    eventually("the read side shows it", PATIENCE, || async {
        let listed = shop.read("/v1/console/tenants", None).await.body;
        let all = listed["tenants"].as_array().expect("a list");
        let quotas: Vec<&Value> = all.iter().filter(|one| one["slug"] == "small").map(|one| &one["quotas"]).collect();
        if quotas == [&json!({"products": 4})] { Ok(()) } else { Err(listed.to_string()) }
    })
    .await;
}

/// The codes of some reads and of some commands, all at once.
async fn codes(stack: &TestStack, key: &str) -> [Vec<String>; 2] {
    let ask = async |method: Method, url: String| {
        let asked = (0..20).map(|_| async {
            let request = Client::new().request(method.clone(), &url).bearer_auth(key).json(&json!({"name": ""}));
            let Read { status, body, .. } = Shop::answer(request.send().await.expect("an answer")).await;
            format!("{} {}", status.as_u16(), body["code"].as_str().unwrap_or_default())
        });
        futures::future::join_all(asked).await
    };
    [
        ask(Method::GET, format!("{}/v1/categories", stack.query_url())).await,
        ask(Method::POST, format!("{}/v1/keys", stack.write_url())).await,
    ]
}

#[tokio::test]
async fn a_shop_asks_as_much_as_its_own_quota_and_another_is_not_concerned() {
    let stack = TestStack::start(false).await;
    let (shop, other) = (Shop::open(&stack, "slow").await, Shop::open(&stack, "fast").await);
    let keys = [shop.key("owner", &[]).await.1, other.key("owner", &[]).await.1];
    let is_refused = |codes: &[String]| codes.iter().any(|code| code == "429 too_many_requests");
    set(&shop, json!({"reads_per_second": 1, "commands_per_second": 1})).await;
    eventually("both servers hold it", PATIENCE, || async {
        let met = codes(&stack, &keys[0]).await;
        if met.iter().all(|codes| is_refused(codes)) { Ok(()) } else { Err(format!("{met:?}")) }
    })
    .await;
    let met = codes(&stack, &keys[1]).await;
    assert!(!met.iter().any(|codes| is_refused(codes)), "{met:?}");
    set(&shop, json!({"reads_per_second": 1000})).await;
    eventually("it goes on", PATIENCE, || async {
        let met = codes(&stack, &keys[0]).await;
        if met.iter().any(|codes| is_refused(codes)) { Err(format!("{met:?}")) } else { Ok(()) }
    })
    .await;
}

#[tokio::test]
async fn a_shop_that_has_all_its_storage_gets_smaller_and_not_larger() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "full").await;
    shop.bulk_all("products", &lines(0..2)).await;
    set(&shop, json!({"storage_mib": 0})).await;
    let shown = || async {
        let answer = shop.request(Method::GET, "/v1/tenants/full/quotas").send().await.expect("an answer");
        Shop::answer(answer).await.body
    };
    eventually("it is measured", MEASURED, || async {
        let shown = shown().await;
        let has = |name: &str| shown["usage"][name].as_u64().unwrap_or_default();
        if has("products") == 2 && has("bytes") > 500 { Ok(()) } else { Err(shown.to_string()) }
    })
    .await;
    let answers = until_refused(&shop, 10..11, 1).await;
    let problem = &answers[0]["problem"];
    assert_eq!((&problem["code"], &problem["status"]), (&json!("quota_exceeded"), &json!(403)));
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("`storage_mib`")), "{problem}");
    let mut larger = product_line("q-0", "Lamp 0");
    larger["description"] = json!("x".repeat(1_000));
    let long = shop.bulk("products", &[larger]).await.expect("answered");
    assert_eq!(long.0[0]["problem"]["code"], "quota_exceeded", "{long:?}");
    shop.bulk_all("products", &[product_line("q-0", "Lamp of 2026"), product_line("q-1", "L")]).await;
    // Keys and what shoppers do are not concerned.
    shop.key("search", &[]).await;
    set(&shop, json!({"storage_mib": 10})).await;
    until_refused(&shop, 10..11, 0).await;
    assert_eq!(shown().await["quotas"], json!({"storage_mib": 10}));
    let said = tokio::process::Command::new(programs().join("souk"))
        .args(["tenant", "quotas", "full", "--write-url", &stack.write_url(), "--key"])
        .arg(stack.key().key.expect("a key"))
        .output()
        .await
        .expect("souk has run");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("storage mib 10") && said.contains("2 products"), "{said}");
}
