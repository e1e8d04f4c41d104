//! What a stock command leads to.

use super::{
    Level, Rejection, Reservation, StockCommand, StockItem,
    command::{Location, Move, Movement},
    policy, reserve,
};
use crate::domain::Aggregate;
use schemas::{
    Uuid,
    events::{
        InventoryEvent,
        inventory::{
            BackordersSet, PlaceCount, ShortReservation, StockAdjusted, StockReceived, StockReturned, StockShort,
            StockTransferred,
        },
    },
    ids::{ProductId, VariantId},
};

/// Reservations that are listed where pieces are missing.
pub const MOST_SHORT: usize = 100;

impl Aggregate for StockItem {
    const NAME: &'static str = "stock_item";
    type Command = StockCommand;
    type Event = InventoryEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: StockCommand) -> Result<Vec<InventoryEvent>, Rejection> {
        match command {
            StockCommand::Move(command) => moved(state, command),
            StockCommand::Transfer { from, to, quantity, note } => transferred(state, &from, &to, quantity, note),
            StockCommand::SetBackorders { product_id, variant_id, location, limit } => {
                Ok(backorders_set(state, (product_id, variant_id), &location, limit))
            }
            StockCommand::TakeBack { return_id, location, quantity } => {
                taken_back(state, return_id, &location, quantity)
            }
            StockCommand::Reservation(id, command, now) => reserve::decide(state, id, command, now),
        }
    }

    fn apply(state: Option<Self>, event: &InventoryEvent) -> Option<Self> {
        Some(Self::after(state, event))
    }
}

fn moved(state: Option<&StockItem>, command: Move) -> Result<Vec<InventoryEvent>, Rejection> {
    let Move { product_id, variant_id, location, movement } = command;
    let location = location.as_str().to_owned();
    let before = state.map(|item| item.level(&location)).unwrap_or_default();
    let (reserved, committed) = (Some(before.reserved), Some(before.committed));
    let after = |delta| policy::a_level_stays_between_zero_and_the_most(&location, before.on_hand, delta);
    let (delta, reason, note) = match movement {
        Movement::Receive(quantity) => {
            let on_hand = after(quantity)?;
            let received = StockReceived { product_id, variant_id, location, quantity, on_hand, reserved, committed };
            return Ok(vec![InventoryEvent::Received(received)]);
        }
        Movement::Adjust(delta, reason, note) => (delta, reason, note),
        Movement::Set(quantity, reason, note) => (quantity.saturating_sub(before.on_hand), reason, note),
    };
    if delta == 0 {
        return Ok(vec![]);
    }
    let on_hand = after(delta)?;
    let level = Level { on_hand, ..before };
    let short = state.filter(|_| delta < 0).and_then(|item| short(item, &location, level));
    let adjusted =
        StockAdjusted { product_id, variant_id, location, delta, on_hand, reserved, committed, reason, note };
    Ok([InventoryEvent::Adjusted(adjusted)].into_iter().chain(short.map(InventoryEvent::Short)).collect())
}

/// For whom pieces are missing at a place, if any are: what is held before what is committed, the latest to end first, until
/// there are enough.
fn short(item: &StockItem, location: &str, level: Level) -> Option<StockShort> {
    let missing = level.available().saturating_neg();
    if missing <= 0 {
        return None;
    }
    let here = |(id, reservation): (&Uuid, &Reservation)| {
        let part = reservation.parts.get(location).filter(|part| !part.state.is_end())?;
        let is_committed = part.state == super::HoldState::Committed;
        let (reservation_id, checkout_id, quantity) = (*id, reservation.checkout_id, part.quantity);
        Some((reservation.expires_at, ShortReservation { reservation_id, checkout_id, quantity, is_committed }))
    };
    let mut open: Vec<_> = item.reservations.iter().filter_map(here).collect();
    open.sort_by(|(one_ends, one), (other_ends, other)| {
        (one.is_committed, other_ends, other.reservation_id).cmp(&(other.is_committed, one_ends, one.reservation_id))
    });
    let (mut reservations, mut covered) = (Vec::new(), 0_i64);
    for (_, reservation) in open {
        if covered >= missing || reservations.len() >= MOST_SHORT {
            break;
        }
        covered = covered.saturating_add(reservation.quantity);
        reservations.push(reservation);
    }
    let (product_id, variant_id, location) = (item.product_id, item.variant_id, location.to_owned());
    Some(StockShort { product_id, variant_id, location, missing, reservations, has_more: covered < missing })
}

fn transferred(
    state: Option<&StockItem>,
    from: &Location,
    to: &Location,
    quantity: i64,
    note: Option<String>,
) -> Result<Vec<InventoryEvent>, Rejection> {
    let (from, to) = (from.as_str(), to.as_str());
    let level = |place: &str| state.map(|item| item.level(place)).unwrap_or_default();
    policy::only_what_can_be_sold_is_moved_away(from, level(from), quantity)?;
    let moved = |place: &str, delta| {
        let on_hand = policy::a_level_stays_between_zero_and_the_most(place, level(place).on_hand, delta)?;
        Ok(count(place, Level { on_hand, ..level(place) }))
    };
    let (left, there) = (moved(from, quantity.saturating_neg())?, moved(to, quantity)?);
    // Where something can be moved away from, an item is there.
    let Some(StockItem { product_id, variant_id, .. }) = state else { return Ok(vec![]) };
    let (product_id, variant_id) = (*product_id, *variant_id);
    let transferred = StockTransferred { product_id, variant_id, quantity, from: left, to: there, note };
    Ok(vec![InventoryEvent::Transferred(transferred)])
}

fn backorders_set(
    state: Option<&StockItem>,
    (product_id, variant_id): (ProductId, VariantId),
    location: &Location,
    limit: i64,
) -> Vec<InventoryEvent> {
    let location = location.as_str();
    if policy::backorders_are_as_they_were(state, location, limit) {
        return vec![];
    }
    let place = count(location, state.map(|item| item.level(location)).unwrap_or_default());
    vec![InventoryEvent::BackordersSet(BackordersSet { product_id, variant_id, place, limit })]
}

fn taken_back(
    state: Option<&StockItem>,
    return_id: Uuid,
    location: &Location,
    quantity: i64,
) -> Result<Vec<InventoryEvent>, Rejection> {
    let item = state.ok_or(Rejection::NoStock)?;
    if item.returns.contains(&return_id) {
        return Ok(vec![]);
    }
    let before = item.level(location.as_str());
    let on_hand = policy::a_level_stays_between_zero_and_the_most(location.as_str(), before.on_hand, quantity)?;
    let place = count(location.as_str(), Level { on_hand, ..before });
    let (product_id, variant_id) = (item.product_id, item.variant_id);
    Ok(vec![InventoryEvent::Returned(StockReturned { product_id, variant_id, return_id, quantity, place })])
}

fn count(location: &str, level: Level) -> PlaceCount {
    let Level { on_hand, reserved, committed } = level;
    PlaceCount { location: location.to_owned(), on_hand, reserved, committed }
}
