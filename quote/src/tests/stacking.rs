//! How promotions go with each other, and which of them count at all.

use super::given::*;
use crate::{Facts, NoticeCode, facts::Customer};
use schemas::events::{
    promotions::{Conditions, Effect, PromotionContent, Stacking},
    settings::TaxMode,
};
use std::collections::BTreeSet;

fn cart() -> Facts {
    shop("USD", TaxMode::Inclusive, vec![], vec![line(1, "USD", 10_000, 1), line(2, "USD", 5_000, 2)])
}

fn stacked(stacking: Stacking, content: PromotionContent) -> PromotionContent {
    PromotionContent { stacking, ..content }
}

fn exclusive() -> Stacking {
    Stacking { is_exclusive: true, ..Stacking::default() }
}

fn in_group(name: &str) -> Stacking {
    Stacking { group: Some(name.to_owned()), ..Stacking::default() }
}

#[test]
fn the_rest_count_by_priority_and_then_by_name() {
    let first = Stacking { priority: -1, ..Stacking::default() };
    let quote = cart()
        .with("a", promotion(percent(100_000)))
        .with("b", promotion(percent(100_000)))
        .with("z", stacked(first, promotion(percent(500_000))))
        .priced();
    assert_eq!(discounts(&quote), [("z", 10_000), ("a", 1_000), ("b", 900)], "each on what is left");
}

#[test]
fn those_of_items_go_before_those_of_the_order() {
    let first = Stacking { priority: -1, ..Stacking::default() };
    let quote =
        cart().with("a", stacked(first, off_order(percent(100_000)))).with("b", promotion(percent(500_000))).priced();
    assert_eq!(discounts(&quote), [("b", 10_000), ("a", 1_000)]);
}

#[test]
fn an_exclusive_one_counts_alone() {
    let quote = cart()
        .with("small", stacked(exclusive(), promotion(percent(10_000))))
        .with("smaller", stacked(exclusive(), promotion(percent(5_000))))
        .with("large", promotion(percent(500_000)))
        .priced();
    assert_eq!(discounts(&quote), [("small", 200)]);
    assert_eq!(codes(&quote), [NoticeCode::PromotionOutdone; 2]);
    assert_eq!(quote.notices[0].words, "smaller: small counts instead.");
}

#[test]
fn an_exclusive_one_that_takes_nothing_off_leaves_the_others() {
    let quote = cart()
        .with("other", PromotionContent { target: on(&[7]), ..stacked(exclusive(), promotion(percent(900_000))) })
        .with("large", promotion(percent(500_000)))
        .priced();
    assert_eq!(discounts(&quote), [("large", 10_000)]);
    assert_eq!(codes(&quote), [NoticeCode::PromotionTakesNothingOff]);
}

#[test]
fn the_best_of_a_group_counts() {
    let quote = cart()
        .with("ten", stacked(in_group("sale"), promotion(percent(100_000))))
        .with("fixed", stacked(in_group("sale"), promotion(Effect::Amount { amounts: amounts("USD", 2_500) })))
        .with("other", stacked(in_group("news"), promotion(percent(100_000))))
        .priced();
    assert_eq!(discounts(&quote), [("fixed", 2_500), ("other", 1_750)]);
    assert_eq!(codes(&quote), [NoticeCode::PromotionOutdone]);
}

#[test]
fn the_next_of_a_group_counts_where_the_best_falls_short_with_the_others() {
    let least = |amount| Conditions { least_value: amounts("USD", amount), ..Conditions::default() };
    let best = PromotionContent { conditions: least(15_000), ..stacked(in_group("sale"), off_order(percent(300_000))) };
    let quote = cart()
        .with("best", best)
        .with("next", stacked(in_group("sale"), off_order(percent(200_000))))
        .with("half", promotion(percent(500_000)))
        .priced();
    assert_eq!(discounts(&quote), [("half", 10_000), ("next", 2_000)]);
    let notice = &quote.notices[0];
    assert_eq!(notice.words, "best: it counts from 150.00 USD of goods on, and there are 100.00 USD.");
    assert_eq!((notice.code, notice.is_for_staff), (NoticeCode::PromotionMinimumNotReached, false));
}

#[test]
fn what_an_order_has_to_be_worth_is_measured_after_items() {
    let least = Conditions { least_value: amounts("USD", 20_000), ..Conditions::default() };
    let with = |content: PromotionContent| {
        let content = PromotionContent { conditions: least.clone(), ..content };
        cart().with("a", promotion(percent(10_000))).with("least", content).priced()
    };
    assert_eq!(discounts(&with(promotion(percent(100_000)))), [("a", 200), ("least", 1_980)], "of items: before");
    assert_eq!(discounts(&with(off_order(percent(100_000)))), [("a", 200)], "of the order: after");
}

#[test]
fn a_second_one_of_the_order_is_measured_like_the_first() {
    let least = Conditions { least_value: amounts("USD", 20_000), ..Conditions::default() };
    let off = |content| PromotionContent { conditions: least.clone(), ..content };
    let quote = cart().with("a", off(off_order(percent(500_000)))).with("b", off(off_order(percent(500_000)))).priced();
    assert_eq!(discounts(&quote), [("a", 10_000), ("b", 5_000)]);
}

fn reason(facts: &Facts) -> NoticeCode {
    let quote = facts.priced();
    assert_eq!(quote.totals.discount, 0);
    quote.notices[0].code
}

#[test]
fn each_reason_has_its_code() {
    let plain = || promotion(percent(100_000));
    let when = |conditions| cart().with("p", PromotionContent { conditions, ..plain() });
    let exhausted = |facts: Facts, change: fn(&mut crate::facts::Exhausted)| {
        let mut facts = facts;
        facts.promotions.values_mut().for_each(|fact| change(&mut fact.exhausted));
        facts
    };
    let with_code = || cart().with("p", PromotionContent { needs_code: true, ..plain() });
    let cases = [
        (with_code(), NoticeCode::PromotionNeedsCode),
        (
            exhausted(with_code().with_code("C", "p"), |exhausted| exhausted.codes.extend(["C".to_owned()])),
            NoticeCode::CodeExhausted,
        ),
        (exhausted(cart().with("p", plain()), |exhausted| exhausted.in_all = true), NoticeCode::PromotionExhausted),
        (
            exhausted(cart().with("p", plain()), |exhausted| exhausted.by_customer = true),
            NoticeCode::PromotionExhaustedForCustomer,
        ),
        (
            cart().with("p", PromotionContent { from: Some(at("2027-01-01T00:00:00Z")), ..plain() }),
            NoticeCode::PromotionNotStarted,
        ),
        (
            when(Conditions { channels: vec!["app".into()], ..Conditions::default() }),
            NoticeCode::PromotionInOtherChannel,
        ),
        (
            when(Conditions { groups: vec!["club".into()], ..Conditions::default() }),
            NoticeCode::PromotionForOtherCustomers,
        ),
        (when(Conditions { first_order: true, ..Conditions::default() }), NoticeCode::PromotionForFirstOrder),
        (when(Conditions { least_quantity: 4, ..Conditions::default() }), NoticeCode::PromotionMinimumNotReached),
        (
            when(Conditions { least_value: amounts("EUR", 1), ..Conditions::default() }),
            NoticeCode::PromotionInOtherCurrency,
        ),
        (cart().with("p", PromotionContent { target: on(&[7]), ..plain() }), NoticeCode::PromotionTakesNothingOff),
        (cart().with_code("C", "gone"), NoticeCode::CodeUnknown),
    ];
    for (facts, expected) in cases {
        assert_eq!(reason(&facts), expected);
    }
}

#[test]
fn who_buys_and_where_is_looked_at() {
    let conditions = Conditions {
        groups: vec!["club".into(), "trade".into()],
        channels: vec!["app".into()],
        first_order: true,
        least_quantity: 3,
        ..Conditions::default()
    };
    let facts = cart().with("p", PromotionContent { conditions, ..promotion(percent(100_000)) });
    let customer = Customer { groups: BTreeSet::from(["trade".to_owned()]), is_first_order: true };
    let known = Facts { customer: Some(customer), channel: Some("app".to_owned()), ..facts };
    assert_eq!(discounts(&known.priced()), [("p", 2_000)]);
    let mut again = known;
    again.customer = again.customer.map(|customer| Customer { is_first_order: false, ..customer });
    assert_eq!(reason(&again), NoticeCode::PromotionForFirstOrder);
}

#[test]
fn a_second_code_counts_where_the_first_is_used_up() {
    let content = PromotionContent { needs_code: true, ..promotion(percent(100_000)) };
    let mut facts = cart().with("p", content).with_code("A", "p").with_code("B", "p");
    facts.promotions.values_mut().for_each(|fact| fact.exhausted.codes.extend(["A".to_owned()]));
    let quote = facts.priced();
    assert_eq!(quote.discounts[0].code.as_deref(), Some("B"));
}
