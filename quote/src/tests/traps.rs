//! Traps that people reported of other shops, each with its right answer.

use super::given::*;
use crate::{
    Facts, NoticeCode, QuoteLine,
    facts::{CartLine, ShipmentGroup},
};
use schemas::{
    events::{
        promotions::{Effect, PromotionContent},
        settings::TaxMode,
    },
    quote::UnitShare,
};

const EXCLUSIVE: TaxMode = TaxMode::Exclusive;
const INCLUSIVE: TaxMode = TaxMode::Inclusive;

fn off(code: &str, amount: i64) -> Effect {
    Effect::Amount { amounts: amounts(code, amount) }
}

/// M01: tax is rounded once for a rate, half up.
#[test]
fn tax_is_rounded_once_for_each_rate() {
    let lines = (1..=3).map(|n| line(n, "EUR", 69_622, 1)).collect();
    let quote = shop("EUR", EXCLUSIVE, vec![rate("standard", "DK", 250_000)], lines).priced();
    assert_eq!((quote.totals.tax, quote.totals.total), (52_217, 261_083));
    assert_eq!(quote.lines.iter().map(|line| line.tax).collect::<Vec<_>>(), [17_406, 17_406, 17_405]);
    let quote = shop("EUR", EXCLUSIVE, vec![rate("standard", "DK", 50_000)], vec![line(1, "EUR", 1_050, 1)]).priced();
    assert_eq!(quote.totals.tax, 53);
}

/// M02: an amount off is gross where prices are gross.
#[test]
fn an_amount_off_is_in_the_mode_of_the_prices() {
    let rates = || vec![rate("standard", "DE", 190_000)];
    let facts =
        shop("EUR", INCLUSIVE, rates(), vec![line(1, "EUR", 119_000, 1)]).with("off", off_order(off("EUR", 11_900)));
    let totals = facts.priced().totals;
    assert_eq!((totals.total, totals.tax, totals.net), (107_100, 17_100, 90_000));
    let facts =
        shop("EUR", EXCLUSIVE, rates(), vec![line(1, "EUR", 100_000, 1)]).with("off", off_order(off("EUR", 10_000)));
    let totals = facts.priced().totals;
    assert_eq!((totals.total, totals.tax, totals.net), (107_100, 17_100, 90_000));
}

/// M04: nothing is converted.
#[test]
fn a_coupon_in_another_currency_does_not_count_and_says_so() {
    let cart = || shop("GBP", INCLUSIVE, vec![], vec![line(1, "GBP", 33_500, 1)]);
    let coupon = |amounts| PromotionContent { needs_code: true, ..off_order(Effect::Amount { amounts }) };
    let quote = cart().with("eur", coupon(amounts("EUR", 10_000))).with_code("HUNDRED", "eur").priced();
    assert_eq!((quote.totals.total, codes(&quote)), (33_500, vec![NoticeCode::PromotionInOtherCurrency]));
    let notice = &quote.notices[0];
    assert_eq!((notice.coupon.as_deref(), notice.is_for_staff), (Some("HUNDRED"), false));
    assert_eq!(notice.words, "eur: it does not count in GBP.");
    let stated = [amounts("EUR", 10_000), amounts("GBP", 8_425)].concat();
    let quote = cart().with("both", coupon(stated)).with_code("HUNDRED", "both").priced();
    assert_eq!((quote.totals.total, quote.lines[0].total), (25_075, 25_075));
    assert_eq!(quote.lines[0].unit(1).map(|unit| unit.total), Some(25_075), "what a refund gives back");
    assert_eq!(quote.notices, []);
}

/// M06: a gift is worth its list price, whatever that is, and is left out when it is sold out.
#[test]
fn a_gift_costs_nothing_whatever_its_list_price() {
    let gift = promotion(Effect::Gift { variant: variant(9), quantity: 1 });
    let cart = || {
        shop("USD", INCLUSIVE, vec![rate("standard", "DE", 100_000)], vec![line(1, "USD", 5_000, 1)])
            .with("gift", gift.clone())
    };
    let gift_of = |facts: &Facts| -> QuoteLine {
        let quote = facts.priced();
        assert_eq!(quote.totals.total, 5_000);
        quote.lines.into_iter().find(|line| line.gift_of.is_some()).expect("a gift")
    };
    let before = gift_of(&cart().with_gift(9, "USD", 2_500, 1));
    assert_eq!((before.amount, before.discount, before.total, before.tax), (2_500, 2_500, 0, 0));
    let after = gift_of(&cart().with_gift(9, "USD", 3_000, 1));
    assert_eq!((after.amount, after.discount, after.total, after.tax), (3_000, 3_000, 0, 0));
    assert_eq!(before.id, after.id, "the line stays the same");
    let gone = cart().with_gift(9, "USD", 2_500, 0).priced();
    assert_eq!((gone.totals.total, gone.lines.len()), (5_000, 1));
    assert_eq!(gone.notices_for_shopper().map(|notice| notice.code).collect::<Vec<_>>(), [NoticeCode::GiftSoldOut]);
    assert_eq!(gone.obstacles().count(), 0, "the order goes on without it");
    let mut last_piece = cart().with_gift(9, "USD", 2_500, 1);
    last_piece.lines.push(line(9, "USD", 2_500, 1));
    assert!(codes(&last_piece.priced()).contains(&NoticeCode::GiftSoldOut), "the cart has the last one");
}

fn two_shipments(amounts: [i64; 2]) -> Facts {
    let lines = vec![line(1, "USD", 5_000, 1), CartLine { group: "other".to_owned(), ..line(2, "USD", 7_000, 1) }];
    let mut facts = shop("USD", INCLUSIVE, vec![], lines);
    for (name, amount) in [("main", amounts[0]), ("other", amounts[1])] {
        facts.groups.insert(name.to_owned(), ShipmentGroup { location: None, method: Some(name.to_owned()) });
        facts.shipping_methods.insert(name.to_owned(), post("USD", amount));
    }
    facts
}

/// M07: shipping is never below nothing.
#[test]
fn shipping_is_never_below_nothing() {
    let free = || promotion(Effect::Shipping { amounts: vec![] });
    let quote = two_shipments([500, 700]).with("a", free()).with("b", free()).priced();
    assert_eq!((quote.totals.shipping, quote.totals.shipping_discount, quote.totals.total), (0, 1_200, 12_000));
    assert_eq!(discounts(&quote), [("a", 1_200)]);
    assert_eq!(codes(&quote), [NoticeCode::PromotionTakesNothingOff]);
    let six = promotion(Effect::Shipping { amounts: amounts("USD", 600) });
    let quote = two_shipments([500, 700]).with("six", six).priced();
    assert_eq!(quote.totals.shipping, 600);
    assert_eq!(quote.shipping.iter().map(|charge| charge.discount).collect::<Vec<_>>(), [250, 350]);
}

/// M08: what costs nothing needs no payment.
#[test]
fn what_costs_nothing_needs_no_payment() {
    let facts = shop("USD", INCLUSIVE, vec![rate("standard", "DE", 190_000)], vec![line(1, "USD", 1_000, 1)]);
    let quote = facts.clone().with("off", off_order(off("USD", 1_000))).priced();
    assert_eq!((quote.totals.total, quote.totals.tax, quote.needs_payment), (0, 0, false));
    assert_eq!(quote.obstacles().count(), 0, "it can be ordered");
    assert!(facts.with("off", off_order(off("USD", 999))).priced().needs_payment);
}

/// M09: a span ends at an instant, which is no part of it.
#[test]
fn a_promotion_ends_with_the_day_of_the_shop() {
    // The end of 19 June in Asia/Kolkata.
    let until = Some(at("2026-06-19T18:30:00Z"));
    let facts = shop("INR", INCLUSIVE, vec![], vec![line(1, "INR", 100_000, 1)]).with(
        "june",
        PromotionContent { until, from: Some(at("2026-06-01T18:30:00Z")), ..promotion(percent(200_000)) },
    );
    let total = |now: &str| Facts { now: at(now), ..facts.clone() }.priced().totals.total;
    assert_eq!(total("2026-06-01T18:29:59Z"), 100_000);
    assert_eq!(total("2026-06-01T18:30:00Z"), 80_000);
    assert_eq!(total("2026-06-19T18:29:59Z"), 80_000);
    assert_eq!(total("2026-06-19T18:30:00Z"), 100_000);
    let over = Facts { now: at("2026-06-19T18:30:00Z"), ..facts.clone() }.priced();
    assert_eq!(over.notices[0].words, "june: it counted until 2026-06-19T18:30:00Z.");
    assert!(over.notices[0].is_for_staff);
}

/// M13: a line that is taken out before the capture, and pieces that are given back after it, are worth what was paid.
#[test]
fn pieces_are_worth_what_was_paid_for_them() {
    let lines = vec![line(1, "USD", 1_000, 8), line(2, "USD", 1_000, 2)];
    let quote = shop("USD", INCLUSIVE, vec![], lines).priced();
    let worth = |n: u128| -> i64 {
        let line = quote.line(line_id(n)).expect("a line");
        (1..=line.quantity).filter_map(|piece| line.unit(piece)).map(|unit| unit.total).sum()
    };
    assert_eq!((quote.totals.total, worth(1), worth(2)), (10_000, 8_000, 2_000));
    let thirds = shop("USD", EXCLUSIVE, vec![rate("standard", "DE", 70_000)], vec![line(1, "USD", 1_000, 3)])
        .with("off", promotion(off("USD", 100)))
        .priced();
    let units: Vec<UnitShare> = (1..=3).filter_map(|piece| thirds.lines[0].unit(piece)).collect();
    assert_eq!(
        units.iter().map(|unit| (unit.amount, unit.discount, unit.tax, unit.total)).collect::<Vec<_>>(),
        [(966, 33, 67, 1_033), (967, 33, 68, 1_035), (967, 34, 68, 1_035)]
    );
    assert_eq!(thirds.totals.total, 3_103);
    assert_eq!((thirds.lines[0].unit(0), thirds.lines[0].unit(4)), (None, None));
}
