//! Receiving, adjusting and counting stock.

use super::{Done, Expected, Kind, Rejected, prices::no_variant};
use crate::{
    domain::{
        Aggregate,
        inventory::{
            StockCommand, StockItem,
            command::{Location, Movement},
        },
    },
    store::{
        self, Batch, Failure, Scope,
        variants::{KnownVariants, VariantRef},
    },
};
use schemas::contexts::Context;
use sqlx::PgConnection;

/// One command to a stock item.
#[derive(Debug, Clone)]
pub(crate) struct StockLine {
    pub(crate) variant: VariantRef,
    pub(crate) expected: Expected,
    pub(crate) location: Location,
    pub(crate) movement: Movement,
}

/// Stock items.
#[derive(Debug)]
pub(crate) struct Stock;

/// What was loaded.
pub(crate) struct Desk {
    variants: KnownVariants,
    batch: Batch<StockItem>,
}

impl Kind for Stock {
    const CONTEXT: Context = Context::Inventory;
    type Line = StockLine;
    type Desk = Desk;

    fn name(line: &StockLine) -> &'static str {
        match line.movement {
            Movement::Receive(_) => "receive_stock",
            Movement::Adjust(..) => "adjust_stock",
            Movement::Set(..) => "set_stock",
        }
    }

    async fn load(conn: &mut PgConnection, scope: &Scope, lines: &[&StockLine]) -> Result<Desk, Failure> {
        let variants = store::variants::find(conn, scope, lines.iter().map(|line| &line.variant)).await?;
        let batch = store::stock_items::load(conn, scope, &variants.ids()).await?;
        Ok(Desk { variants, batch })
    }

    fn decide(desk: &mut Desk, line: &StockLine) -> Result<Done, Rejected> {
        let known = desk.variants.get(&line.variant).ok_or_else(|| no_variant(&line.variant))?;
        let id = known.variant_id.uuid();
        let item = desk.batch.get(id);
        line.expected.check(item)?;
        let before = item.map_or(0, |item| item.version);
        let command = StockCommand {
            product_id: known.product_id,
            variant_id: known.variant_id,
            location: line.location.clone(),
            movement: line.movement.clone(),
        };
        let events = StockItem::decide(desk.batch.state(id), command)?;
        // Nothing on record and nothing to record: version 0.
        let version = if events.is_empty() { before } else { desk.batch.record(id, events) };
        Ok(Done::moved(id, before, version))
    }

    async fn write(conn: &mut PgConnection, scope: &Scope, desk: Desk) -> Result<(), Failure> {
        desk.batch.append(conn, scope).await
    }
}
