//! What a promotion may be, and where it is wrong.

use super::{at, content};
use crate::contexts::promotions::domain::Checked;
use schemas::Uuid;
use serde_json::{Value, json};

/// The pointers of what is wrong.
fn wrong(more: &Value) -> Vec<String> {
    match Checked::parse(content(more), at(0)) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.into_iter().map(|error| error.pointer).collect(),
    }
}

fn usd(amount: i64) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

#[test]
fn titles_are_bounded_and_spans_end_after_they_begin_and_later_than_now() {
    assert_eq!(wrong(&json!({"title": ""})), ["/title"]);
    assert_eq!(wrong(&json!({"title": "x".repeat(201)})), ["/title"]);
    assert_eq!(wrong(&json!({"title": "x".repeat(200)})), [""; 0]);
    assert_eq!(wrong(&json!({"from": at(20), "until": at(20)})), ["/until"]);
    assert_eq!(wrong(&json!({"until": at(0)})), ["/until"], "it would never count");
    assert_eq!(wrong(&json!({"from": at(-20), "until": at(1)})), [""; 0]);
}

#[test]
fn rates_and_sums_are_above_zero_and_each_currency_stands_once() {
    let rate = |ppm: u32| json!({"effect": {"kind": "percentage", "rate_ppm": ppm}});
    assert_eq!(wrong(&rate(0)), ["/effect/rate_ppm"]);
    assert_eq!(wrong(&rate(1_000_001)), ["/effect/rate_ppm"]);
    assert_eq!(wrong(&rate(1)), [""; 0]);
    assert_eq!(wrong(&rate(1_000_000)), [""; 0]);
    let amount = |sums: Value| json!({"effect": {"kind": "amount", "amounts": sums}});
    assert_eq!(wrong(&amount(json!([]))), ["/effect/amounts"]);
    assert_eq!(wrong(&amount(json!([usd(0)]))), ["/effect/amounts/0/amount"]);
    assert_eq!(wrong(&amount(json!([usd(-1)]))), ["/effect/amounts/0/amount"]);
    assert_eq!(wrong(&amount(json!([usd(i64::MAX)]))), ["/effect/amounts/0/amount"]);
    assert_eq!(wrong(&amount(json!([usd(5), usd(6)]))), ["/effect/amounts/1/currency"]);
    assert_eq!(wrong(&json!({"conditions": {"least_value": [usd(0)]}})), ["/conditions/least_value/0/amount"]);
    assert_eq!(wrong(&json!({"effect": {"kind": "shipping"}})), [""; 0], "all of shipping");
}

#[test]
fn an_effect_is_at_a_level_where_it_makes_sense() {
    let at_order = |effect: Value| wrong(&json!({"level": "order", "effect": effect}));
    let bundle = json!({"kind": "buy_get", "buy": 2, "get": 1, "rate_ppm": 1_000_000});
    assert_eq!(at_order(bundle.clone()), ["/level"]);
    assert_eq!(at_order(json!({"kind": "fixed_price", "prices": [usd(500)]})), ["/level"]);
    assert_eq!(at_order(json!({"kind": "amount", "amounts": [usd(500)]})), [""; 0]);
    let gift = json!({"kind": "gift", "variant": Uuid::from_u128(1), "quantity": 1});
    assert_eq!(at_order(gift.clone()), [""; 0], "from a value on that is measured after discounts of items");
    assert_eq!(wrong(&json!({"effect": bundle})), [""; 0]);
    let target = json!({"brands": ["Acme"]});
    assert_eq!(wrong(&json!({"effect": gift, "target": target})), ["/target"]);
    assert_eq!(wrong(&json!({"effect": {"kind": "shipping"}, "target": target})), ["/target"]);
    assert_eq!(wrong(&json!({"target": target})), [""; 0]);
    let none = json!({"kind": "buy_get", "buy": 0, "get": 0, "rate_ppm": 0, "most_times": 0});
    let all = ["/effect/buy", "/effect/get", "/effect/rate_ppm", "/effect/most_times"];
    assert_eq!(wrong(&json!({"effect": none})), all);
}

#[test]
fn tiers_ascend() {
    let tier = |pieces: u32, value: Option<i64>, rate: u32| json!({"from_quantity": pieces, "from_value": value.map(usd).into_iter().collect::<Vec<_>>(), "rate_ppm": rate});
    let tiers = |tiers: Vec<Value>| wrong(&json!({"effect": {"kind": "tiers", "tiers": tiers}}));
    assert_eq!(tiers(vec![]), ["/effect/tiers"]);
    assert_eq!(tiers(vec![tier(0, None, 10), tier(0, Some(5), 20), tier(3, Some(5), 30)]), [""; 0]);
    assert_eq!(tiers(vec![tier(3, None, 10), tier(3, None, 20)]), ["/effect/tiers/1"]);
    assert_eq!(tiers(vec![tier(3, None, 10), tier(4, None, 10)]), ["/effect/tiers/1/rate_ppm"]);
    assert_eq!(tiers(vec![tier(0, Some(9), 10), tier(1, Some(8), 20)]), ["/effect/tiers/1"]);
    assert_eq!(tiers(vec![tier(0, Some(9), 10), tier(1, None, 20)]), ["/effect/tiers/1"], "another currency: none");
    let many: Vec<Value> = (1..=21).map(|n| tier(n, None, n)).collect();
    assert_eq!(tiers(many), ["/effect/tiers"]);
}

#[test]
fn selections_are_bounded_and_name_each_thing_once() {
    let ids = |count: u128| (0..count).map(Uuid::from_u128).collect::<Vec<_>>();
    assert_eq!(wrong(&json!({"target": {"products": ids(500)}})), [""; 0]);
    assert_eq!(wrong(&json!({"target": {"products": ids(501)}})), ["/target/products"]);
    let twice = vec![Uuid::nil(), Uuid::nil()];
    assert_eq!(wrong(&json!({"conditions": {"goods": {"categories": twice}}})), ["/conditions/goods/categories"]);
    assert_eq!(wrong(&json!({"target": {"brands": ["Acme", "Acme"]}})), ["/target/brands/1"]);
    assert_eq!(wrong(&json!({"target": {"attributes": {"a/b": []}}})), ["/target/attributes/a~1b"]);
    assert_eq!(wrong(&json!({"conditions": {"groups": [""], "channels": ["web", "web"]}})).len(), 2);
    let odd: Vec<String> = (0..51).map(|n| n.to_string()).collect();
    assert_eq!(wrong(&json!({"conditions": {"channels": odd}})), ["/conditions/channels"]);
}

#[test]
fn limits_are_one_at_least_and_those_of_codes_need_codes() {
    assert_eq!(wrong(&json!({"limits": {"in_all": 0, "by_customer": 0}})), ["/limits/in_all", "/limits/by_customer"]);
    assert_eq!(wrong(&json!({"limits": {"by_code": 1}})), ["/limits/by_code"]);
    assert_eq!(wrong(&json!({"needs_code": true, "limits": {"by_code": 1}})), [""; 0]);
    assert_eq!(wrong(&json!({"stacking": {"is_exclusive": true, "group": "a"}})), ["/stacking/group"]);
    assert_eq!(wrong(&json!({"stacking": {"priority": i32::MIN, "group": "a"}})), [""; 0]);
}
