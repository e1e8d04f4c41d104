//! Receiving, adjusting, counting and moving stock, and how much may be promised beyond it.

use super::{
    domain::{
        StockCommand, StockItem,
        command::{Location, Move, Movement},
    },
    table,
};
use crate::{
    contexts::catalog::port::{self, KnownVariants, VariantRef},
    pipeline::{Batch, Expected, Failure, Loaded, Rejection, Scope, UseCase},
};
use schemas::Uuid;
use sqlx::PgConnection;

/// What somebody asks for.
#[derive(Debug, Clone)]
pub(super) struct StockRequest {
    pub(super) variant: VariantRef,
    pub(super) expected: Expected,
    pub(super) change: StockChange,
}

/// What shall become of stock.
#[derive(Debug, Clone)]
pub(super) enum StockChange {
    /// A level moves.
    Move(Location, Movement),
    /// Goods go from one place to another.
    Transfer { from: Location, to: Location, quantity: i64, note: Option<String> },
    /// So many pieces may be promised beyond those that are there.
    Backorders(Location, i64),
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
        match input.change {
            StockChange::Move(_, Movement::Receive(_)) => "receive_stock",
            StockChange::Move(_, Movement::Adjust(..)) => "adjust_stock",
            StockChange::Move(_, Movement::Set(..)) => "set_stock",
            StockChange::Transfer { .. } => "transfer_stock",
            StockChange::Backorders(..) => "set_backorders",
        }
    }

    fn expected(input: &StockRequest) -> Expected {
        input.expected
    }

    async fn facts(conn: &mut PgConnection, scope: &Scope, inputs: &[&StockRequest]) -> Result<KnownVariants, Failure> {
        port::variants(conn, scope, inputs.iter().map(|input| &input.variant)).await
    }

    /// Where pieces may be missing afterwards, it is told for whom.
    async fn complete(
        conn: &mut PgConnection,
        scope: &Scope,
        variants: &KnownVariants,
        inputs: &[&StockRequest],
        batch: &mut Batch<StockItem>,
    ) -> Result<(), Failure> {
        let lessened = inputs.iter().filter_map(|input| match &input.change {
            StockChange::Move(location, Movement::Adjust(..) | Movement::Set(..)) => {
                Some((Self::target(variants, input).ok()?, location.as_str()))
            }
            StockChange::Move(_, Movement::Receive(_)) | StockChange::Transfer { .. } | StockChange::Backorders(..) => {
                None
            }
        });
        let is_kept = |(id, location): &(Uuid, &str)| {
            let level = batch.state(*id).map(|item| item.level(location)).unwrap_or_default();
            level.reserved > 0 || level.committed > 0
        };
        let mut places: Vec<(Uuid, &str)> = lessened.filter(is_kept).collect();
        places.sort_unstable();
        places.dedup();
        table::reservations::load_open(conn, scope, batch, &places).await
    }

    fn target(variants: &KnownVariants, input: &StockRequest) -> Result<Uuid, Rejection> {
        Ok(variants.get(&input.variant)?.variant_id.uuid())
    }

    fn plan(variants: &KnownVariants, input: &StockRequest) -> Result<StockCommand, Rejection> {
        let known = variants.get(&input.variant)?;
        let (product_id, variant_id) = (known.product_id, known.variant_id);
        Ok(match input.change.clone() {
            StockChange::Move(location, movement) => {
                StockCommand::Move(Move { product_id, variant_id, location, movement })
            }
            StockChange::Transfer { from, to, quantity, note } => StockCommand::Transfer { from, to, quantity, note },
            StockChange::Backorders(location, limit) => {
                StockCommand::SetBackorders { product_id, variant_id, location, limit }
            }
        })
    }
}
