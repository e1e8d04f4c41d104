use super::*;
use crate::promotions::{ForCart, Promotion, Used};
use schemas::{
    Timestamp, Uuid,
    buyer::Buyer,
    events::{carts::CartCreated, promotions::PromotionContent},
    ids::PromotionId,
};
use serde_json::json;
use std::sync::Arc;

fn cart(coupons: &[&str]) -> Cart {
    let owner = Buyer::guest(Uuid::nil());
    let begun = CartCreated { owner, currency: "EUR".parse().expect("a code"), channel: None };
    Cart { coupons: coupons.iter().map(|code| (*code).to_owned()).collect(), ..Cart::begun(begun) }
}

fn applicable(name: &str, code: Option<&str>, exhausted: crate::promotions::Exhausted) -> Applicable {
    let content: PromotionContent =
        serde_json::from_value(json!({"title": "A", "effect": {"kind": "shipping"}})).expect("a promotion");
    let promotion = Promotion { id: PromotionId(Uuid::nil()), version: 3, name: name.to_owned(), content };
    Applicable { promotion: Arc::new(promotion), code: code.map(str::to_owned), used: Used::default(), exhausted }
}

#[test]
fn a_code_is_what_the_views_say_and_one_that_is_none_is_unknown() {
    let refused = vec![("B".to_owned(), CouponStatus::Ended), ("C".to_owned(), CouponStatus::Exhausted)];
    let by_code = crate::promotions::Exhausted { by_code: true, ..Default::default() };
    let applicable = vec![
        applicable("spring", Some("A"), Default::default()),
        applicable("spring", Some("C"), by_code),
        applicable("for-all", None, Default::default()),
    ];
    let promotions = ForCart { applicable, refused };
    let known = Known { promotions, now: Timestamp::UNIX_EPOCH, ..Known::default() };
    let facts = facts(&cart(&["A", "B", "C", "D"]), &known);
    assert_eq!(facts.codes["A"], CodeFact::Promotion("spring".to_owned()));
    assert!(matches!(facts.codes["B"], CodeFact::Unusable(_)));
    assert_eq!(facts.codes["C"], CodeFact::Promotion("spring".to_owned()));
    assert_eq!(facts.codes["D"], CodeFact::Unknown);
    assert_eq!(facts.promotions.keys().collect::<Vec<_>>(), ["for-all", "spring"]);
    let spring = &facts.promotions["spring"];
    assert_eq!((spring.promotion.version, spring.exhausted.codes.len(), spring.exhausted.in_all), (3, 1, false));
}

#[test]
fn a_shop_that_has_decided_nothing_prices_carts_all_the_same() {
    let facts = facts(&cart(&[]), &Known::default());
    assert_eq!((facts.policy.version, facts.groups.len(), facts.customer.is_none()), (0, 1, true));
    let quote = quote::price(&facts).expect("a price");
    assert_eq!(quote.totals.total, 0);
    assert!(quote.obstacles().next().is_some(), "nothing can be ordered of an empty cart");
}
