//! The rules of stock, one sentence each.

use super::{
    Level, Rejection, StockItem,
    command::MAX_PIECES,
    reservation::{HoldState, Reservation},
};
use schemas::Timestamp;

/// Stock never falls below zero.
///
/// # Errors
/// [`Rejection::Insufficient`] or [`Rejection::TooMany`]; otherwise the new level.
pub fn a_level_stays_between_zero_and_the_most(location: &str, on_hand: i64, delta: i64) -> Result<i64, Rejection> {
    match on_hand.checked_add(delta) {
        Some(after) if after < 0 => {
            Err(Rejection::Insufficient { location: location.to_owned(), on_hand, wanted: delta.saturating_neg() })
        }
        Some(after) if after <= MAX_PIECES => Ok(after),
        _ => Err(Rejection::TooMany { location: location.to_owned(), most: MAX_PIECES }),
    }
}

/// What is promised to somebody stays where it is.
///
/// # Errors
/// [`Rejection::Insufficient`].
pub fn only_what_can_be_sold_is_moved_away(location: &str, level: Level, quantity: i64) -> Result<(), Rejection> {
    let available = level.available().max(0);
    if quantity <= available {
        return Ok(());
    }
    Err(Rejection::Insufficient { location: location.to_owned(), on_hand: available, wanted: quantity })
}

/// A reservation exists, and has not ended.
///
/// # Errors
/// [`Rejection::NoReservation`] or [`Rejection::Ended`].
pub fn a_reservation_ends_once(reservation: Option<&Reservation>) -> Result<&Reservation, Rejection> {
    let reservation = reservation.ok_or(Rejection::NoReservation)?;
    let state = reservation.state();
    if state.is_end() { Err(Rejection::Ended(state)) } else { Ok(reservation) }
}

/// Once its time is over, a reservation is kept for nobody, whether or not that was noted already.
///
/// # Errors
/// [`Rejection::Ended`].
pub fn what_is_over_is_not_taken_up(reservation: &Reservation, now: Timestamp) -> Result<(), Rejection> {
    let is_over = reservation.state() == HoldState::Held && reservation.is_over(now);
    if is_over { Err(Rejection::Ended(HoldState::Expired)) } else { Ok(()) }
}

/// Pieces may be promised at one place, and those that are promised already go on being so.
#[must_use]
pub fn backorders_are_as_they_were(item: Option<&StockItem>, location: &str, limit: i64) -> bool {
    let known = item.map(|item| (item.backorder_location.as_deref().unwrap_or(location), item.backorder_limit));
    known.unwrap_or((location, 0)) == (location, limit)
}
