use super::{super::known::KnownCustomer, *};
use crate::{goods::Offer, pieces::Pieces};
use schemas::{
    Timestamp,
    buyer::Buyer,
    cart::Cart,
    events::{
        carts::{CartCreated, CartLine},
        pricing::PriceEntry,
    },
    good::Good,
    ids::{CategoryId, LineId, ProductId},
    money::Currency,
    quote::NoticeCode,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const LAMPS: u128 = 7;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// Pieces of one variant at a price, in a category.
fn offer(n: u128, cents: i64, category: u128) -> (VariantId, Offer) {
    let good = Good {
        variant_id: VariantId(id(n)),
        product_id: ProductId(id(n + 100)),
        version: 1,
        is_published: true,
        sku: format!("SKU-{n}"),
        slug: format!("thing-{n}"),
        title: format!("Thing {n}"),
        options: BTreeMap::new(),
        brand: None,
        image: None,
        category_ids: BTreeSet::from([CategoryId(id(category))]),
        attributes: BTreeMap::new(),
        tax_class: None,
        weight_grams: None,
    };
    (good.variant_id, Offer { good, prices_version: 1, prices: vec![PriceEntry::always(Currency::USD, cents)] })
}

/// A cart with two lamps of 10.00 and a bulb of 2.50.
fn cart() -> StoredCart {
    let created = CartCreated { owner: Buyer::guest(Uuid::nil()), currency: Currency::USD, channel: None };
    let line = |n: u128, quantity| CartLine {
        line_id: LineId(id(n + 200)),
        product_id: ProductId(id(n + 100)),
        variant_id: VariantId(id(n)),
        quantity,
        options: BTreeMap::new(),
    };
    let cart = Cart { lines: vec![line(1, 2), line(2, 1)], ..Cart::begun(created) };
    let (begun_at, touched_at) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
    StoredCart { id: id(300), version: 1, cart, begun_at, touched_at }
}

fn content(effect: &Value, more: &Value) -> PromotionContent {
    let mut content = json!({"title": "A", "effect": effect});
    for (name, value) in more.as_object().expect("an object") {
        content[name] = value.clone();
    }
    serde_json::from_value(content).expect("a promotion")
}

fn percent(rate_ppm: u32, more: &Value) -> PromotionContent {
    content(&json!({"kind": "percentage", "rate_ppm": rate_ppm}), more)
}

/// What is known, with these promotions running.
fn known(running: Vec<(&str, PromotionContent)>) -> Known {
    let offers = [offer(1, 1_000, LAMPS), offer(2, 250, 8), offer(3, 400, 8)];
    let pieces = offers.iter().map(|(variant, _)| (*variant, Pieces::Plenty)).collect();
    let applicable = |(name, content): (&str, PromotionContent)| Draft::new(name.to_owned(), content).0;
    let promotions = ForCart { applicable: running.into_iter().map(applicable).collect(), refused: Vec::new() };
    Known { offers: Arc::new(offers.into()), pieces: Arc::new(pieces), promotions, ..Known::default() }
}

fn tried(running: Vec<(&str, PromotionContent)>, draft: PromotionContent) -> Tried {
    Tried::of(&cart(), &known(running), &Draft::new("draft".to_owned(), draft)).expect("prices")
}

/// The promotions that count, each with what it takes off.
fn counted(quote: &Quote) -> Vec<(&str, i64)> {
    quote.discounts.iter().map(|discount| (discount.promotion.as_str(), discount.amount)).collect()
}

#[test]
fn a_draft_takes_off_what_it_would_if_it_were_there() {
    let draft = percent(100_000, &json!({"target": {"categories": [id(LAMPS)]}}));
    let tried = tried(Vec::new(), draft);
    assert_eq!((tried.before.totals.total, tried.after.totals.total), (2_250, 2_050));
    assert_eq!((counted(&tried.before), counted(&tried.after)), (vec![], vec![("draft", 200)]));
}

#[test]
fn a_draft_displaces_what_it_does_not_go_with() {
    let alone = json!({"stacking": {"is_exclusive": true}});
    let running = vec![("sale", percent(200_000, &json!({})))];
    let exclusive = tried(running, percent(100_000, &alone));
    assert_eq!((counted(&exclusive.before), counted(&exclusive.after)), (vec![("sale", 450)], vec![("draft", 225)]));
    let group = json!({"stacking": {"group": "one-of"}});
    let better = tried(vec![("sale", percent(200_000, &group))], percent(300_000, &group));
    assert_eq!((counted(&better.before), counted(&better.after)), (vec![("sale", 450)], vec![("draft", 675)]));
    let worse = tried(vec![("sale", percent(200_000, &group))], percent(100_000, &group));
    assert_eq!(counted(&worse.after), [("sale", 450)]);
    let notice = worse.after.notices.iter().find(|notice| notice.promotion.as_deref() == Some("draft"));
    assert_eq!(notice.map(|notice| notice.code), Some(NoticeCode::PromotionOutdone));
}

#[test]
fn a_draft_takes_the_place_of_the_promotion_of_its_name() {
    let tried = tried(vec![("draft", percent(500_000, &json!({})))], percent(100_000, &json!({})));
    assert_eq!((counted(&tried.before), counted(&tried.after)), (vec![("draft", 1_125)], vec![("draft", 225)]));
}

#[test]
fn a_draft_that_needs_a_code_is_tried_as_if_the_cart_had_one() {
    let draft = Draft::new("draft".to_owned(), percent(100_000, &json!({"needs_code": true})));
    assert!(draft.assumes_code());
    let tried = Tried::of(&cart(), &known(Vec::new()), &draft).expect("prices");
    assert_eq!(counted(&tried.after), [("draft", 225)]);
}

#[test]
fn a_gift_of_the_draft_is_added_if_it_was_looked_up() {
    let draft = content(&json!({"kind": "gift", "variant": id(3), "quantity": 1}), &json!({}));
    assert_eq!(Draft::new("draft".to_owned(), draft.clone()).gifts(), BTreeSet::from([VariantId(id(3))]));
    let tried = tried(Vec::new(), draft);
    assert_eq!((tried.before.lines.len(), tried.after.lines.len()), (2, 3));
    assert_eq!((tried.after.totals.total, counted(&tried.after)), (2_250, vec![("draft", 400)]));
}

#[test]
fn conditions_look_at_whoever_has_the_cart() {
    let draft = Draft::new("draft".to_owned(), percent(100_000, &json!({"conditions": {"first_order": true}})));
    let of = |has_ordered| {
        let customer = Some(KnownCustomer { groups: BTreeSet::new(), has_ordered });
        Tried::of(&cart(), &Known { customer, ..known(Vec::new()) }, &draft).expect("prices")
    };
    assert_eq!((counted(&of(false).after).len(), counted(&of(true).after).len()), (1, 0));
}
