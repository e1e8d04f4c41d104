//! `/v1/variants/{id}/prices` and `/v1/prices/bulk`.

use super::{
    commands::{PriceRequest, Prices},
    domain::command::Entries,
};
use crate::{
    contexts::catalog::port::VariantRef,
    http::{
        answer::CommandAnswer,
        bulk::{BulkAnswer, BulkCommand, BulkParameters},
        extract::{BareCommand, Command, PathId},
        headers::{IdempotencyHeader, TenantHeaders, VersionHeader},
        json,
        problem::ApiError,
    },
    pipeline::{App, Expected, Rejection, command::CarriedOut},
};
use access::{Permission, Routes, Rule};
use axum::{extract::State, response::Response};
use schemas::{Timestamp, events::pricing::PriceEntry, ids::VariantId, money::Currency};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

const STAFF: Rule = Rule::Staff(Permission::PricingWrite);

/// The routes of this slice.
pub(super) fn routes() -> Routes<App> {
    Routes::default().allow(STAFF, routes!(set, remove)).allow(STAFF, routes!(bulk))
}

/// A price in one currency, in minor units, for a span of time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PriceEntryInput {
    /// ISO 4217 code, such as USD.
    #[schema(value_type = String)]
    currency: Currency,
    /// The list price in minor units.
    list_amount: i64,
    /// What it costs while it is on sale, in minor units; not above the list price.
    sale_amount: Option<i64>,
    /// From when it counts, inclusive.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_from: Option<Timestamp>,
    /// Until when it counts, exclusive.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
    /// The channel it counts in, by its name; in all, if absent.
    channel: Option<String>,
    /// The group of customers it is for, by its name; for everybody, if absent.
    group: Option<String>,
    /// From how many pieces of the variant in a cart on it counts; 1, if absent.
    #[schema(minimum = 1, maximum = 1_000_000)]
    min_quantity: Option<u32>,
}

/// A whole price sheet.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PricesInput {
    /// At least one.
    entries: Vec<PriceEntryInput>,
}

/// A line of a bulk write of prices.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PricesLineInput {
    /// The variant by SKU; this or `variant_id`.
    sku: Option<String>,
    /// The variant by id; this or `sku`.
    #[schema(value_type = Option<schemas::Uuid>)]
    variant_id: Option<VariantId>,
    /// At least one.
    entries: Vec<PriceEntryInput>,
}

fn entries(inputs: Vec<PriceEntryInput>) -> Result<Entries, Rejection> {
    let entry = |input: PriceEntryInput| PriceEntry {
        currency: input.currency,
        list_amount: input.list_amount,
        sale_amount: input.sale_amount,
        valid_from: input.valid_from,
        valid_until: input.valid_until,
        channel: input.channel,
        group: input.group,
        min_quantity: input.min_quantity.unwrap_or(1),
    };
    Entries::parse(inputs.into_iter().map(entry).collect()).map_err(Rejection::invalid)
}

/// Set a variant's prices
///
/// Replaces the whole sheet. Of the entries that somebody may have, those of the most specific list count: of their channel
/// and group, of their group, of their channel, of everybody; of those the one that started last, and the lowest of what
/// the number of pieces allows. Two entries of one list and one least number of pieces can't start at once. If-Match is needed when there are prices already.
#[utoipa::path(
    put, path = "/v1/variants/{id}/prices", tag = "prices",
    params(("id" = schemas::Uuid, Path, description = "The variant"), TenantHeaders, VersionHeader, IdempotencyHeader),
    request_body = PricesInput,
    responses((status = 201, description = "There were none", body = CommandAnswer), (status = 200, description = "Changed or unchanged", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "version_required", "quota_exceeded"])))
)]
pub(super) async fn set(
    State(app): State<App>,
    PathId(id): PathId,
    command: Command<PricesInput>,
) -> Result<CarriedOut, ApiError> {
    let entries = Some(entries(command.body.entries)?);
    let request = PriceRequest { variant: VariantRef::Id(VariantId(id)), expected: command.expected, entries };
    Ok(app.command::<Prices>(&command.scope, command.key.as_ref(), request).await?)
}

/// Remove a variant's prices
#[utoipa::path(
    delete, path = "/v1/variants/{id}/prices", tag = "prices",
    params(("id" = schemas::Uuid, Path, description = "The variant"), TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "Removed", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "version_required"])))
)]
pub(super) async fn remove(
    State(app): State<App>,
    PathId(id): PathId,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    let request = PriceRequest { variant: VariantRef::Id(VariantId(id)), expected: command.expected, entries: None };
    Ok(app.command::<Prices>(&command.scope, command.key.as_ref(), request).await?)
}

/// Set prices in bulk
#[utoipa::path(
    post, path = "/v1/prices/bulk", tag = "prices", params(TenantHeaders, IdempotencyHeader, BulkParameters),
    request_body(content = PricesLineInput, content_type = "application/x-ndjson"),
    responses((status = 200, description = "A line per line, then the summary", body = BulkAnswer, content_type = "application/x-ndjson"))
)]
pub(super) async fn bulk(command: BulkCommand) -> Response {
    command.start::<Prices>(|text, _| {
        let input: PricesLineInput = json::read(text)?;
        let variant = VariantRef::parse(input.sku, input.variant_id)?;
        Ok(PriceRequest { variant, expected: Expected::Any, entries: Some(entries(input.entries)?) })
    })
}
