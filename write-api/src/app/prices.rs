//! Setting and removing the prices of variants.

use super::{Change, Done, Expected, Kind, Rejected};
use crate::{
    domain::{
        Aggregate,
        pricing::{PriceCommand, PriceSheet, command::Entries},
    },
    store::{
        self, Batch, Failure, Scope,
        variants::{KnownVariants, VariantRef},
    },
};
use schemas::contexts::Context;
use sqlx::PgConnection;

/// One command to a price sheet.
#[derive(Debug, Clone)]
pub(crate) struct PriceLine {
    pub(crate) variant: VariantRef,
    pub(crate) expected: Expected,
    /// The new sheet; none to remove it.
    pub(crate) entries: Option<Entries>,
}

/// Price sheets.
#[derive(Debug)]
pub(crate) struct Prices;

/// What was loaded.
pub(crate) struct Desk {
    variants: KnownVariants,
    batch: Batch<PriceSheet>,
}

impl Kind for Prices {
    const CONTEXT: Context = Context::Pricing;
    type Line = PriceLine;
    type Desk = Desk;

    fn name(line: &PriceLine) -> &'static str {
        if line.entries.is_some() { "set_prices" } else { "remove_prices" }
    }

    async fn load(conn: &mut PgConnection, scope: &Scope, lines: &[&PriceLine]) -> Result<Desk, Failure> {
        let variants = store::variants::find(conn, scope, lines.iter().map(|line| &line.variant)).await?;
        let batch = store::price_sheets::load(conn, scope, &variants.ids()).await?;
        Ok(Desk { variants, batch })
    }

    fn decide(desk: &mut Desk, line: &PriceLine) -> Result<Done, Rejected> {
        let known = desk.variants.get(&line.variant).ok_or_else(|| no_variant(&line.variant))?;
        let id = known.variant_id.uuid();
        let item = desk.batch.get(id);
        // A sheet without entries was removed: setting prices anew needs no version.
        let standing = item.filter(|item| item.state.as_ref().is_some_and(|sheet| !sheet.entries.is_empty()));
        line.expected.check(standing)?;
        let command = match line.entries.clone() {
            Some(entries) => PriceCommand::Set { product_id: known.product_id, variant_id: known.variant_id, entries },
            None => PriceCommand::Remove,
        };
        let (before, created) = (item.map_or(0, |item| item.version), standing.is_none());
        let events = PriceSheet::decide(desk.batch.state(id), command)?;
        let mut done = Done::moved(id, before, desk.batch.record(id, events));
        if created && done.change == Change::Changed {
            done.change = Change::Created;
        }
        Ok(done)
    }

    async fn write(conn: &mut PgConnection, scope: &Scope, desk: Desk) -> Result<(), Failure> {
        desk.batch.append(conn, scope).await
    }
}

/// No variant of that name in this tenant.
pub(super) fn no_variant(variant: &VariantRef) -> Rejected {
    Rejected::NotFound(match variant {
        VariantRef::Id(id) => format!("there is no variant {id}"),
        VariantRef::Sku(sku) => format!("there is no variant with the SKU `{sku}`"),
    })
}
