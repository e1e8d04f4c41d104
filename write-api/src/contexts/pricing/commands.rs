//! Setting and removing the prices of variants.

use super::domain::{PriceCommand, PriceSheet, command::Entries};
use crate::{
    contexts::catalog::port::{self, KnownVariants, VariantRef},
    pipeline::{Expected, Failure, Loaded, Rejection, Scope, UseCase},
};
use schemas::Uuid;
use sqlx::PgConnection;

/// What somebody asks for.
#[derive(Debug, Clone)]
pub(super) struct PriceRequest {
    pub(super) variant: VariantRef,
    pub(super) expected: Expected,
    /// The new sheet; none to remove it.
    pub(super) entries: Option<Entries>,
}

/// Setting or removing the prices of a variant.
pub(super) struct SetPrices;

/// Price sheets that are set or removed.
pub(super) type Prices = Loaded<SetPrices>;

impl UseCase for SetPrices {
    type Aggregate = PriceSheet;
    type Input = PriceRequest;
    type Facts = KnownVariants;

    fn name(input: &PriceRequest) -> &'static str {
        if input.entries.is_some() { "set_prices" } else { "remove_prices" }
    }

    fn expected(input: &PriceRequest) -> Expected {
        input.expected
    }

    async fn facts(conn: &mut PgConnection, scope: &Scope, inputs: &[&PriceRequest]) -> Result<KnownVariants, Failure> {
        port::variants(conn, scope, inputs.iter().map(|input| &input.variant)).await
    }

    fn target(variants: &KnownVariants, input: &PriceRequest) -> Result<Uuid, Rejection> {
        Ok(variants.get(&input.variant)?.variant_id.uuid())
    }

    fn plan(variants: &KnownVariants, input: &PriceRequest) -> Result<PriceCommand, Rejection> {
        let known = variants.get(&input.variant)?;
        Ok(match input.entries.clone() {
            Some(entries) => PriceCommand::Set { product_id: known.product_id, variant_id: known.variant_id, entries },
            None => PriceCommand::Remove,
        })
    }
}
