//! Receiving, adjusting and counting stock.

use super::domain::{
    StockCommand, StockItem,
    command::{Location, Movement},
};
use crate::{
    contexts::catalog::port::{self, KnownVariants, VariantRef},
    pipeline::{Expected, Failure, Loaded, Rejection, Scope, UseCase},
};
use schemas::Uuid;
use sqlx::PgConnection;

/// What somebody asks for.
#[derive(Debug, Clone)]
pub(super) struct StockRequest {
    pub(super) variant: VariantRef,
    pub(super) expected: Expected,
    pub(super) location: Location,
    pub(super) movement: Movement,
}

/// Moving the stock of a variant.
pub(super) struct MoveStock;

/// Stock items that are moved.
pub(super) type Stock = Loaded<MoveStock>;

impl UseCase for MoveStock {
    type Aggregate = StockItem;
    type Input = StockRequest;
    type Facts = KnownVariants;

    fn name(input: &StockRequest) -> &'static str {
        match input.movement {
            Movement::Receive(_) => "receive_stock",
            Movement::Adjust(..) => "adjust_stock",
            Movement::Set(..) => "set_stock",
        }
    }

    fn expected(input: &StockRequest) -> Expected {
        input.expected
    }

    async fn facts(conn: &mut PgConnection, scope: &Scope, inputs: &[&StockRequest]) -> Result<KnownVariants, Failure> {
        port::variants(conn, scope, inputs.iter().map(|input| &input.variant)).await
    }

    fn target(variants: &KnownVariants, input: &StockRequest) -> Result<Uuid, Rejection> {
        Ok(variants.get(&input.variant)?.variant_id.uuid())
    }

    fn plan(variants: &KnownVariants, input: &StockRequest) -> Result<StockCommand, Rejection> {
        let known = variants.get(&input.variant)?;
        Ok(StockCommand {
            product_id: known.product_id,
            variant_id: known.variant_id,
            location: input.location.clone(),
            movement: input.movement.clone(),
        })
    }
}
