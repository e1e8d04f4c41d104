//! The rules of stock, one sentence each.

use super::{Rejection, command::MAX_PIECES};

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
