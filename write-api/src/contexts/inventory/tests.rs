//! What inventory decides.

use super::domain::{
    Rejection, StockCommand, StockItem,
    command::{MAX_PIECES, Movement, parse_movement},
};
use crate::domain::{Aggregate, scenario::Scenario};
use proptest::prelude::*;
use schemas::events::{
    InventoryEvent,
    inventory::{StockAdjusted, StockReceived},
};
use schemas::{
    Uuid,
    events::inventory::AdjustmentReason,
    ids::{ProductId, VariantId},
};

const PRODUCT: ProductId = ProductId(Uuid::from_u128(1));
const VARIANT: VariantId = VariantId(Uuid::from_u128(2));

fn command(movement: Movement) -> StockCommand {
    let (location, movement) = parse_movement("main", movement).expect("allowed");
    StockCommand { product_id: PRODUCT, variant_id: VARIANT, location, movement }
}

fn received(quantity: i64, on_hand: i64) -> InventoryEvent {
    let location = "main".to_owned();
    InventoryEvent::Received(StockReceived { product_id: PRODUCT, variant_id: VARIANT, location, quantity, on_hand })
}

fn adjusted(delta: i64, on_hand: i64) -> InventoryEvent {
    InventoryEvent::Adjusted(StockAdjusted {
        product_id: PRODUCT,
        variant_id: VARIANT,
        location: "main".into(),
        delta,
        on_hand,
        reason: AdjustmentReason::Count,
        note: None,
    })
}

#[test]
fn goods_that_arrive_are_added() {
    Scenario::<StockItem>::given([received(3, 3)]).when(command(Movement::Receive(4))).then([received(4, 7)]);
}

#[test]
fn a_count_sets_the_level_once() {
    let count = |pieces| command(Movement::Set(pieces, AdjustmentReason::Count, None));
    Scenario::<StockItem>::given([received(3, 3)]).when(count(1)).then([adjusted(-2, 1)]);
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
}

fn any_movement() -> impl Strategy<Value = Movement> {
    let pieces = prop_oneof![-50_i64..50, any::<i64>()];
    (0..3, pieces).prop_map(|(kind, pieces)| match kind {
        0 => Movement::Receive(pieces),
        1 => Movement::Adjust(pieces, AdjustmentReason::Other, None),
        _ => Movement::Set(pieces, AdjustmentReason::Other, None),
    })
}

proptest! {
    #[test]
    fn stock_is_never_negative_whatever_comes(movements in proptest::collection::vec((any_movement(), 0..3), 0..60)) {
        let mut state: Option<StockItem> = None;
        for (movement, place) in movements {
            let Ok((location, movement)) = parse_movement(&format!("place-{place}"), movement) else { continue };
            let command = StockCommand { product_id: PRODUCT, variant_id: VARIANT, location, movement };
            for event in StockItem::decide(state.as_ref(), command).unwrap_or_default() {
                state = StockItem::apply(state, &event);
            }
            prop_assert!(state.iter().flat_map(|item| item.levels.values()).all(|level| *level >= 0));
        }
    }
}
