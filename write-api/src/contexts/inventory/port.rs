//! What others may have done to stock: pieces are reserved, committed, released and dispatched, and come back.
//!
//! A reservation of several variants is one of each: they are asked for one after the other, in one order for all, each in a
//! transaction of its own that many share ([`Together`](crate::pipeline::Together)). What was kept is given back if one can't
//! be had. All of it may be repeated, by the id of the reservation for ever, and by a key to get the same answer.

mod left;
mod reservations;
mod returns;

pub(crate) use super::domain::{HoldState, command::Location};
pub(crate) use left::{left, levels};
pub(crate) use reservations::{Held, HeldPart};
pub(crate) use returns::{Return, take_back};

use super::{
    domain::{Hold, Rejection as Refused, ReservationCommand},
    table,
};
use crate::pipeline::{App, Error, Rejection, Scope, idempotency::Key};
use reservations::{Requested, Reservations};
use schemas::{Timestamp, Uuid, ids::VariantId, problem::Code};
use std::collections::BTreeSet;

/// A reservation as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reserve {
    /// Used once, for ever.
    pub(crate) reservation_id: Uuid,
    /// The checkout that it is for, if it is for one.
    pub(crate) checkout_id: Option<Uuid>,
    /// When it ends by itself.
    pub(crate) expires_at: Timestamp,
}

/// Pieces of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pieces {
    pub(crate) variant: VariantId,
    /// Above zero.
    pub(crate) quantity: i64,
    /// The only place where they may lie; none for any.
    pub(crate) location: Option<Location>,
    /// The places to look at first, in this order; others follow by name.
    pub(crate) preferred: Vec<Location>,
}

impl Pieces {
    /// None yet, from wherever they are.
    pub(crate) const fn none(variant: VariantId) -> Self {
        Self { variant, quantity: 0, location: None, preferred: Vec::new() }
    }

    /// They are looked for here, too, before all places that were not named. A place that can't be is none to look at.
    pub(crate) fn prefer(&mut self, location: &str) {
        self.preferred.extend(Location::parse(location));
    }
}

/// What became of a reservation of several variants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reserved {
    /// All are kept, in the order in which they were asked for.
    All(Vec<Held>),
    /// Nothing is kept; why, for each that could not be had.
    Nothing(Vec<Option<Rejection>>),
}

/// Reserves pieces of several variants, all or none.
///
/// # Errors
/// A variant that is named twice, and failures. After a failure some may be kept: they end by themselves, unless the request is
/// repeated.
pub(crate) async fn reserve(
    app: &App,
    scope: &Scope,
    key: Option<&Key>,
    reserve: &Reserve,
    pieces: &[Pieces],
) -> Result<Reserved, Error> {
    let mut order: Vec<(usize, &Pieces)> = pieces.iter().enumerate().collect();
    order.sort_by_key(|(_, pieces)| pieces.variant);
    let mut named = BTreeSet::new();
    if let Some((twice, _)) = order.iter().find(|(_, pieces)| !named.insert(pieces.variant)) {
        return Err(Rejection::invalid_at(format!("/lines/{twice}"), "a variant is named once").into());
    }
    let mut outcomes: Vec<Option<Result<Held, Rejection>>> = vec![None; pieces.len()];
    for (place, pieces) in order {
        let hold = Hold {
            checkout_id: reserve.checkout_id,
            quantity: pieces.quantity,
            location: pieces.location.clone(),
            preferred: pieces.preferred.clone(),
            expires_at: reserve.expires_at,
        };
        let command = Step::of(app, scope, key, reserve.reservation_id);
        outcomes[place] =
            Some(match command.take("reserve", pieces.variant, ReservationCommand::Reserve(hold)).await {
                Ok(held) => Ok(held),
                // What may go well when it is tried again is no answer.
                Err(Error::Rejected(rejection)) if rejection.problem().status < 500 => Err(rejection),
                Err(error) => return Err(error),
            });
    }
    if outcomes.iter().flatten().all(Result::is_ok) {
        return Ok(Reserved::All(outcomes.into_iter().flatten().flatten().collect()));
    }
    for held in outcomes.iter().flatten().flatten() {
        let command = Step::of(app, scope, key, reserve.reservation_id);
        command.take("undo", held.variant_id, ReservationCommand::Release).await?;
    }
    Ok(Reserved::Nothing(outcomes.into_iter().flatten().map(Result::err).collect()))
}

/// Has a reservation not end by itself, while a payment is under way.
///
/// # Errors
/// That there is none or it is over, and failures.
pub(crate) async fn pin(app: &App, scope: &Scope, key: Option<&Key>, id: Uuid) -> Result<Vec<Held>, Error> {
    each(Step::of(app, scope, key, id), "pin", &ReservationCommand::Pin).await
}

/// Has a reservation end by itself again, at that time.
///
/// # Errors
/// Those of [`pin`].
pub(crate) async fn unpin(
    app: &App,
    scope: &Scope,
    key: Option<&Key>,
    id: Uuid,
    expires_at: Timestamp,
) -> Result<Vec<Held>, Error> {
    each(Step::of(app, scope, key, id), "unpin", &ReservationCommand::Unpin(expires_at)).await
}

/// Has the pieces of a reservation belong to an order. Where one variant is kept no more, none is.
///
/// # Errors
/// That there is none or it is over, and failures.
pub(crate) async fn commit(app: &App, scope: &Scope, key: Option<&Key>, id: Uuid) -> Result<Vec<Held>, Error> {
    let step = Step::of(app, scope, key, id);
    let committed = each(step, "commit", &ReservationCommand::Commit).await;
    let is_over = |rejection: &Rejection| {
        let over = [Code::ReservationExpired, Code::ReservationEnded];
        over.iter().any(|code| code.as_str() == rejection.problem().code)
    };
    if matches!(&committed, Err(Error::Rejected(rejection)) if is_over(rejection)) {
        match each(step, "undo", &ReservationCommand::Release).await {
            // What has left before stays so.
            Ok(_) | Err(Error::Rejected(_)) => {}
            Err(error) => return Err(error),
        }
    }
    committed
}

/// Gives the pieces of a reservation up.
///
/// # Errors
/// That there is none or its pieces have left, and failures.
pub(crate) async fn release(app: &App, scope: &Scope, key: Option<&Key>, id: Uuid) -> Result<Vec<Held>, Error> {
    each(Step::of(app, scope, key, id), "release", &ReservationCommand::Release).await
}

/// Has the pieces of a reservation leave, those at one place or all.
///
/// # Errors
/// That there is none or it is not committed, and failures.
pub(crate) async fn dispatch(
    app: &App,
    scope: &Scope,
    key: Option<&Key>,
    id: Uuid,
    location: Option<&Location>,
) -> Result<Vec<Held>, Error> {
    each(Step::of(app, scope, key, id), "dispatch", &ReservationCommand::Dispatch(location.cloned())).await
}

/// Ends a reservation of a variant whose time is over; nothing happens to another.
///
/// # Errors
/// That there is none, and failures.
pub(crate) async fn expire(app: &App, scope: &Scope, id: Uuid, variant: VariantId) -> Result<Held, Error> {
    Step::of(app, scope, None, id).take("expire", variant, ReservationCommand::Expire).await
}

/// Does the same to each variant of a reservation.
async fn each(step: Step<'_>, name: &str, command: &ReservationCommand) -> Result<Vec<Held>, Error> {
    let mut transaction = step.app.database.of_shop(step.scope.tenant).await?;
    let variants = table::reservations::variants(&mut transaction, step.scope, step.id).await?;
    drop(transaction);
    if variants.is_empty() {
        return Err(Rejection::from(Refused::NoReservation).into());
    }
    let mut held = Vec::with_capacity(variants.len());
    for variant in variants {
        held.push(step.take(name, VariantId(variant), command.clone()).await?);
    }
    Ok(held)
}

/// Who asks for something to be done to a reservation.
#[derive(Clone, Copy)]
struct Step<'a> {
    app: &'a App,
    scope: &'a Scope,
    key: Option<&'a Key>,
    id: Uuid,
}

impl<'a> Step<'a> {
    const fn of(app: &'a App, scope: &'a Scope, key: Option<&'a Key>, id: Uuid) -> Self {
        Self { app, scope, key, id }
    }

    /// Does it to one variant. No key that is sent has a space, so that this one is of no other request.
    async fn take(&self, name: &str, variant: VariantId, command: ReservationCommand) -> Result<Held, Error> {
        let key = self.key.map(|key| Key { key: format!("{} {name} {variant}", key.key), ..key.clone() });
        let requested = Requested { variant, id: self.id, command };
        let decided = self.app.together::<Reservations>(self.scope, key.as_ref(), requested).await?;
        Ok(Held { replayed: decided.replayed, ..decided.answer })
    }
}
