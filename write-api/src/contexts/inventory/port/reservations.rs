//! Reservations of one variant, decided together.

use crate::{
    contexts::inventory::{
        domain::{HoldState, ReservationCommand, StockCommand, StockItem},
        table,
    },
    pipeline::{Batch, Change, Done, Expected, Failure, Rejection, Scope, Together, UseCase},
};
use schemas::{Timestamp, Uuid, ids::VariantId};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

/// Something that somebody wants done to a reservation.
#[derive(Debug, Clone)]
pub(super) struct Requested {
    pub(super) variant: VariantId,
    pub(super) id: Uuid,
    pub(super) command: ReservationCommand,
}

/// A reservation of a variant, after a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// The variant; the stock item that it is of.
    pub(crate) variant_id: VariantId,
    /// The version of the stock item.
    pub(crate) version: u64,
    /// What the command did.
    pub(crate) change: Change,
    /// Where it is in its life, as a whole.
    pub(crate) state: HoldState,
    /// When it ends by itself.
    pub(crate) expires_at: Option<Timestamp>,
    /// Where its pieces lie.
    pub(crate) parts: Vec<HeldPart>,
    /// It was done before, under the same key.
    #[serde(skip)]
    pub(crate) replayed: bool,
}

/// Pieces of a reservation at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct HeldPart {
    /// The place, such as `main`.
    pub(crate) location: String,
    /// Pieces there.
    pub(crate) quantity: i64,
}

/// What is done to reservations.
pub(super) struct Reservations;

impl UseCase for Reservations {
    type Aggregate = StockItem;
    type Input = Requested;
    /// When it is decided.
    type Facts = Timestamp;

    fn name(input: &Requested) -> &'static str {
        match input.command {
            ReservationCommand::Reserve(_) => "reserve_stock",
            ReservationCommand::Pin => "pin_reservation",
            ReservationCommand::Unpin(_) => "unpin_reservation",
            ReservationCommand::Commit => "commit_reservation",
            ReservationCommand::Release => "release_reservation",
            ReservationCommand::Expire => "expire_reservation",
            ReservationCommand::Dispatch(_) => "dispatch_reservation",
        }
    }

    fn expected(_: &Requested) -> Expected {
        Expected::Any
    }

    async fn facts(_: &mut PgConnection, scope: &Scope, _: &[&Requested]) -> Result<Timestamp, Failure> {
        Ok(scope.now)
    }

    async fn complete(
        conn: &mut PgConnection,
        scope: &Scope,
        _: &Timestamp,
        inputs: &[&Requested],
        batch: &mut Batch<StockItem>,
    ) -> Result<(), Failure> {
        let mut named: Vec<(Uuid, Uuid)> = inputs.iter().map(|input| (input.id, input.variant.uuid())).collect();
        named.sort_unstable();
        named.dedup();
        table::reservations::load(conn, scope, batch, &named).await
    }

    fn target(_: &Timestamp, input: &Requested) -> Result<Uuid, Rejection> {
        Ok(input.variant.uuid())
    }

    fn plan(now: &Timestamp, input: &Requested) -> Result<StockCommand, Rejection> {
        Ok(StockCommand::Reservation(input.id, input.command.clone(), *now))
    }
}

impl Together for Reservations {
    type Answer = Held;

    fn aggregate(input: &Requested) -> Uuid {
        input.variant.uuid()
    }

    fn answer(state: Option<&StockItem>, input: &Requested, done: Done) -> Held {
        let known = state.and_then(|item| item.reservations.get(&input.id));
        let parts = known.into_iter().flat_map(|known| &known.parts);
        let part = |(location, part): (&String, &crate::contexts::inventory::domain::reservation::Part)| HeldPart {
            location: location.clone(),
            quantity: part.quantity,
        };
        Held {
            variant_id: input.variant,
            version: done.version,
            change: done.change,
            state: known.map_or(HoldState::Released, |known| known.state()),
            expires_at: known.map(|known| known.expires_at),
            parts: parts.map(part).collect(),
            replayed: false,
        }
    }
}
