use crate::{
    contexts::carts::domain::{
        Cart, CartChange, CartCommand, CouponCode, Destination, NewItem, OpenCart, Options, Quantity, Rejection,
    },
    domain::{Refusal, scenario::Scenario},
};
use schemas::{
    Uuid,
    buyer::Buyer,
    events::carts::{
        CartAddressed, CartCheckedOut, CartCouponApplied, CartCouponRemoved, CartCreated, CartEnd, CartExpired,
        CartItemAdded, CartItemQuantityChanged, CartItemRemoved, CartLine, CartLocked, CartUnlocked, CartsEvent,
    },
    ids::{LineId, ProductId, VariantId},
    place::Place,
};
use std::collections::BTreeMap;

pub(super) const OWNER: Buyer = Buyer::customer(Uuid::from_u128(1));
pub(super) const CHECKOUT: Uuid = Uuid::from_u128(70);
const OTHER_CHECKOUT: Uuid = Uuid::from_u128(71);

pub(super) fn begun() -> CartsEvent {
    CartsEvent::Created(CartCreated { owner: OWNER, currency: "EUR".parse().expect("a code"), channel: None })
}

pub(super) fn line(id: u128, variant: u128, quantity: u32) -> CartLine {
    let (product_id, variant_id) = (ProductId(Uuid::from_u128(500)), VariantId(Uuid::from_u128(variant)));
    CartLine { line_id: LineId(Uuid::from_u128(id)), product_id, variant_id, quantity, options: BTreeMap::new() }
}

pub(super) fn added(id: u128, variant: u128, quantity: u32) -> CartsEvent {
    CartsEvent::ItemAdded(CartItemAdded { line: line(id, variant, quantity) })
}

pub(super) fn pieces(quantity: u32) -> Quantity {
    Quantity::parse(quantity.into()).expect("so many are allowed")
}

pub(super) fn item(id: u128, variant: u128, quantity: u32) -> NewItem {
    let CartLine { line_id, product_id, variant_id, .. } = line(id, variant, 1);
    NewItem { line_id, product_id, variant_id, quantity: pieces(quantity), options: Options::default() }
}

fn add(id: u128, variant: u128, quantity: u32) -> CartCommand {
    CartCommand::Change(CartChange::Add(item(id, variant, quantity)))
}

fn has(id: u128, quantity: u32) -> CartsEvent {
    CartsEvent::ItemQuantityChanged(CartItemQuantityChanged { line_id: LineId(Uuid::from_u128(id)), quantity })
}

pub(super) fn code(text: &str) -> CouponCode {
    CouponCode::parse(text).expect("a code")
}

fn applied(code: &str) -> CartsEvent {
    CartsEvent::CouponApplied(CartCouponApplied { code: code.to_owned() })
}

fn locked() -> CartsEvent {
    CartsEvent::Locked(CartLocked { checkout_id: CHECKOUT })
}

pub(super) fn expired(reason: CartEnd) -> CartsEvent {
    CartsEvent::Expired(CartExpired { reason })
}

/// Every change that an owner can make to a cart that has the line 10.
pub(super) fn changes() -> [CartCommand; 6] {
    [
        CartChange::Add(item(11, 101, 1)),
        CartChange::ChangeQuantity(LineId(Uuid::from_u128(10)), pieces(7)),
        CartChange::Remove(LineId(Uuid::from_u128(10))),
        CartChange::ApplyCoupon(code("a")),
        CartChange::RemoveCoupon(code("b")),
        CartChange::Address(Destination::parse(None, Some("parcel")).expect("a name")),
    ]
    .map(CartCommand::Change)
}

#[test]
fn a_cart_is_begun_once() {
    let open = |currency: &str| {
        CartCommand::Open(OpenCart::parse(OWNER, currency.parse().expect("a code"), None).expect("a cart"))
    };
    Scenario::<Cart>::given([]).when(open("EUR")).then([begun()]);
    Scenario::<Cart>::given([begun()]).when(open("USD")).then_nothing();
    Scenario::<Cart>::given([begun(), added(10, 100, 1), locked()]).when(open("EUR")).then_nothing();
    let over = [begun(), expired(CartEnd::Abandoned)];
    Scenario::<Cart>::given(over).when(open("EUR")).then_rejected(Rejection::Closed);
    for command in changes() {
        Scenario::<Cart>::given([]).when(command).then_rejected(Rejection::Missing);
    }
}

#[test]
fn goods_of_one_kind_stand_on_one_line() {
    Scenario::<Cart>::given([begun()]).when(add(10, 100, 2)).then([added(10, 100, 2)]);
    Scenario::<Cart>::given([begun(), added(10, 100, 2)]).when(add(11, 100, 3)).then([has(10, 5)]);
    Scenario::<Cart>::given([begun(), added(10, 100, 2)]).when(add(11, 101, 3)).then([added(11, 101, 3)]);
    // Another wish is another line.
    let options: BTreeMap<_, _> = [("engraving".to_owned(), "Bon voyage".to_owned())].into();
    let engraved = NewItem { options: Options::parse(options.clone()).expect("short"), ..item(11, 100, 1) };
    let expected = CartLine { options, ..line(11, 100, 1) };
    Scenario::<Cart>::given([begun(), added(10, 100, 2)])
        .when(CartCommand::Change(CartChange::Add(engraved)))
        .then([CartsEvent::ItemAdded(CartItemAdded { line: expected })]);
}

#[test]
fn a_line_has_1_to_999_pieces() {
    for (pieces, allowed) in [(i64::MIN, false), (0, false), (1, true), (999, true), (1_000, false), (i64::MAX, false)]
    {
        assert_eq!(Quantity::parse(pieces).is_ok(), allowed, "{pieces}");
    }
    let full = || Scenario::<Cart>::given([begun(), added(10, 100, 998)]);
    full().when(add(11, 100, 1)).then([has(10, 999)]);
    full().when(add(11, 100, 2)).then_rejected(Rejection::TooManyPieces { has: 998, more: 2 });
    assert_eq!(Rejection::TooManyPieces { has: 998, more: 2 }.pointer().as_deref(), Some("/quantity"));
    let change =
        |line: u128, to| CartCommand::Change(CartChange::ChangeQuantity(LineId(Uuid::from_u128(line)), pieces(to)));
    full().when(change(10, 3)).then([has(10, 3)]);
    full().when(change(10, 998)).then_nothing();
    full().when(change(11, 3)).then_rejected(Rejection::NoLine);
    let remove = |line: u128| CartCommand::Change(CartChange::Remove(LineId(Uuid::from_u128(line))));
    let gone = CartsEvent::ItemRemoved(CartItemRemoved { line_id: LineId(Uuid::from_u128(10)) });
    full().when(remove(10)).then([gone]);
    full().when(remove(11)).then_rejected(Rejection::NoLine);
}

#[test]
fn a_cart_has_at_most_200_lines() {
    let lines = |count: u128| (0..count).map(|n| added(n, 1_000 + n, 1));
    let with = |count| Scenario::<Cart>::given([begun()].into_iter().chain(lines(count)));
    with(199).when(add(900, 5_000, 1)).then([added(900, 5_000, 1)]);
    with(200).when(add(900, 5_000, 1)).then_rejected(Rejection::TooManyLines);
    with(200).when(add(900, 1_000, 1)).then([has(0, 2)]);
}

#[test]
fn at_most_ten_codes_are_tried_and_in_upper_case() {
    assert_eq!(code(" summer-10 ").as_str(), "SUMMER-10");
    for bad in ["", "  ", "a b", "a\u{0}", &"x".repeat(65)] {
        assert!(CouponCode::parse(bad).is_err(), "{bad}");
    }
    let apply = |text: &str| CartCommand::Change(CartChange::ApplyCoupon(code(text)));
    Scenario::<Cart>::given([begun()]).when(apply("summer")).then([applied("SUMMER")]);
    Scenario::<Cart>::given([begun(), applied("SUMMER")]).when(apply("Summer")).then_nothing();
    let ten = (0..10).map(|n| applied(&format!("C{n}")));
    let full = || Scenario::<Cart>::given([begun()].into_iter().chain(ten.clone()));
    full().when(apply("c10")).then_rejected(Rejection::TooManyCoupons);
    full().when(apply("c9")).then_nothing();
    let remove = |text: &str| CartCommand::Change(CartChange::RemoveCoupon(code(text)));
    full().when(remove("c9")).then([CartsEvent::CouponRemoved(CartCouponRemoved { code: "C9".to_owned() })]);
    full().when(remove("c10")).then_nothing();
}

#[test]
fn a_destination_is_a_place_and_a_way_there() {
    let place = |postal: &str| Place {
        country: "GB".to_owned(),
        region: Some("ENG".to_owned()),
        postal_code: Some(postal.to_owned()),
    };
    let to = |place: Option<Place>| {
        CartCommand::Change(CartChange::Address(Destination::parse(place, Some("parcel")).expect("a destination")))
    };
    let addressed = |place| CartsEvent::Addressed(CartAddressed { place, shipping_method: Some("parcel".to_owned()) });
    Scenario::<Cart>::given([begun()]).when(to(Some(place("sw1a 1aa")))).then([addressed(Some(place("SW1A1AA")))]);
    Scenario::<Cart>::given([begun(), addressed(Some(place("SW1A1AA")))])
        .when(to(Some(place("SW1A 1AA"))))
        .then_nothing();
    Scenario::<Cart>::given([begun(), addressed(Some(place("SW1A1AA")))]).when(to(None)).then([addressed(None)]);
    for (wrong, pointer) in [
        (Place { country: "ZZ".to_owned(), ..place("1") }, "/place/country"),
        (Place { country: "ÄÖ".to_owned(), ..place("1") }, "/place/country"),
        (Place { region: Some("England".to_owned()), ..place("1") }, "/place/region"),
        (place("!"), "/place/postal_code"),
        (place(&"1".repeat(17)), "/place/postal_code"),
    ] {
        let errors = Destination::parse(Some(wrong), None).expect_err("refused");
        assert_eq!(errors.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), [pointer]);
    }
    let errors = Destination::parse(None, Some("By air")).expect_err("refused");
    assert_eq!(errors[0].pointer, "/shipping_method");
}

#[test]
fn options_are_few_and_short() {
    let of = |name: &str, text: &str| Options::parse([(name.to_owned(), text.to_owned())].into());
    assert!(of("engraving", "Bon\nvoyage").is_ok());
    for (name, text) in
        [("", "x"), (" a", "x"), ("a", ""), ("a", "\0"), ("a", &*"x".repeat(501)), (&*"x".repeat(65), "x")]
    {
        assert!(of(name, text).is_err(), "{name:?} {text:?}");
    }
    let many = (0..11).map(|n| (n.to_string(), "x".to_owned())).collect();
    assert_eq!(Options::parse(many).expect_err("refused")[0].pointer, "/options");
    let long = (0..5).map(|n| (n.to_string(), "x".repeat(500))).collect();
    assert_eq!(Options::parse(long).expect_err("refused")[0].pointer, "/options");
}

#[test]
fn a_checkout_holds_the_cart_and_nothing_changes() {
    let full = || [begun(), added(10, 100, 2)];
    Scenario::<Cart>::given(full()).when(CartCommand::Lock(CHECKOUT)).then([locked()]);
    Scenario::<Cart>::given([begun()]).when(CartCommand::Lock(CHECKOUT)).then_rejected(Rejection::Empty);
    let held = || Scenario::<Cart>::given(full().into_iter().chain([locked()]));
    held().when(CartCommand::Lock(CHECKOUT)).then_nothing();
    held().when(CartCommand::Lock(OTHER_CHECKOUT)).then_rejected(Rejection::Locked(CHECKOUT));
    assert!(Rejection::Locked(CHECKOUT).to_string().contains(&CHECKOUT.to_string()), "it names the checkout");
    assert_eq!(Rejection::Locked(CHECKOUT).problem().code, "cart_locked");
    for command in changes().into_iter().chain([CartEnd::Abandoned, CartEnd::Untouched].map(CartCommand::End)) {
        held().when(command).then_rejected(Rejection::Locked(CHECKOUT));
    }
}

#[test]
fn a_checkout_ends_with_an_order_or_lets_go() {
    let held = || Scenario::<Cart>::given([begun(), added(10, 100, 2), locked()]);
    let let_go = CartsEvent::Unlocked(CartUnlocked { checkout_id: CHECKOUT });
    let ordered = CartsEvent::CheckedOut(CartCheckedOut { checkout_id: CHECKOUT });
    held().when(CartCommand::Unlock(CHECKOUT)).then([let_go.clone()]);
    held().when(CartCommand::Unlock(OTHER_CHECKOUT)).then_nothing();
    held().when(CartCommand::CheckOut(CHECKOUT)).then([ordered.clone()]);
    held().when(CartCommand::CheckOut(OTHER_CHECKOUT)).then_rejected(Rejection::NotLocked(OTHER_CHECKOUT));
    let open = || Scenario::<Cart>::given([begun(), added(10, 100, 2), locked(), let_go.clone()]);
    open().when(CartCommand::Unlock(CHECKOUT)).then_nothing();
    open().when(CartCommand::CheckOut(CHECKOUT)).then_rejected(Rejection::NotLocked(CHECKOUT));
    open()
        .when(CartCommand::Lock(OTHER_CHECKOUT))
        .then([CartsEvent::Locked(CartLocked { checkout_id: OTHER_CHECKOUT })]);
    let done = || Scenario::<Cart>::given([begun(), added(10, 100, 2), locked(), ordered.clone()]);
    done().when(CartCommand::CheckOut(CHECKOUT)).then_nothing();
    done().when(CartCommand::Unlock(CHECKOUT)).then_nothing();
    done().when(CartCommand::Lock(CHECKOUT)).then_rejected(Rejection::Closed);
    for command in changes().into_iter().chain([CartCommand::End(CartEnd::Untouched)]) {
        done().when(command).then_rejected(Rejection::Closed);
    }
}

#[test]
fn a_cart_that_has_expired_has_nothing_in_it() {
    for reason in [CartEnd::Untouched, CartEnd::Abandoned, CartEnd::OwnerErased] {
        let end = CartCommand::End(reason);
        Scenario::<Cart>::given([begun(), added(10, 100, 2)]).when(end.clone()).then([expired(reason)]);
        let over = || Scenario::<Cart>::given([begun(), added(10, 100, 2), expired(reason)]);
        over().when(end).then_nothing();
        over().when(CartCommand::Lock(CHECKOUT)).then_rejected(Rejection::Closed);
        for command in changes() {
            over().when(command).then_rejected(Rejection::Closed);
        }
    }
    let events = [begun(), added(10, 100, 2), applied("A"), expired(CartEnd::Untouched)];
    let cart = events.iter().fold(None, Cart::after).expect("a cart");
    assert!(cart.lines.is_empty() && cart.coupons.is_empty(), "{cart:?}");
    assert_eq!((cart.owner(), cart.ended), (OWNER, Some(CartEnd::Untouched)));
}
