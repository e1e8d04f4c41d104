//! What inventory decides.

pub(in crate::contexts) mod diagrams;
mod machine;
mod reservations;

use super::domain::{
    Rejection, StockCommand, StockItem,
    command::{Location, MAX_PIECES, Move, Movement, parse_movement, parse_transfer},
};
use crate::domain::{Aggregate, scenario::Scenario};
use schemas::events::{
    InventoryEvent,
    inventory::{
        BackordersSet, PlaceCount, ReservedPart, ShortReservation, StockAdjusted, StockReceived, StockReserved,
        StockReturned, StockShort, StockTransferred,
    },
};
use schemas::{
    TimeDelta, Timestamp, Uuid,
    events::inventory::AdjustmentReason,
    ids::{ProductId, VariantId},
};

const PRODUCT: ProductId = ProductId(Uuid::from_u128(1));
const VARIANT: VariantId = VariantId(Uuid::from_u128(2));

fn place(name: &str) -> Location {
    Location::parse(name).expect("a location")
}

fn at(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::minutes(minutes)
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(1_000 + number)
}

fn command(movement: Movement) -> StockCommand {
    let (location, movement) = parse_movement("main", movement).expect("allowed");
    StockCommand::Move(Move { product_id: PRODUCT, variant_id: VARIANT, location, movement })
}

fn received_at(location: &str, quantity: i64, on_hand: i64) -> InventoryEvent {
    InventoryEvent::Received(StockReceived {
        product_id: PRODUCT,
        variant_id: VARIANT,
        location: location.to_owned(),
        quantity,
        on_hand,
        reserved: Some(0),
        committed: Some(0),
    })
}

fn received(quantity: i64, on_hand: i64) -> InventoryEvent {
    received_at("main", quantity, on_hand)
}

fn adjusted(delta: i64, on_hand: i64, reserved: i64) -> InventoryEvent {
    InventoryEvent::Adjusted(StockAdjusted {
        product_id: PRODUCT,
        variant_id: VARIANT,
        location: "main".into(),
        delta,
        on_hand,
        reserved: Some(reserved),
        committed: Some(0),
        reason: AdjustmentReason::Count,
        note: None,
    })
}

/// Pieces of a reservation at a place, with the counters afterwards.
fn part(location: &str, quantity: i64, [on_hand, reserved, committed]: [i64; 3]) -> ReservedPart {
    ReservedPart { location: location.to_owned(), quantity, on_hand, reserved, committed }
}

/// A reservation that ends after an hour.
fn reserved(number: u128, parts: Vec<ReservedPart>, available: i64) -> InventoryEvent {
    InventoryEvent::Reserved(StockReserved {
        product_id: PRODUCT,
        variant_id: VARIANT,
        reservation_id: id(number),
        checkout_id: None,
        expires_at: at(60),
        parts,
        available,
    })
}

#[test]
fn goods_that_arrive_are_added() {
    Scenario::<StockItem>::given([received(3, 3)]).when(command(Movement::Receive(4))).then([received(4, 7)]);
}

#[test]
fn a_count_sets_the_level_once() {
    let count = |pieces| command(Movement::Set(pieces, AdjustmentReason::Count, None));
    Scenario::<StockItem>::given([received(3, 3)]).when(count(1)).then([adjusted(-2, 1, 0)]);
    Scenario::<StockItem>::given([received(3, 3)]).when(count(3)).then_nothing();
    Scenario::<StockItem>::given([]).when(count(0)).then_nothing();
}

#[test]
fn more_than_is_there_is_not_taken() {
    Scenario::<StockItem>::given([received(3, 3)])
        .when(command(Movement::Adjust(-4, AdjustmentReason::Lost, None)))
        .then_rejected(Rejection::Insufficient { location: "main".into(), on_hand: 3, wanted: 4 });
}

#[test]
fn a_location_does_not_overflow() {
    Scenario::<StockItem>::given([received(MAX_PIECES, MAX_PIECES)])
        .when(command(Movement::Receive(1)))
        .then_rejected(Rejection::TooMany { location: "main".into(), most: MAX_PIECES });
}

#[test]
fn senseless_quantities_are_refused_at_the_door() {
    for movement in [
        Movement::Receive(0),
        Movement::Receive(MAX_PIECES + 1),
        Movement::Adjust(0, AdjustmentReason::Lost, None),
        Movement::Set(-1, AdjustmentReason::Count, None),
    ] {
        assert!(parse_movement("main", movement).is_err());
    }
    assert!(parse_movement("no such place", Movement::Receive(1)).is_err());
    let pointers = |from, to, quantity| -> Vec<String> {
        let findings = parse_transfer(from, to, quantity, None).expect_err("refused");
        findings.into_iter().map(|finding| finding.pointer).collect()
    };
    assert_eq!(pointers("main", "main", 1), ["/to"]);
    assert_eq!(pointers("a b", "", 0), ["/from", "/to", "/quantity"]);
}

#[test]
fn a_correction_tells_for_whom_pieces_are_missing() {
    let held = [
        received(5, 5),
        reserved(1, vec![part("main", 2, [5, 2, 0])], 3),
        reserved(2, vec![part("main", 1, [5, 3, 0])], 2),
    ];
    let lost = |pieces: i64| command(Movement::Adjust(-pieces, AdjustmentReason::Count, None));
    Scenario::<StockItem>::given(held.clone()).when(lost(2)).then([adjusted(-2, 3, 3)]);
    let short = |number, quantity| ShortReservation {
        reservation_id: id(number),
        checkout_id: None,
        quantity,
        is_committed: false,
    };
    let told = |missing, reservations| {
        InventoryEvent::Short(StockShort {
            product_id: PRODUCT,
            variant_id: VARIANT,
            location: "main".to_owned(),
            missing,
            reservations,
            has_more: false,
        })
    };
    Scenario::<StockItem>::given(held.clone()).when(lost(3)).then([adjusted(-3, 2, 3), told(1, vec![short(2, 1)])]);
    Scenario::<StockItem>::given(held)
        .when(lost(4))
        .then([adjusted(-4, 1, 3), told(2, vec![short(2, 1), short(1, 2)])]);
}

#[test]
fn only_what_can_be_sold_goes_to_another_place() {
    let transfer = |quantity| StockCommand::Transfer { from: place("main"), to: place("shop"), quantity, note: None };
    let held = [received(5, 5), reserved(1, vec![part("main", 2, [5, 2, 0])], 3)];
    let count = |location: &str, on_hand, reserved| PlaceCount {
        location: location.to_owned(),
        on_hand,
        reserved,
        committed: 0,
    };
    Scenario::<StockItem>::given(held.clone()).when(transfer(3)).then([InventoryEvent::Transferred(
        StockTransferred {
            product_id: PRODUCT,
            variant_id: VARIANT,
            quantity: 3,
            from: count("main", 2, 2),
            to: count("shop", 3, 0),
            note: None,
        },
    )]);
    let refused = Rejection::Insufficient { location: "main".into(), on_hand: 3, wanted: 4 };
    Scenario::<StockItem>::given(held).when(transfer(4)).then_rejected(refused);
    let nothing = Rejection::Insufficient { location: "main".into(), on_hand: 0, wanted: 1 };
    Scenario::<StockItem>::given([]).when(transfer(1)).then_rejected(nothing);
}

#[test]
fn goods_come_back_once() {
    let back = |number| StockCommand::TakeBack { return_id: id(number), location: place("main"), quantity: 1 };
    let returned = |number, on_hand| {
        let place = PlaceCount { location: "main".to_owned(), on_hand, reserved: 0, committed: 0 };
        let (product_id, variant_id, quantity) = (PRODUCT, VARIANT, 1);
        InventoryEvent::Returned(StockReturned { product_id, variant_id, return_id: id(number), quantity, place })
    };
    Scenario::<StockItem>::given([received(3, 3)]).when(back(1)).then([returned(1, 4)]);
    Scenario::<StockItem>::given([received(3, 3), returned(1, 4)]).when(back(1)).then_nothing();
    Scenario::<StockItem>::given([received(3, 3), returned(1, 4)]).when(back(2)).then([returned(2, 5)]);
    Scenario::<StockItem>::given([]).when(back(1)).then_rejected(Rejection::NoStock);
}

#[test]
fn backorders_are_set_once() {
    let set = |limit| StockCommand::SetBackorders {
        product_id: PRODUCT,
        variant_id: VARIANT,
        location: place("main"),
        limit,
    };
    let told = |limit| {
        let place = PlaceCount { location: "main".to_owned(), on_hand: 0, reserved: 0, committed: 0 };
        InventoryEvent::BackordersSet(BackordersSet { product_id: PRODUCT, variant_id: VARIANT, place, limit })
    };
    Scenario::<StockItem>::given([]).when(set(0)).then_nothing();
    Scenario::<StockItem>::given([]).when(set(5)).then([told(5)]);
    Scenario::<StockItem>::given([told(5)]).when(set(5)).then_nothing();
    Scenario::<StockItem>::given([told(5)]).when(set(0)).then([told(0)]);
}
