//! What other contexts have of promotions: which may count for a cart, and their uses by checkouts.
//!
//! A checkout [`reserve`]s the uses of its snapshot, all or none, then [`consume`]s them once it is an order or [`release`]s
//! them. Each may be repeated: a use is known by checkout, promotion and code. Promotions without a limit have no uses that
//! are counted, so that nothing waits for anything there.
//!
//! Whoever releases a checkout waits for the answer to its reservation first: a reservation that comes after a release of
//! nothing stands. What was released is not reserved again; a checkout that goes on all the same has another id.

pub(crate) mod active;
mod reserve;
mod settle;

use crate::pipeline::{Allowance, App, Change, Error, Rejection, Scope};
use schemas::{
    Uuid,
    problem::{self, Problem},
};

pub(crate) use active::active;

/// Uses that a checkout may have.
const MOST_USES: usize = 50;
/// The most characters of what stands for a customer.
const MOST_CUSTOMER: usize = 64;

/// A use of a promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use {
    /// By its name.
    pub(crate) promotion: String,
    /// In capitals, as [`active`] gives it; none of a promotion that needs none.
    pub(crate) code: Option<String>,
    /// The id of an account, or a digest that stands for a guest's address.
    pub(crate) customer: String,
}

/// Reserves uses for a checkout, all of them or none.
///
/// # Errors
/// A problem that says why, with the pointer `/uses/<index>`: `coupon_exhausted`, `first_order_taken`, `coupon_ended`,
/// `coupon_not_yet`, `coupon_unknown`, `coupon_disabled`, `coupon_settled`.
pub(crate) async fn reserve(app: &App, scope: &Scope, checkout: Uuid, uses: &[Use]) -> Result<Change, Error> {
    well_formed(uses)?;
    // Shoppers go on where a shop has all the storage that it may have.
    let scope = &Scope { allowance: Allowance::default(), ..scope.clone() };
    app.procedure(scope, &reserve::Reserve { checkout, uses }).await
}

/// Says that a checkout has become an order. A checkout without counted uses has nothing to consume.
///
/// # Errors
/// `coupon_settled`, if one of its uses was released.
pub(crate) async fn consume(app: &App, scope: &Scope, checkout: Uuid) -> Result<Change, Error> {
    app.procedure(scope, &settle::Settle { checkout, settlement: settle::Settlement::Consume }).await
}

/// Gives the uses of a checkout back: of one that was aborted, or of an order that was cancelled after it was paid. The latter
/// gives back what its promotion lets be given back, and keeps the rest.
///
/// # Errors
/// `coupon_settled`, if a use was consumed and no order was cancelled.
pub(crate) async fn release(app: &App, scope: &Scope, checkout: Uuid, is_cancelled: bool) -> Result<Change, Error> {
    app.procedure(scope, &settle::Settle { checkout, settlement: settle::Settlement::Release { is_cancelled } }).await
}

fn well_formed(uses: &[Use]) -> Result<(), Rejection> {
    if uses.len() > MOST_USES {
        return Err(Rejection::invalid_at("/uses", format!("a checkout has at most {MOST_USES}")));
    }
    for (at, asked) in uses.iter().enumerate() {
        let is_key = (1..=MOST_CUSTOMER).contains(&asked.customer.len());
        if !is_key || asked.customer.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
            let detail = format!("1 to {MOST_CUSTOMER} characters without blanks stand for a customer");
            return Err(Rejection::invalid_at(format!("/uses/{at}/customer"), detail));
        }
        if uses.iter().take(at).any(|other| other == asked) {
            return Err(Rejection::invalid_at(format!("/uses/{at}"), "each use stands once"));
        }
    }
    Ok(())
}

/// Why a use is refused, as a problem that points at it.
fn refused(code: problem::Code, at: Option<usize>, detail: String) -> Rejection {
    let errors = at.map(|at| problem::FieldError::new(format!("/uses/{at}"), detail.clone()));
    Rejection::of(Problem::new(code).detail(detail).errors(errors.into_iter().collect()))
}
