use super::stack::{Stack, sent};
use reqwest::Method;
use serde_json::{Value, json};

fn zone(countries: &[&str]) -> Value {
    let areas: Vec<Value> = countries.iter().map(|country| json!({"country": country})).collect();
    let rate = json!({"class": "standard", "jurisdiction": "EU", "title": "VAT", "rate_ppm": 190_000});
    json!({"areas": areas, "mode": "inclusive", "rates": [rate]})
}

fn method(amount: i64) -> Value {
    let price = json!({"currency": "EUR", "tiers": [{"amount": amount}]});
    json!({"title": "Standard", "areas": [{"country": "DE"}], "prices": [price]})
}

fn policy(cart_days: u32) -> Value {
    json!({
        "home": {"country": "DE"}, "time_zone": "Europe/Berlin", "prices": "inclusive", "payment_attempts": 5,
        "cart_days": cart_days, "payments": [{"method": "card", "deadline_minutes": 30}],
    })
}

/// Something of each kind, with another for its place.
fn kinds() -> [(&'static str, Value, Value); 5] {
    let location = |ships: bool| json!({"title": "Main", "place": {"country": "DE"}, "ships": ships});
    let channel = |title: &str| json!({"title": title, "currencies": ["EUR"]});
    [
        ("tax-zones/one", zone(&["DE"]), zone(&["DE", "AT"])),
        ("shipping-methods/one", method(499), method(599)),
        ("locations/one", location(true), location(false)),
        ("channels/one", channel("Web"), channel("App")),
        ("policy", policy(30), policy(7)),
    ]
}

#[tokio::test]
async fn whatever_is_decided_is_replaced_for_a_version_and_removed() {
    let stack = Stack::start().await;
    for (place, first, second) in kinds() {
        let path = format!("/v1/settings/{place}");
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
    let types = "SELECT count(DISTINCT event_type) FROM settings.outbox WHERE partition_id = aggregate_id";
    assert_eq!(stack.count(types).await, 10);
    stack.stop().await;
}

#[tokio::test]
async fn a_setting_that_breaks_a_rule_is_pointed_at() {
    let stack = Stack::start().await;
    let refused = async |place: &str, body: Value| {
        let answer = stack.put(&format!("/v1/settings/{place}"), body).await;
        (answer.status, answer.pointers().join(" "))
    };
    let with = |mut body: Value, pointer: &str, value: Value| {
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    for (place, body, pointer) in [
        ("tax-zones/one", zone(&["UK"]), "/areas/0/country"),
        ("tax-zones/one", zone(&["DE", "DE"]), "/areas/1"),
        ("tax-zones/one", with(zone(&["DE"]), "/rates/0/rate_ppm", json!(1_000_001)), "/rates/0/rate_ppm"),
        ("shipping-methods/one", method(-1), "/prices/0/tiers/0/amount"),
        ("locations/one", json!({"title": "", "place": {"country": "xx"}, "ships": true}), "/title /place/country"),
        ("channels/one", json!({"title": "Web", "currencies": []}), "/currencies"),
        ("policy", with(policy(30), "/time_zone", json!("Europe/Nowhere")), "/time_zone"),
        ("policy", policy(366), "/cart_days"),
    ] {
        assert_eq!(refused(place, body).await, (422, pointer.to_owned()));
    }
    for (place, body, pointer) in [
        ("tax-zones/one", with(zone(&["DE"]), "/mode", json!("both")), "/mode"),
        ("tax-zones/one", with(zone(&["DE"]), "/rates/0/rate_ppm", json!(0.19)), "/rates/0/rate_ppm"),
        ("channels/one", json!({"title": "Web", "currencies": ["euro"]}), "/currencies/0"),
        ("channels/one", json!({"title": "Web", "currencies": ["EUR"], "colour": "red"}), "/colour"),
        ("locations/one", json!({"title": "A", "place": {"country": "DE", "town": "B"}, "ships": true}), "/place/town"),
    ] {
        assert_eq!(refused(place, body).await, (400, pointer.to_owned()));
    }
    assert_eq!(refused("tax-zones/One", zone(&["DE"])).await, (422, "name".to_owned()));
    let kind = stack.put("/v1/settings/moods/one", json!({})).await;
    assert_eq!((kind.status, kind.code()), (404, "not_found"));
    assert_eq!(stack.count("SELECT count(*) FROM settings.definitions").await, 0);
    stack.stop().await;
}

#[tokio::test]
async fn an_area_is_of_one_zone_also_if_several_want_it_at_once() {
    let stack = Stack::start().await;
    stack.open("other").await;
    let germany = "/v1/settings/tax-zones/germany";
    assert_eq!(stack.put(germany, zone(&["DE"])).await.status, 201);
    let taken = stack.put("/v1/settings/tax-zones/dach", zone(&["AT", "DE"])).await;
    assert_eq!((taken.status, taken.code(), taken.pointers()), (409, "tax_area_taken", vec!["/areas/1"]));
    assert!(taken.body["detail"].as_str().unwrap().contains("`germany`"), "{taken:?}");
    // Another shop has areas of its own.
    let theirs = stack.http.request(Method::PUT, format!("{}{germany}", stack.base)).header("x-tenant-slug", "other");
    assert_eq!(sent(theirs.json(&zone(&["DE"]))).await.status, 201);
    // What a zone gives up is free, and so is what a removed one had.
    assert_eq!(stack.at(Method::PUT, germany, 1, zone(&["CH"])).await.status, 200);
    let dach = stack.put("/v1/settings/tax-zones/dach", zone(&["AT", "DE"])).await;
    assert_eq!(dach.status, 201, "{dach:?}");
    assert_eq!(stack.at(Method::DELETE, "/v1/settings/tax-zones/dach", 1, Value::Null).await.status, 200);
    let at_once = (0..8).map(|number| {
        let path = format!("/v1/settings/tax-zones/rival-{number}");
        sent(stack.request(Method::PUT, &path).json(&zone(&["DE", "AT"])))
    });
    let answers = futures::future::join_all(at_once).await;
    let statuses = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((statuses(201), statuses(409)), (1, 7), "{answers:?}");
    assert!(answers.iter().filter(|answer| answer.status == 409).all(|answer| answer.code() == "tax_area_taken"));
    let areas = "SELECT count(*) FROM settings.tax_areas WHERE area IN ('AT', 'DE')";
    assert_eq!(stack.count(areas).await, 3, "two of ours and one of the other shop");
    stack.stop().await;
}

#[tokio::test]
async fn a_shop_has_a_bounded_number_of_channels() {
    let stack = Stack::start().await;
    let channel = |number: usize| {
        let path = format!("/v1/settings/channels/channel-{number}");
        (path, json!({"title": "A channel", "currencies": ["EUR"]}))
    };
    for number in 0..50 {
        let (path, body) = channel(number);
        assert_eq!(stack.put(&path, body).await.status, 201);
    }
    let (path, body) = channel(50);
    let refused = stack.put(&path, body.clone()).await;
    assert_eq!((refused.status, refused.code()), (409, "too_many_settings"), "{refused:?}");
    let (first, changed) = (channel(0).0, json!({"title": "Another", "currencies": ["EUR"]}));
    assert_eq!(stack.at(Method::PUT, &first, 1, changed).await.status, 200, "those that are there may change");
    assert_eq!(stack.at(Method::DELETE, &first, 2, Value::Null).await.status, 200);
    assert_eq!(stack.put(&path, body).await.status, 201);
    stack.stop().await;
}

#[tokio::test]
async fn a_setting_with_a_key_is_made_once() {
    let stack = Stack::start().await;
    let path = "/v1/settings/shipping-methods/one";
    let define = |amount| sent(stack.request(Method::PUT, path).header("idempotency-key", "k").json(&method(amount)));
    let (first, again, other) = (define(499).await, define(499).await, define(599).await);
    assert_eq!((first.status, again.status, again.header("idempotency-replayed")), (201, 201, "true"));
    assert_eq!(first.body, again.body);
    assert_eq!((other.status, other.code()), (422, "idempotency_key_reused"));
    stack.stop().await;
}
