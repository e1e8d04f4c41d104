//! Whatever comes in whatever order: the rules of stock hold at every moment.

use super::*;
use crate::contexts::inventory::domain::{Hold, HoldState, ReservationCommand};
use proptest::prelude::*;
use std::collections::BTreeMap;

const PLACES: [&str; 3] = ["a", "b", "c"];
/// Pieces that may be promised beyond those that are there, while backorders are allowed.
const PROMISED: i64 = 3;

fn any_command() -> impl Strategy<Value = StockCommand> {
    let pieces = || prop_oneof![1_i64..8, -8_i64..9, any::<i64>()];
    let moves = (0..3_usize, 0..3_usize, pieces()).prop_filter_map("allowed", |(place, kind, pieces)| {
        let movement = match kind {
            0 => Movement::Receive(pieces),
            1 => Movement::Adjust(pieces, AdjustmentReason::Other, None),
            _ => Movement::Set(pieces, AdjustmentReason::Other, None),
        };
        let (location, movement) = parse_movement(PLACES[place], movement).ok()?;
        Some(StockCommand::Move(Move { product_id: PRODUCT, variant_id: VARIANT, location, movement }))
    });
    let transfers = (0..3_usize, 1..3_usize, 1_i64..6).prop_map(|(from, by, quantity)| StockCommand::Transfer {
        from: place(PLACES[from]),
        to: place(PLACES[(from + by) % 3]),
        quantity,
        note: None,
    });
    let backorders = prop_oneof![Just(0), Just(PROMISED)].prop_map(|limit| StockCommand::SetBackorders {
        product_id: PRODUCT,
        variant_id: VARIANT,
        location: place("b"),
        limit,
    });
    let returns = (0_u128..4, 1_i64..3).prop_map(|(number, quantity)| StockCommand::TakeBack {
        return_id: id(number),
        location: place("a"),
        quantity,
    });
    let reservations = (0..6_usize, 0..9_usize, 1_i64..7, 0_i64..120).prop_map(|(number, what, quantity, minutes)| {
        let location = (quantity % 3 == 0).then(|| place(PLACES[what % 3]));
        let hold = Hold { checkout_id: None, quantity, location, preferred: Vec::new(), expires_at: at(60) };
        let command = match what {
            0..=2 => ReservationCommand::Reserve(hold),
            3 => ReservationCommand::Commit,
            4 => ReservationCommand::Release,
            5 => ReservationCommand::Expire,
            6 => ReservationCommand::Pin,
            7 => ReservationCommand::Unpin(at(minutes + 1)),
            _ => ReservationCommand::Dispatch((quantity % 2 == 0).then(|| place(PLACES[number % 3]))),
        };
        StockCommand::Reservation(id(number as u128), command, at(minutes))
    });
    prop_oneof![2 => moves, 1 => transfers, 1 => backorders, 1 => returns, 6 => reservations]
}

/// What the counters are made of: pieces of reservations that go on.
fn kept(item: &StockItem, place: &str, state: HoldState) -> i64 {
    let parts = item.reservations.values().filter_map(|reservation| reservation.parts.get(place));
    parts.filter(|part| part.state == state).map(|part| part.quantity).sum()
}

/// What has ended, by reservation and place.
fn ends(item: Option<&StockItem>) -> BTreeMap<(Uuid, String), HoldState> {
    let reservations = item.into_iter().flat_map(|item| &item.reservations);
    let parts = reservations.flat_map(|(id, reservation)| {
        reservation.parts.iter().map(move |(place, part)| ((*id, place.clone()), part.state))
    });
    parts.filter(|(_, state)| state.is_end()).collect()
}

fn holds(before: Option<&StockItem>, item: &StockItem, command: &StockCommand) -> Result<(), TestCaseError> {
    for (place, level) in &item.levels {
        prop_assert!(level.on_hand >= 0 && level.reserved >= 0 && level.committed >= 0, "{place}: {level:?}");
        prop_assert_eq!(level.reserved, kept(item, place, HoldState::Held));
        prop_assert_eq!(level.committed, kept(item, place, HoldState::Committed));
        let moved: i64 = item.moved.iter().filter(|moved| moved.location == *place).map(|moved| moved.pieces).sum();
        prop_assert_eq!(level.on_hand, moved, "what is on hand at {} is what has moved", place);
        let was = before.map(|item| item.level(place)).unwrap_or_default();
        if matches!(command, StockCommand::Reservation(..)) {
            let least = if place == "b" { -PROMISED } else { 0 };
            prop_assert!(
                level.available() >= was.available().min(least),
                "a reservation takes too much at {place}: {was:?}, {level:?}"
            );
            if !matches!(command, StockCommand::Reservation(_, ReservationCommand::Dispatch(_), _)) {
                prop_assert_eq!(level.on_hand, was.on_hand, "only what leaves lowers what is on hand");
            }
        }
    }
    let after = ends(Some(item));
    for (part, state) in ends(before) {
        prop_assert_eq!(after.get(&part), Some(&state), "a reservation ends once");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]
    #[test]
    fn the_rules_of_stock_hold_at_every_moment(commands in proptest::collection::vec(any_command(), 0..60)) {
        let mut state: Option<StockItem> = None;
        for command in commands {
            let events = StockItem::decide(state.as_ref(), command.clone()).unwrap_or_default();
            let before = state.clone();
            for event in &events {
                state = StockItem::apply(state, event);
            }
            let Some(item) = &state else { continue };
            holds(before.as_ref(), item, &command)?;
            // What was done is not done again.
            let again = StockItem::decide(state.as_ref(), command.clone());
            let is_repeatable = matches!(command, StockCommand::Reservation(..) | StockCommand::TakeBack { .. } | StockCommand::SetBackorders { .. });
            if is_repeatable && !events.is_empty() && let Ok(again) = again {
                prop_assert_eq!(again, vec![]);
            }
        }
    }
}
