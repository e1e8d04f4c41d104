//! The rules of payments, one sentence each.

use super::{Attempt, Payment, Rejection};

/// The most that one payment is of, in minor units.
pub const MOST: i64 = 1_000_000_000_000;
/// Transfers that one payment may have.
pub const MOST_TRANSFERS: usize = 100;

/// A sum of money is above zero and can be counted.
///
/// # Errors
/// [`Rejection::Amount`]
pub fn a_sum_is_above_zero(amount: i64) -> Result<(), Rejection> {
    if (1..=MOST).contains(&amount) { Ok(()) } else { Err(Rejection::Amount { most: MOST }) }
}

/// Never more is captured than is held, and a provider that captures an attempt once lets go of the rest with it.
///
/// # Errors
/// [`Rejection::TooMuch`], [`Rejection::Status`] where nothing is held, [`Rejection::CapturedOther`]; otherwise the attempt
/// that is captured, or none if it was, by the same amount.
pub fn no_more_is_captured_than_is_held(payment: &Payment, amount: i64) -> Result<Option<&Attempt>, Rejection> {
    a_sum_is_above_zero(amount)?;
    if !payment.is_by_provider() {
        return Err(Rejection::Method);
    }
    match payment.holding() {
        Some(attempt) if amount <= attempt.held() => Ok(Some(attempt)),
        Some(attempt) => Err(Rejection::TooMuch { held: attempt.held() }),
        None => match payment.captured() {
            0 => Err(Rejection::Status { status: payment.status }),
            captured if captured == amount => Ok(None),
            captured => Err(Rejection::CapturedOther { captured }),
        },
    }
}

/// What is to be done once an order has another total than was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// So much is due.
    Due(i64),
    /// So much goes back.
    Back(i64),
    /// Nothing.
    Even,
}

/// What is asked for after an edit is the difference, and never the whole sum again.
#[must_use]
pub const fn the_difference_is_settled(total: i64, paid: i64) -> Settlement {
    let difference = total.saturating_sub(paid);
    match difference {
        0 => Settlement::Even,
        1.. => Settlement::Due(difference),
        _ => Settlement::Back(difference.saturating_neg()),
    }
}
