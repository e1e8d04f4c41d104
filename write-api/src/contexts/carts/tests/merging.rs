use super::rules::{CHECKOUT, added, begun, expired, line};
use crate::{
    contexts::carts::domain::{Cart, CartCommand, Rejection},
    domain::{Aggregate, scenario::Scenario},
};
use schemas::{
    Uuid,
    buyer::Buyer,
    events::carts::{
        CartAddressed, CartCouponApplied, CartCreated, CartEnd, CartLine, CartLocked, CartMerged, CartsEvent,
        MergeNotice,
    },
    ids::LineId,
};

const GUESTS: Uuid = Uuid::from_u128(40);

fn guests(currency: &str, events: impl IntoIterator<Item = CartsEvent>) -> Cart {
    let (owner, currency) = (Buyer::guest(Uuid::from_u128(2)), currency.parse().expect("a code"));
    let created = CartsEvent::Created(CartCreated { owner, currency, channel: None });
    [created].into_iter().chain(events).fold(None, |state, event| Cart::after(state, &event)).expect("a cart")
}

fn merge(other: Cart) -> CartCommand {
    CartCommand::Merge(GUESTS, Box::new(other))
}

fn merged(lines: Vec<CartLine>, coupons: &[&str], notices: Vec<MergeNotice>) -> CartsEvent {
    let coupons = coupons.iter().map(|code| (*code).to_owned()).collect();
    CartsEvent::Merged(CartMerged { cart_id: GUESTS, lines, coupons, notices })
}

fn coupon(code: &str) -> CartsEvent {
    CartsEvent::CouponApplied(CartCouponApplied { code: code.to_owned() })
}

/// M10: guest 2, customer 3, merged twice: one line of 5, not 7.
#[test]
fn a_merge_that_is_delivered_twice_counts_once() {
    let guest = guests("EUR", [added(20, 100, 2)]);
    let once = merged(vec![line(10, 100, 5)], &[], vec![]);
    Scenario::<Cart>::given([begun(), added(10, 100, 3)]).when(merge(guest.clone())).then([once.clone()]);
    let after = [begun(), added(10, 100, 3), once];
    Scenario::<Cart>::given(after.clone()).when(merge(guest.clone())).then_nothing();
    let cart = after.iter().fold(None, Cart::after).expect("a cart");
    assert_eq!(cart.lines, [line(10, 100, 5)]);
    // Also once a checkout holds it.
    let held = after.into_iter().chain([CartsEvent::Locked(CartLocked { checkout_id: CHECKOUT })]);
    Scenario::<Cart>::given(held).when(merge(guest)).then_nothing();
}

/// M10: 998 and 5 are 999, with a notice.
#[test]
fn a_merge_is_capped_with_a_notice() {
    let notice = MergeNotice::Capped { line_id: LineId(Uuid::from_u128(10)), asked: 1_003, quantity: 999 };
    Scenario::<Cart>::given([begun(), added(10, 100, 5)])
        .when(merge(guests("EUR", [added(20, 100, 998)])))
        .then([merged(vec![line(10, 100, 999)], &[], vec![notice])]);
}

#[test]
fn what_does_not_fit_is_told() {
    let own = (0..200).map(|n| added(n, 1_000 + n, 1));
    let own = [begun()].into_iter().chain(own).chain((0..10).map(|n| coupon(&format!("C{n}"))));
    let guest = guests("EUR", [added(300, 1_000, 1), added(301, 7_000, 4), coupon("C3"), coupon("D")]);
    let mut lines: Vec<CartLine> = (0..200).map(|n| line(n, 1_000 + n, 1)).collect();
    lines[0].quantity = 2;
    let codes: Vec<String> = (0..10).map(|n| format!("C{n}")).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    let notices = vec![
        MergeNotice::LineDropped { variant_id: line(301, 7_000, 4).variant_id, quantity: 4 },
        MergeNotice::CouponDropped { code: "D".to_owned() },
    ];
    Scenario::<Cart>::given(own).when(merge(guest)).then([merged(lines, &codes, notices)]);
}

#[test]
fn lines_codes_and_the_destination_of_a_guest_come_along() {
    let to = CartAddressed { place: None, shipping_method: Some("parcel".to_owned()) };
    let guest = || guests("EUR", [added(20, 101, 1), coupon("A"), CartsEvent::Addressed(to.clone())]);
    let both = || merged(vec![line(10, 100, 3), line(20, 101, 1)], &["A"], vec![]);
    let given = || [begun(), added(10, 100, 3)];
    Scenario::<Cart>::given(given()).when(merge(guest())).then([both(), CartsEvent::Addressed(to.clone())]);
    // One that is known already stays.
    let known = CartsEvent::Addressed(CartAddressed { shipping_method: Some("pickup".to_owned()), ..to.clone() });
    Scenario::<Cart>::given(given().into_iter().chain([known])).when(merge(guest())).then([both()]);
}

#[test]
fn a_merge_is_refused_where_one_of_both_may_not_change() {
    let given = || [begun(), added(10, 100, 3)];
    let currencies =
        Rejection::OtherCurrency { own: "EUR".parse().expect("a code"), other: "USD".parse().expect("a code") };
    Scenario::<Cart>::given(given()).when(merge(guests("USD", [added(20, 100, 2)]))).then_rejected(currencies);
    let lock = CartsEvent::Locked(CartLocked { checkout_id: CHECKOUT });
    let held = guests("EUR", [added(20, 100, 2), lock.clone()]);
    Scenario::<Cart>::given(given()).when(merge(held)).then_rejected(Rejection::Locked(CHECKOUT));
    let guest = || guests("EUR", [added(20, 100, 2)]);
    Scenario::<Cart>::given(given().into_iter().chain([lock]))
        .when(merge(guest()))
        .then_rejected(Rejection::Locked(CHECKOUT));
    let over = given().into_iter().chain([expired(CartEnd::Abandoned)]);
    Scenario::<Cart>::given(over).when(merge(guest())).then_rejected(Rejection::Closed);
    // One that has ended has nothing to give.
    let ended = guests("EUR", [added(20, 100, 2), expired(CartEnd::Untouched)]);
    Scenario::<Cart>::given(given()).when(merge(ended)).then_nothing();
}

#[test]
fn a_cart_takes_at_most_a_hundred_others_in() {
    let into = |id: u128| CartMerged { cart_id: Uuid::from_u128(id), lines: vec![], coupons: vec![], notices: vec![] };
    let events = [begun()].into_iter().chain((1_000..1_100).map(|id| CartsEvent::Merged(into(id))));
    Scenario::<Cart>::given(events).when(merge(guests("EUR", []))).then_rejected(Rejection::TooManyMerged);
}

#[test]
fn the_cart_that_was_taken_over_ends() {
    let reason = CartEnd::Merged { into: Uuid::from_u128(41) };
    let guest = guests("EUR", [added(20, 100, 2)]);
    assert_eq!(Cart::decide(Some(&guest), CartCommand::End(reason)), Ok(vec![expired(reason)]));
}
