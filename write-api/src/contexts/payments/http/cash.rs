//! Cash that carriers collect, as staff enter it where no carrier tells of it.

use super::{super::port, carried_out};
use crate::{
    domain::validation::Findings,
    http::{
        answer::CommandAnswer,
        extract::{Command, PathId},
        headers::TenantHeaders,
        problem::ApiError,
    },
    pipeline::{App, Rejection, command::CarriedOut},
};
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

/// Cash that was collected.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct CollectionInput {
    /// Unique for ever, such as the id of the shipment, 1 to 100 characters.
    capture_id: String,
    /// The carrier, by the shop's name for it, 1 to 100 characters.
    carrier: String,
    /// How much, in minor units.
    amount: i64,
}

/// Cash that was handed over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RemittanceInput {
    /// By which it was collected.
    capture_id: String,
    /// How much the carrier has kept, in minor units.
    #[serde(default)]
    kept: i64,
}

/// Enter cash that a carrier has collected
#[utoipa::path(
    post, path = "/v1/payments/{id}/collections", tag = "payments",
    params(("id" = schemas::Uuid, Path, description = "The payment"), TenantHeaders), request_body = CollectionInput,
    responses((status = 200, description = "Entered, or was before", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "not_found", "payment_method", "capture_exists"])))
)]
pub(in super::super) async fn collect(
    State(app): State<App>,
    PathId(payment_id): PathId,
    command: Command<CollectionInput>,
) -> Result<CarriedOut, ApiError> {
    let CollectionInput { capture_id, carrier, amount } = command.body;
    let mut findings = Findings::default();
    findings.line(|| "/capture_id".to_owned(), &capture_id, 100);
    findings.line(|| "/carrier".to_owned(), &carrier, 100);
    findings.done().map_err(Rejection::invalid)?;
    let done = port::collect_cash(&app, &command.scope, payment_id, capture_id, carrier, amount).await?;
    Ok(carried_out(done))
}

/// Enter cash that a carrier has handed over
#[utoipa::path(
    post, path = "/v1/payments/{id}/remittances", tag = "payments",
    params(("id" = schemas::Uuid, Path, description = "The payment"), TenantHeaders), request_body = RemittanceInput,
    responses((status = 200, description = "Entered, or was before", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "not_found", "capture_exists"])))
)]
pub(in super::super) async fn remit(
    State(app): State<App>,
    PathId(payment_id): PathId,
    command: Command<RemittanceInput>,
) -> Result<CarriedOut, ApiError> {
    let RemittanceInput { capture_id, kept } = command.body;
    Ok(carried_out(port::remit_cash(&app, &command.scope, payment_id, capture_id, kept).await?))
}
