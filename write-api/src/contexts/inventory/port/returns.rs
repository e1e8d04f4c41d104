//! Goods of customers that come back into stock.

use crate::{
    contexts::inventory::{
        domain::{StockCommand, StockItem, command::Location},
        table,
    },
    pipeline::{
        App, Batch, Error, Expected, Failure, Loaded, Rejection, Scope, UseCase, command::CarriedOut, idempotency::Key,
    },
};
use schemas::{Uuid, ids::VariantId};
use sqlx::PgConnection;

/// Pieces of a variant that are sold again.
#[derive(Debug, Clone)]
pub(crate) struct Return {
    /// With the variant it is used once, for ever.
    pub(crate) return_id: Uuid,
    pub(crate) variant: VariantId,
    pub(crate) location: Location,
    /// Above zero.
    pub(crate) quantity: i64,
}

/// Takes goods back, once for each return and variant.
///
/// # Errors
/// That there was never any stock of it or no more can be counted, and failures.
pub(crate) async fn take_back(
    app: &App,
    scope: &Scope,
    key: Option<&Key>,
    returned: Return,
) -> Result<CarriedOut, Error> {
    app.command::<Loaded<TakeBack>>(scope, key, returned).await
}

struct TakeBack;

impl UseCase for TakeBack {
    type Aggregate = StockItem;
    type Input = Return;
    type Facts = ();

    fn name(_: &Return) -> &'static str {
        "take_back_stock"
    }

    fn expected(_: &Return) -> Expected {
        Expected::Any
    }

    async fn facts(_: &mut PgConnection, _: &Scope, _: &[&Return]) -> Result<(), Failure> {
        Ok(())
    }

    async fn complete(
        conn: &mut PgConnection,
        scope: &Scope,
        (): &(),
        inputs: &[&Return],
        batch: &mut Batch<StockItem>,
    ) -> Result<(), Failure> {
        let named: Vec<(Uuid, Uuid)> = inputs.iter().map(|input| (input.return_id, input.variant.uuid())).collect();
        table::reservations::load_returns(conn, scope, batch, &named).await
    }

    fn target((): &(), input: &Return) -> Result<Uuid, Rejection> {
        Ok(input.variant.uuid())
    }

    fn plan((): &(), input: &Return) -> Result<StockCommand, Rejection> {
        let Return { return_id, location, quantity, .. } = input.clone();
        Ok(StockCommand::TakeBack { return_id, location, quantity })
    }
}
