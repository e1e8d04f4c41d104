//! What a shop decides of tax, shipping, places and payments is read back at once by those who send the token, in its shop only,
//! and shown to shoppers.

use acceptance::{
    digest,
    eventually::eventually,
    quiet::until_quiet,
    shop::{PATIENCE, Read, Shop},
    stack::TestStack,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const ZONES: &str = "/v1/settings/tax-zones";
const METHODS: &str = "/v1/settings/shipping-methods";
const POLICY: &str = "/v1/settings/policy";

fn token(answer: &Value) -> String {
    answer["token"].as_str().expect("a token").to_owned()
}

fn zone(country: &str, rate_ppm: u32) -> Value {
    let rate = json!({"class": "standard", "jurisdiction": country, "title": "VAT", "rate_ppm": rate_ppm});
    json!({"areas": [{"country": country}], "mode": "inclusive", "rates": [rate]})
}

fn method(title: &str, areas: &Value, position: i32) -> Value {
    let tiers =
        json!([{"from_value": 0, "from_grams": 0, "amount": 499}, {"from_value": 5000, "from_grams": 0, "amount": 0}]);
    json!({"title": title, "areas": areas, "prices": [{"currency": "EUR", "tiers": tiers}], "is_pickup": false, "position": position})
}

fn policy(order_prefix: &str) -> Value {
    json!({
        "home": {"country": "CH"}, "time_zone": "Europe/Zurich", "prices": "inclusive", "foreign_prices": "net_fixed",
        "payments": [{"method": "transfer", "deadline_minutes": 60}, {"method": "card", "deadline_minutes": 30}],
        "payment_attempts": 3, "late_payments": "refund", "cart_days": 7, "order_prefix": order_prefix,
        "cash_rounding": [{"currency": "CHF", "to": 5}], "least_order": [{"amount": 1000, "currency": "EUR"}],
    })
}

fn names(read: &Read, list: &str) -> Vec<String> {
    let listed = read.body[list].as_array().expect(list).iter();
    listed.map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_is_read_back_at_once_replaced_and_removed() {
    let stack = TestStack::start(false).await;
    let (ours, theirs) = (Shop::open(&stack, "decided").await, Shop::open(&stack, "undecided").await);
    let path = format!("{ZONES}/germany");
    let made = ours.command(Method::PUT, &path, None, &zone("DE", 190_000)).await;
    let read = ours.read(&path, Some(&token(&made))).await;
    assert!(read.fresh, "{read:?}");
    assert_eq!((&read.body["version"], &read.body["definition"]), (&json!(1), &zone("DE", 190_000)));
    let replaced = ours.command(Method::PUT, &path, Some(1), &zone("DE", 160_000)).await;
    let read = ours.read(&path, Some(&token(&replaced))).await;
    assert_eq!((read.fresh, &read.body["definition"]), (true, &zone("DE", 160_000)));
    assert_eq!(theirs.read(&path, None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(theirs.read(ZONES, None).await.body["settings"], json!([]));

    let removed = ours.command(Method::DELETE, &path, Some(2), &Value::Null).await;
    let read = ours.read(&path, Some(&token(&removed))).await;
    assert_eq!(read.status, StatusCode::NOT_FOUND, "{read:?}");
    // Its area is free again, for a zone of another name as well.
    let other = ours.command(Method::PUT, &format!("{ZONES}/federal"), None, &zone("DE", 190_000)).await;
    let listed = ours.read(ZONES, Some(&token(&other))).await;
    assert_eq!((listed.fresh, names(&listed, "settings")), (true, vec!["federal".to_owned()]));
    for kind in ["moods", "policies"] {
        assert_eq!(ours.read(&format!("/v1/settings/{kind}"), None).await.status, StatusCode::NOT_FOUND, "{kind}");
    }
    assert_eq!(ours.read(&format!("{ZONES}?limit=0"), None).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_decided_nothing_has_a_policy_until_it_decides_another() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "policed").await;
    let read = shop.read(POLICY, None).await;
    let (decided, version) = (&read.body["is_decided"], &read.body["version"]);
    assert_eq!((read.status, decided, version), (StatusCode::OK, &json!(false), &json!(0)), "{read:?}");
    assert_eq!(
        (&read.body["definition"]["time_zone"], &read.body["definition"]["home"]["country"]),
        (&json!("UTC"), &json!("US"))
    );
    // What is shown can be put as it is.
    let made = shop.command(Method::PUT, POLICY, None, &read.body["definition"]).await;
    let read = shop.read(POLICY, Some(&token(&made))).await;
    assert_eq!((read.fresh, &read.body["is_decided"], &read.body["version"]), (true, &json!(true), &json!(1)));
    let other = shop.command(Method::PUT, POLICY, Some(1), &policy("SO-")).await;
    let read = shop.read(POLICY, Some(&token(&other))).await;
    assert_eq!((read.fresh, &read.body["definition"]), (true, &policy("SO-")));
    let removed = shop.command(Method::DELETE, POLICY, Some(2), &Value::Null).await;
    let read = shop.read(POLICY, Some(&token(&removed))).await;
    assert_eq!((read.fresh, &read.body["is_decided"]), (true, &json!(false)), "{read:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn shoppers_see_how_the_shop_sells_and_what_shipping_costs_them() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "shown").await;
    let shopper = shop.with_key(&shop.key("search", &[]).await.1);
    let before = shopper.read("/v1/shop", None).await;
    assert_eq!(
        (before.status, &before.body["channels"], &before.body["ships_to"]),
        (StatusCode::OK, &json!([]), &json!([]))
    );
    let offered = shopper.read("/v1/shipping-methods?country=DE", None).await;
    assert_eq!((&offered.body["currency"], &offered.body["methods"]), (&json!("USD"), &json!([])));

    let channel = json!({"title": "Web shop", "currencies": ["EUR", "CHF"]});
    let mut tokens = vec![token(&shop.command(Method::PUT, "/v1/settings/channels/web", None, &channel).await)];
    tokens.push(token(&shop.command(Method::PUT, POLICY, None, &policy("")).await));
    let areas = [
        ("express", json!([{"country": "DE", "postal_prefix": "10"}]), 1),
        ("standard", json!([{"country": "DE"}, {"country": "AT"}]), 2),
        ("abroad", json!([{"country": "US", "region": "CA"}]), 3),
    ];
    for (name, areas, position) in areas {
        let made = shop.command(Method::PUT, &format!("{METHODS}/{name}"), None, &method(name, &areas, position)).await;
        tokens.push(token(&made));
    }
    let tokens = tokens.join(",");
    let shown = shopper.read("/v1/shop", Some(&tokens)).await;
    assert!(shown.fresh, "{shown:?}");
    assert_eq!(shown.body["currencies"], json!(["EUR", "CHF"]));
    assert_eq!(shown.body["payment_methods"], json!(["transfer", "card"]));
    assert_eq!((&shown.body["home_country"], &shown.body["prices"]), (&json!("CH"), &json!("inclusive")));
    assert_eq!((&shown.body["ships_to"], &shown.body["ships_worldwide"]), (&json!(["AT", "DE", "US"]), &json!(false)));
    for (query, wanted) in [
        ("country=DE&postal_code=10115", vec!["express", "standard"]),
        ("country=de&postal_code=10%20115", vec!["express", "standard"]),
        ("country=DE&postal_code=80331", vec!["standard"]),
        ("country=DE", vec!["standard"]),
        ("country=US&region=CA", vec!["abroad"]),
        ("country=US", vec![]),
        ("country=DE&currency=CHF", vec![]),
    ] {
        let read = shopper.read(&format!("/v1/shipping-methods?{query}"), Some(&tokens)).await;
        assert_eq!(
            (read.fresh, names(&read, "methods")),
            (true, wanted.iter().map(ToString::to_string).collect()),
            "{query}"
        );
    }
    let read = shopper.read("/v1/shipping-methods?country=DE", Some(&tokens)).await;
    assert_eq!((&read.body["currency"], &read.body["methods"][0]["tiers"][1]["amount"]), (&json!("EUR"), &json!(0)));
    for (query, wrong) in [("", "country"), ("?country=XX", "country"), ("?country=DE&currency=euro", "currency")] {
        let read = shopper.read(&format!("/v1/shipping-methods{query}"), None).await;
        assert_eq!(read.status, StatusCode::BAD_REQUEST, "{query}: {read:?}");
        assert!(read.body.to_string().contains(wrong), "{query}: {read:?}");
    }
    // Who shops sees no more of it.
    assert_eq!(shopper.read(ZONES, None).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_zones_that_want_an_area_at_once_one_gets_it() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "contested").await;
    let staff = shop.with_key(&shop.key("staff", &["settings.write"]).await.1);
    let rivals: Vec<_> = (0..6)
        .map(|number| {
            let request = staff.request(Method::PUT, &format!("{ZONES}/rival-{number}")).json(&zone("DE", 190_000));
            tokio::spawn(async move { Shop::answer(request.send().await.expect("an answer")).await })
        })
        .collect();
    let mut answers = Vec::new();
    for rival in rivals {
        answers.push(rival.await.expect("no panic"));
    }
    let made: Vec<&Read> = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).collect();
    assert_eq!(made.len(), 1, "{answers:?}");
    for refused in answers.iter().filter(|answer| answer.status != StatusCode::CREATED) {
        assert_eq!((refused.status, &refused.body["code"]), (StatusCode::CONFLICT, &json!("tax_area_taken")));
        assert_eq!(refused.body["errors"][0]["pointer"], "/areas/0");
    }
    let listed = shop.read(ZONES, Some(&token(&made[0].body))).await;
    assert_eq!((listed.fresh, names(&listed, "settings").len()), (true, 1), "{listed:?}");
    let other = shop.with_key(&shop.key("staff", &["pricing.write"]).await.1);
    let request = other.request(Method::PUT, &format!("{ZONES}/austria")).json(&zone("AT", 200_000));
    assert_eq!(request.send().await.expect("an answer").status(), StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_bring_back_nothing_that_was_replaced_or_removed() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "settled").await;
    shop.command(Method::PUT, &format!("{ZONES}/kept"), None, &zone("DE", 160_000)).await;
    shop.command(Method::PUT, &format!("{ZONES}/kept"), Some(1), &zone("DE", 190_000)).await;
    shop.command(Method::PUT, &format!("{ZONES}/gone"), None, &zone("AT", 200_000)).await;
    shop.command(Method::DELETE, &format!("{ZONES}/gone"), Some(1), &Value::Null).await;
    until_quiet(&stack).await;
    let before = digest::take(&stack).await;
    let read = async || -> i64 {
        sqlx::query_scalar(
            "SELECT coalesce(sum(next_offset), 0)::bigint FROM checkpoints WHERE topic LIKE '%settings%'",
        )
        .fetch_one(&stack.read)
        .await
        .expect("checkpoints")
    };
    assert_eq!(read().await, 4);
    sqlx::query("UPDATE settings.outbox SET published_at = NULL").execute(&stack.write).await.expect("marked");
    eventually("the duplicates have been read", PATIENCE, || async {
        let read = read().await;
        if read == 8 { Ok(()) } else { Err(format!("{read} of 8")) }
    })
    .await;
    assert_eq!(digest::take(&stack).await, before);
    let listed = shop.read(ZONES, None).await.body;
    assert_eq!(listed["settings"].as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(listed["settings"][0]["definition"], zone("DE", 190_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_demo_decides_keeps_every_rule() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "demo-like").await;
    let mut tokens = Vec::new();
    for (path, body) in launcher::demo::settings::all().expect("JSON") {
        tokens.push(token(&shop.command(Method::PUT, &path, None, &body).await));
    }
    let shown = shop.read("/v1/shop", Some(&tokens.join(","))).await;
    assert_eq!((shown.fresh, &shown.body["ships_to"]), (true, &json!(["CA", "DE", "US"])), "{shown:?}");
    assert_eq!(shown.body["payment_methods"], json!(["card", "transfer", "cash_on_delivery"]));
    let offered = shop.read("/v1/shipping-methods?country=US&region=CA", None).await;
    assert_eq!(names(&offered, "methods"), ["standard", "express", "pickup"]);
}
