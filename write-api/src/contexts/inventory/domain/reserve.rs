//! What becomes of a reservation.

use super::{
    Hold, HoldState, Level, Rejection, Reservation, ReservationCommand, StockItem, allocate, command::Location, policy,
    reservation::Part,
};
use schemas::{
    Timestamp, Uuid,
    events::{
        InventoryEvent,
        inventory::{ReservationMoved, ReservationPinned, ReservationUnpinned, ReservedPart, StockReserved},
    },
};

/// Decides what is done to a reservation. What was done before is not done again, and is no failure.
///
/// # Errors
/// The rule that forbids it.
pub fn decide(
    state: Option<&StockItem>,
    id: Uuid,
    command: ReservationCommand,
    now: Timestamp,
) -> Result<Vec<InventoryEvent>, Rejection> {
    let known = state.and_then(|item| item.reservations.get(&id));
    if let ReservationCommand::Reserve(hold) = command {
        return match (state, known) {
            (_, Some(known)) => repeated(known, &hold, now),
            (None, None) => Err(Rejection::TooFew { available: 0, wanted: hold.quantity }),
            (Some(item), None) => reserved(item, id, &hold, now),
        };
    }
    let (item, known) = state.zip(known).ok_or(Rejection::NoReservation)?;
    let subject = Subject { item, id, known };
    match command {
        // It is answered above.
        ReservationCommand::Reserve(_) => Ok(vec![]),
        ReservationCommand::Pin => subject.pinned(now),
        ReservationCommand::Unpin(expires_at) => subject.unpinned(expires_at, now),
        ReservationCommand::Commit => subject.committed(now),
        ReservationCommand::Release => subject.released(),
        ReservationCommand::Expire => Ok(subject.expired(now)),
        ReservationCommand::Dispatch(location) => subject.dispatched(location.as_ref()),
    }
}

fn repeated(known: &Reservation, hold: &Hold, now: Timestamp) -> Result<Vec<InventoryEvent>, Rejection> {
    if (known.quantity(), known.checkout_id) != (hold.quantity, hold.checkout_id) {
        return Err(Rejection::Taken);
    }
    match known.state() {
        HoldState::Held => policy::what_is_over_is_not_taken_up(known, now).map(|()| vec![]),
        HoldState::Committed | HoldState::Dispatched => Ok(vec![]),
        state @ (HoldState::Released | HoldState::Expired) => Err(Rejection::Ended(state)),
    }
}

fn reserved(item: &StockItem, id: Uuid, hold: &Hold, now: Timestamp) -> Result<Vec<InventoryEvent>, Rejection> {
    if hold.expires_at <= now {
        return Err(Rejection::OverAlready);
    }
    let held = |(location, quantity): (String, i64)| {
        let Level { on_hand, reserved, committed } = item.level(&location);
        ReservedPart { location, quantity, on_hand, reserved: reserved.saturating_add(quantity), committed }
    };
    let parts = allocate::one_place_if_one_suffices(item, hold)?.into_iter().map(held).collect();
    Ok(vec![InventoryEvent::Reserved(StockReserved {
        product_id: item.product_id,
        variant_id: item.variant_id,
        reservation_id: id,
        checkout_id: hold.checkout_id,
        expires_at: hold.expires_at,
        parts,
        available: item.available().saturating_sub(hold.quantity),
    })])
}

/// A reservation and what it is of.
#[derive(Clone, Copy)]
struct Subject<'a> {
    item: &'a StockItem,
    id: Uuid,
    known: &'a Reservation,
}

impl Subject<'_> {
    fn pinned(self, now: Timestamp) -> Result<Vec<InventoryEvent>, Rejection> {
        let known = policy::a_reservation_ends_once(Some(self.known))?;
        policy::what_is_over_is_not_taken_up(known, now)?;
        if known.pinned || known.state() == HoldState::Committed {
            return Ok(vec![]);
        }
        let (product_id, variant_id, reservation_id) = (self.item.product_id, self.item.variant_id, self.id);
        Ok(vec![InventoryEvent::Pinned(ReservationPinned { product_id, variant_id, reservation_id })])
    }

    fn unpinned(self, expires_at: Timestamp, now: Timestamp) -> Result<Vec<InventoryEvent>, Rejection> {
        let known = policy::a_reservation_ends_once(Some(self.known))?;
        policy::what_is_over_is_not_taken_up(known, now)?;
        let is_so = !known.pinned && known.expires_at == expires_at;
        if is_so || known.state() == HoldState::Committed {
            return Ok(vec![]);
        }
        let (product_id, variant_id, reservation_id) = (self.item.product_id, self.item.variant_id, self.id);
        let unpinned = ReservationUnpinned { product_id, variant_id, reservation_id, expires_at };
        Ok(vec![InventoryEvent::Unpinned(unpinned)])
    }

    fn committed(self, now: Timestamp) -> Result<Vec<InventoryEvent>, Rejection> {
        match self.known.state() {
            HoldState::Held => {
                policy::what_is_over_is_not_taken_up(self.known, now)?;
                let moved = self.moved(self.held(), |level, pieces| Level {
                    reserved: level.reserved.saturating_sub(pieces),
                    committed: level.committed.saturating_add(pieces),
                    ..level
                });
                Ok(vec![InventoryEvent::Committed(moved)])
            }
            HoldState::Committed | HoldState::Dispatched => Ok(vec![]),
            state @ (HoldState::Released | HoldState::Expired) => Err(Rejection::Ended(state)),
        }
    }

    fn released(self) -> Result<Vec<InventoryEvent>, Rejection> {
        match self.known.state() {
            HoldState::Released | HoldState::Expired => return Ok(vec![]),
            HoldState::Dispatched => return Err(Rejection::Ended(HoldState::Dispatched)),
            HoldState::Held | HoldState::Committed => {}
        }
        let open = self.known.parts.iter().filter(|(_, part)| !part.state.is_end()).collect();
        let parts = self.parts(open, |part, level| {
            if part.state == HoldState::Committed {
                return Level { committed: level.committed.saturating_sub(part.quantity), ..level };
            }
            Level { reserved: level.reserved.saturating_sub(part.quantity), ..level }
        });
        Ok(vec![InventoryEvent::Released(self.told(parts))])
    }

    fn expired(self, now: Timestamp) -> Vec<InventoryEvent> {
        if self.known.state() != HoldState::Held || !self.known.is_over(now) {
            return vec![];
        }
        let moved =
            self.moved(self.held(), |level, pieces| Level { reserved: level.reserved.saturating_sub(pieces), ..level });
        vec![InventoryEvent::Expired(moved)]
    }

    fn dispatched(self, only: Option<&Location>) -> Result<Vec<InventoryEvent>, Rejection> {
        let is_meant = |location: &str| only.is_none_or(|only| only.as_str() == location);
        let meant: Vec<(&String, &Part)> = self.known.parts.iter().filter(|(place, _)| is_meant(place)).collect();
        let states: Vec<HoldState> = meant.iter().map(|(_, part)| part.state).collect();
        if states.is_empty() {
            return Err(Rejection::NoReservation);
        }
        if states.contains(&HoldState::Held) {
            return Err(Rejection::NotCommitted);
        }
        let committed: Vec<_> = meant.into_iter().filter(|(_, part)| part.state == HoldState::Committed).collect();
        if committed.is_empty() {
            let given_up = states.into_iter().find(|state| *state != HoldState::Dispatched);
            return given_up.map_or_else(|| Ok(vec![]), |state| Err(Rejection::Ended(state)));
        }
        for (location, part) in &committed {
            let on_hand = self.item.level(location).on_hand;
            policy::a_level_stays_between_zero_and_the_most(location, on_hand, part.quantity.saturating_neg())?;
        }
        let moved = self.moved(committed, |level, pieces| Level {
            on_hand: level.on_hand.saturating_sub(pieces),
            committed: level.committed.saturating_sub(pieces),
            ..level
        });
        Ok(vec![InventoryEvent::Dispatched(moved)])
    }

    fn held(&self) -> Vec<(&String, &Part)> {
        self.known.parts.iter().filter(|(_, part)| part.state == HoldState::Held).collect()
    }

    /// Some of its parts move counters in one way.
    fn moved(&self, parts: Vec<(&String, &Part)>, change: impl Fn(Level, i64) -> Level) -> ReservationMoved {
        self.told(self.parts(parts, |part, level| change(level, part.quantity)))
    }

    fn parts(&self, parts: Vec<(&String, &Part)>, change: impl Fn(&Part, Level) -> Level) -> Vec<ReservedPart> {
        let after = |(location, part): (&String, &Part)| {
            let Level { on_hand, reserved, committed } = change(part, self.item.level(location));
            ReservedPart { location: location.clone(), quantity: part.quantity, on_hand, reserved, committed }
        };
        parts.into_iter().map(after).collect()
    }

    fn told(&self, parts: Vec<ReservedPart>) -> ReservationMoved {
        let after = |part: &ReservedPart| {
            Level { on_hand: part.on_hand, reserved: part.reserved, committed: part.committed }.available()
        };
        let gained = parts.iter().fold(0_i64, |sum, part| {
            sum.saturating_add(after(part)).saturating_sub(self.item.level(&part.location).available())
        });
        ReservationMoved {
            product_id: self.item.product_id,
            variant_id: self.item.variant_id,
            reservation_id: self.id,
            checkout_id: self.known.checkout_id,
            parts,
            available: self.item.available().saturating_add(gained),
        }
    }
}
