//! What becomes of reservations.

use super::*;
use crate::contexts::inventory::domain::{Hold, HoldState, ReservationCommand};
use schemas::events::inventory::{ReservationMoved, ReservationPinned, ReservationUnpinned};

fn hold(quantity: i64) -> Hold {
    Hold { checkout_id: None, quantity, location: None, preferred: Vec::new(), expires_at: at(60) }
}

fn asked(number: u128, command: ReservationCommand, minutes: i64) -> StockCommand {
    StockCommand::Reservation(id(number), command, at(minutes))
}

fn reserve(number: u128, hold: Hold) -> StockCommand {
    asked(number, ReservationCommand::Reserve(hold), 0)
}

fn moved(number: u128, parts: Vec<ReservedPart>, available: i64) -> ReservationMoved {
    ReservationMoved {
        product_id: PRODUCT,
        variant_id: VARIANT,
        reservation_id: id(number),
        checkout_id: None,
        parts,
        available,
    }
}

/// Two of five are held.
fn held() -> [InventoryEvent; 2] {
    [received(5, 5), reserved(1, vec![part("main", 2, [5, 2, 0])], 3)]
}

fn after(event: InventoryEvent) -> Scenario<StockItem> {
    Scenario::given(held().into_iter().chain([event]))
}

fn committed() -> InventoryEvent {
    InventoryEvent::Committed(moved(1, vec![part("main", 2, [5, 0, 2])], 3))
}

fn released() -> InventoryEvent {
    InventoryEvent::Released(moved(1, vec![part("main", 2, [5, 0, 0])], 5))
}

fn expired() -> InventoryEvent {
    InventoryEvent::Expired(moved(1, vec![part("main", 2, [5, 0, 0])], 5))
}

fn pinned() -> InventoryEvent {
    let (product_id, variant_id, reservation_id) = (PRODUCT, VARIANT, id(1));
    InventoryEvent::Pinned(ReservationPinned { product_id, variant_id, reservation_id })
}

fn dispatched() -> InventoryEvent {
    InventoryEvent::Dispatched(moved(1, vec![part("main", 2, [3, 0, 0])], 3))
}

#[test]
fn a_reservation_never_takes_more_than_can_be_sold() {
    Scenario::<StockItem>::given([received(5, 5)]).when(reserve(1, hold(5))).then([reserved(
        1,
        vec![part("main", 5, [5, 5, 0])],
        0,
    )]);
    Scenario::<StockItem>::given(held())
        .when(reserve(2, hold(4)))
        .then_rejected(Rejection::TooFew { available: 3, wanted: 4 });
    Scenario::<StockItem>::given([])
        .when(reserve(1, hold(1)))
        .then_rejected(Rejection::TooFew { available: 0, wanted: 1 });
    let past = Hold { expires_at: at(0), ..hold(1) };
    Scenario::<StockItem>::given([received(5, 5)]).when(reserve(1, past)).then_rejected(Rejection::OverAlready);
}

#[test]
fn one_place_is_taken_if_one_suffices_and_else_the_first_that_have_some() {
    let three = || [received_at("a", 1, 1), received_at("b", 3, 3), received_at("c", 3, 3)];
    let given = || Scenario::<StockItem>::given(three());
    given().when(reserve(1, hold(3))).then([reserved(1, vec![part("b", 3, [3, 3, 0])], 4)]);
    let prefers = Hold { preferred: vec![place("c"), place("x")], ..hold(2) };
    given().when(reserve(1, prefers)).then([reserved(1, vec![part("c", 2, [3, 2, 0])], 5)]);
    let split = vec![part("a", 1, [1, 1, 0]), part("b", 3, [3, 3, 0]), part("c", 1, [3, 1, 0])];
    given().when(reserve(1, hold(5))).then([reserved(1, split, 2)]);
    let only = Hold { location: Some(place("a")), ..hold(2) };
    given().when(reserve(1, only)).then_rejected(Rejection::TooFew { available: 1, wanted: 2 });
}

#[test]
fn what_is_missing_is_promised_where_the_shop_allows_it() {
    let allowed = InventoryEvent::BackordersSet(BackordersSet {
        product_id: PRODUCT,
        variant_id: VARIANT,
        place: PlaceCount { location: "main".to_owned(), on_hand: 1, reserved: 0, committed: 0 },
        limit: 2,
    });
    let given = || Scenario::<StockItem>::given([received(1, 1), allowed.clone()]);
    given().when(reserve(1, hold(3))).then([reserved(1, vec![part("main", 3, [1, 3, 0])], -2)]);
    given().when(reserve(1, hold(4))).then_rejected(Rejection::TooFew { available: 3, wanted: 4 });
    let elsewhere = Hold { location: Some(place("shop")), ..hold(1) };
    given().when(reserve(1, elsewhere)).then_rejected(Rejection::TooFew { available: 0, wanted: 1 });
    let owed = [received(1, 1), allowed.clone(), reserved(1, vec![part("main", 2, [1, 2, 0])], -1)];
    Scenario::<StockItem>::given(owed)
        .when(reserve(2, hold(2)))
        .then_rejected(Rejection::TooFew { available: 1, wanted: 2 });
}

#[test]
fn the_same_reservation_is_made_once() {
    Scenario::<StockItem>::given(held()).when(reserve(1, hold(2))).then_nothing();
    Scenario::<StockItem>::given(held()).when(reserve(1, hold(1))).then_rejected(Rejection::Taken);
    let of_checkout = Hold { checkout_id: Some(id(9)), ..hold(2) };
    Scenario::<StockItem>::given(held()).when(reserve(1, of_checkout)).then_rejected(Rejection::Taken);
    after(committed()).when(reserve(1, hold(2))).then_nothing();
    after(released()).when(reserve(1, hold(2))).then_rejected(Rejection::Ended(HoldState::Released));
    after(expired()).when(reserve(1, hold(2))).then_rejected(Rejection::Ended(HoldState::Expired));
    let late = asked(1, ReservationCommand::Reserve(hold(2)), 60);
    Scenario::<StockItem>::given(held()).when(late).then_rejected(Rejection::Ended(HoldState::Expired));
}

#[test]
fn what_is_held_is_committed_in_its_time() {
    let commit = |minutes| asked(1, ReservationCommand::Commit, minutes);
    Scenario::<StockItem>::given(held()).when(commit(59)).then([committed()]);
    Scenario::<StockItem>::given(held()).when(commit(60)).then_rejected(Rejection::Ended(HoldState::Expired));
    after(pinned()).when(commit(90)).then([committed()]);
    after(committed()).when(commit(90)).then_nothing();
    after(released()).when(commit(1)).then_rejected(Rejection::Ended(HoldState::Released));
    after(expired()).when(commit(61)).then_rejected(Rejection::Ended(HoldState::Expired));
    let unknown = asked(2, ReservationCommand::Commit, 1);
    Scenario::<StockItem>::given(held()).when(unknown).then_rejected(Rejection::NoReservation);
}

#[test]
fn a_reservation_expires_once_its_time_is_over_unless_it_is_pinned() {
    let expire = |minutes| asked(1, ReservationCommand::Expire, minutes);
    Scenario::<StockItem>::given(held()).when(expire(59)).then_nothing();
    Scenario::<StockItem>::given(held()).when(expire(60)).then([expired()]);
    after(pinned()).when(expire(90)).then_nothing();
    after(committed()).when(expire(90)).then_nothing();
    after(expired()).when(expire(90)).then_nothing();
}

#[test]
fn a_pin_holds_until_it_is_taken_away() {
    let (pin, unpin) = (ReservationCommand::Pin, ReservationCommand::Unpin(at(100)));
    Scenario::<StockItem>::given(held()).when(asked(1, pin.clone(), 1)).then([pinned()]);
    after(pinned()).when(asked(1, pin.clone(), 90)).then_nothing();
    let late = Rejection::Ended(HoldState::Expired);
    Scenario::<StockItem>::given(held()).when(asked(1, pin, 60)).then_rejected(late);
    let unpinned = InventoryEvent::Unpinned(ReservationUnpinned {
        product_id: PRODUCT,
        variant_id: VARIANT,
        reservation_id: id(1),
        expires_at: at(100),
    });
    after(pinned()).when(asked(1, unpin.clone(), 90)).then([unpinned.clone()]);
    let both = held().into_iter().chain([pinned(), unpinned]);
    Scenario::<StockItem>::given(both.clone()).when(asked(1, unpin, 95)).then_nothing();
    Scenario::<StockItem>::given(both).when(asked(1, ReservationCommand::Expire, 100)).then([expired()]);
}

#[test]
fn what_was_kept_can_be_given_up_before_it_leaves() {
    let release = || asked(1, ReservationCommand::Release, 90);
    Scenario::<StockItem>::given(held()).when(release()).then([released()]);
    after(committed()).when(release()).then([released()]);
    after(released()).when(release()).then_nothing();
    after(expired()).when(release()).then_nothing();
    let gone = held().into_iter().chain([committed(), dispatched()]);
    Scenario::<StockItem>::given(gone).when(release()).then_rejected(Rejection::Ended(HoldState::Dispatched));
}

#[test]
fn only_what_is_committed_leaves_and_lowers_what_is_on_hand() {
    let dispatch = || asked(1, ReservationCommand::Dispatch(None), 1);
    Scenario::<StockItem>::given(held()).when(dispatch()).then_rejected(Rejection::NotCommitted);
    after(committed()).when(dispatch()).then([dispatched()]);
    let gone = held().into_iter().chain([committed(), dispatched()]);
    Scenario::<StockItem>::given(gone).when(dispatch()).then_nothing();
    after(released()).when(dispatch()).then_rejected(Rejection::Ended(HoldState::Released));
    let elsewhere = asked(1, ReservationCommand::Dispatch(Some(place("shop"))), 1);
    after(committed()).when(elsewhere).then_rejected(Rejection::NoReservation);
}

#[test]
fn parts_of_a_reservation_leave_one_by_one() {
    let both = vec![part("a", 1, [1, 1, 0]), part("b", 2, [2, 2, 0])];
    let committed = InventoryEvent::Committed(moved(1, vec![part("a", 1, [1, 0, 1]), part("b", 2, [2, 0, 2])], 0));
    let given = [received_at("a", 1, 1), received_at("b", 2, 2), reserved(1, both, 0), committed];
    let dispatch = |place| asked(1, ReservationCommand::Dispatch(Some(place)), 1);
    let left = InventoryEvent::Dispatched(moved(1, vec![part("a", 1, [0, 0, 0])], 0));
    Scenario::<StockItem>::given(given.clone()).when(dispatch(place("a"))).then([left.clone()]);
    let given = given.into_iter().chain([left]);
    Scenario::<StockItem>::given(given.clone()).when(dispatch(place("a"))).then_nothing();
    // What has not left can still be given up.
    let rest = InventoryEvent::Released(moved(1, vec![part("b", 2, [2, 0, 0])], 2));
    Scenario::<StockItem>::given(given).when(asked(1, ReservationCommand::Release, 1)).then([rest]);
}
