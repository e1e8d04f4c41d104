//! Carts that can't be ordered, and numbers that can't be reckoned with.

use super::given::*;
use crate::{
    Facts, NoticeCode, PriceError,
    facts::{CartLine, Customer, GiftFact, MOST_PIECES, Versioned},
    price,
};
use schemas::{
    Uuid,
    events::{
        catalog::{ProductContent, Variant},
        pricing::PriceEntry,
        settings::{CashRounding, PaymentMethod, TaxMode},
    },
    good::{Good, Lineages},
    ids::ProductId,
    money::Money,
};

fn cart() -> Facts {
    shop(
        "USD",
        TaxMode::Inclusive,
        vec![rate("standard", "DE", 190_000)],
        vec![line(1, "USD", 1_000, 1), line(2, "USD", 500, 1)],
    )
}

#[test]
fn a_line_without_a_price_is_refused_and_nothing_is_converted() {
    let mut facts = cart();
    facts.lines[0].prices = sheet("EUR", 900);
    let quote = facts.priced();
    assert_eq!((quote.lines.len(), quote.totals.total), (1, 500));
    let notice = quote.obstacles().next().expect("a notice");
    assert_eq!((notice.code, notice.line), (NoticeCode::LineWithoutPrice, Some(line_id(1))));
    assert_eq!(notice.words, "Thing 1 has no price in USD.");
    facts.lines[0].prices = None;
    assert_eq!(facts.priced().totals.total, 500);
}

#[test]
fn a_price_counts_within_its_half_open_span() {
    let mut facts = cart();
    facts.lines.truncate(1);
    let sheet = facts.lines[0].prices.as_mut().expect("a sheet");
    sheet.value[0].valid_from = Some(at("2026-06-01T00:00:00Z"));
    sheet.value[0].valid_until = Some(at("2026-07-01T00:00:00Z"));
    sheet.value[0].sale_amount = Some(800);
    let lines = |now: &str| Facts { now: at(now), ..facts.clone() }.priced().lines.len();
    let times = ["2026-05-31T23:59:59Z", "2026-06-01T00:00:00Z", "2026-06-30T23:59:59Z", "2026-07-01T00:00:00Z"];
    assert_eq!(times.map(lines), [0, 1, 1, 0]);
    let line = &facts.priced().lines[0];
    assert_eq!((line.list_price, line.unit_price, line.total), (1_000, 800, 800));
}

#[test]
fn a_price_is_for_whoever_buys_so_many_pieces_of_a_variant() {
    let mut facts = cart();
    facts.lines.truncate(1);
    let base = PriceEntry::always(currency("USD"), 1_000);
    let of_many = PriceEntry { min_quantity: 3, list_amount: 900, ..base.clone() };
    let of_trade = PriceEntry { group: Some("trade".to_owned()), list_amount: 700, ..base.clone() };
    let of_app = PriceEntry { channel: Some("app".to_owned()), list_amount: 800, ..base.clone() };
    facts.lines[0].prices = Some(Versioned { version: 1, value: vec![base, of_many, of_trade, of_app] });
    let unit = |facts: &Facts| facts.priced().lines[0].unit_price;
    assert_eq!(unit(&facts), 1_000);
    assert_eq!(unit(&Facts { channel: Some("app".to_owned()), ..facts.clone() }), 800);
    let customer = Customer { groups: ["trade".to_owned()].into(), is_first_order: false };
    assert_eq!(unit(&Facts { customer: Some(customer), ..facts.clone() }), 700);
    let more = CartLine { id: line_id(7), quantity: 2, ..facts.lines[0].clone() };
    facts.lines.push(more);
    assert_eq!(unit(&facts), 900, "one and two pieces of one variant are three");
}

#[test]
fn a_line_is_made_of_what_the_catalog_knows() {
    let mut content = ProductContent::named("lamp", "Lamp");
    content.variants = vec![Variant::named(variant(1), "L-1")];
    content.tax_class = Some("reduced".to_owned());
    let product = (ProductId(Uuid::from_u128(5)), 3);
    let good =
        |is_published| Good::of(product, is_published, &content, variant(1), &Lineages::new()).expect("a variant");
    let of = |good: &Good, is_in_stock| CartLine::of((line_id(1), 2), "main", good, sheet("USD", 1), is_in_stock);
    let line = of(&good(true), true);
    assert_eq!((line.sku.as_str(), line.tax_class.as_deref(), line.product_version), ("L-1", Some("reduced"), 3));
    assert!(line.is_available);
    assert!(!of(&good(true), false).is_available && !of(&good(false), true).is_available);
    assert_eq!(GiftFact::of(&good(false), None, 4).available, 0);
    assert_eq!(GiftFact::of(&good(true), None, 4).available, 4);
}

#[test]
fn what_keeps_a_cart_from_being_ordered_is_said() {
    let said = |change: &dyn Fn(&mut Facts)| {
        let mut facts = cart();
        change(&mut facts);
        codes(&facts.priced())
    };
    assert_eq!(said(&|_| ()), []);
    assert_eq!(said(&|facts| facts.lines.clear()), [NoticeCode::NothingToOrder]);
    assert_eq!(said(&|facts| facts.lines[0].is_available = false), [NoticeCode::LineUnavailable]);
    assert_eq!(said(&|facts| facts.lines[0].group = "lost".into()), [NoticeCode::LineWithoutGroup]);
    assert_eq!(
        said(&|facts| facts.groups.values_mut().for_each(|group| group.method = None)),
        [NoticeCode::ShippingNotChosen]
    );
    assert_eq!(said(&|facts| facts.shipping_methods.clear()), [NoticeCode::ShippingNotOffered]);
    let each_method = |facts: &mut Facts, change: &dyn Fn(&mut schemas::events::settings::ShippingMethod)| {
        facts.shipping_methods.values_mut().for_each(|method| change(&mut method.value));
    };
    assert_eq!(
        said(&|facts| each_method(facts, &|method| method.most_grams = Some(199))),
        [NoticeCode::ShippingNotOffered]
    );
    assert_eq!(said(&|facts| each_method(facts, &|method| method.most_grams = Some(200))), []);
    assert_eq!(said(&|facts| each_method(facts, &|method| method.prices.clear())), [NoticeCode::ShippingNotOffered]);
    assert_eq!(
        said(&|facts| each_method(facts, &|method| method.prices[0].tiers.clear())),
        [NoticeCode::ShippingNotOffered]
    );
    let least = |amount| vec![Money { amount, currency: currency("USD") }];
    assert_eq!(said(&|facts| facts.policy.value.least_order = least(1_501)), [NoticeCode::LeastOrderNotReached]);
    assert_eq!(said(&|facts| facts.policy.value.least_order = least(1_500)), []);
}

#[test]
fn cash_is_rounded_and_nothing_else() {
    let mut facts = cart();
    facts.lines[0].prices = sheet("USD", 1_003);
    facts.policy.value.cash_rounding = vec![CashRounding { currency: currency("USD"), to: 5 }];
    let with = |payment| {
        let totals = Facts { payment, ..facts.clone() }.priced().totals;
        (totals.total, totals.cash_rounding, totals.net + totals.tax)
    };
    assert_eq!(with(None), (1_503, 0, 1_503));
    assert_eq!(with(Some(PaymentMethod::Card)), (1_503, 0, 1_503));
    assert_eq!(with(Some(PaymentMethod::CashOnDelivery)), (1_505, 2, 1_503));
}

#[test]
fn numbers_that_can_not_be_reckoned_with_name_their_line() {
    let refused = |change: &dyn Fn(&mut Facts)| {
        let mut facts = cart();
        change(&mut facts);
        price(&facts).expect_err("an error")
    };
    let [first, second] = [1, 2].map(line_id);
    assert_eq!(refused(&|facts| facts.lines[1].id = first), PriceError::DuplicateLine { line: first });
    assert_eq!(refused(&|facts| facts.lines[0].quantity = 0), PriceError::Quantity { line: first, quantity: 0 });
    let many = MOST_PIECES + 1;
    assert_eq!(refused(&|facts| facts.lines[0].quantity = many), PriceError::Quantity { line: first, quantity: many });
    assert_eq!(refused(&|facts| facts.lines[1].prices = sheet("USD", -1)), PriceError::NegativePrice { line: second });
    assert_eq!(refused(&|facts| facts.lines[1].prices = sheet("USD", i64::MAX)), PriceError::Overflow { line: second });
    let twice = PriceError::Overflow { line: first };
    assert_eq!(refused(&|facts| (facts.lines[0].quantity, facts.lines[0].prices) = (2, sheet("USD", i64::MAX))), twice);
    let amount =
        |amount: i64| move |facts: &mut Facts| drop(facts.shipping_methods.insert("post".into(), post("USD", amount)));
    let method = || PriceError::ShippingAmount { method: "post".to_owned() };
    assert_eq!(refused(&amount(-1)), method());
    assert_eq!(refused(&amount(i64::MAX)), method());
    let with_tax = |facts: &mut Facts| {
        facts.tax_zones.values_mut().for_each(|zone| zone.value.mode = TaxMode::Exclusive);
        facts.policy.value.prices = TaxMode::Exclusive;
        facts.lines[0].prices = sheet("USD", i64::MAX - 500);
    };
    assert!(matches!(refused(&with_tax), PriceError::Overflow { .. }));
    assert_eq!(
        refused(&|facts| facts.lines[0].quantity = 0).to_string(),
        format!("line {first} has 0 pieces; from 1 to 100000 are possible")
    );
}
