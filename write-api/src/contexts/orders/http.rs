//! `/v1/orders/{id}`.

use super::commands;
use crate::{
    domain::validation::Findings,
    http::{
        answer::CommandAnswer,
        extract::{Command, PathId},
        headers::{IdempotencyHeader, TenantHeaders, VersionHeader},
        problem::ApiError,
    },
    pipeline::{App, Rejection, command::CarriedOut},
};
use ::access::{Permission, Routes, Rule};
use axum::extract::State;
use schemas::contexts::Context;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// The routes of this slice.
pub(super) fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Staff(Permission::OrdersWrite), routes!(cancel))
}

/// Why an order is cancelled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelInput {
    /// In a word.
    reason: CancelReason,
    /// In your own words, at most 500 characters.
    note: Option<String>,
}

/// Why an order is cancelled.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CancelReason {
    /// The buyer wants it so.
    OnRequest,
    /// The goods can't be sent.
    NotAvailable,
    /// It is not what it looks like.
    Fraud,
    /// Something else, as the note says.
    Other,
}

impl CancelReason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::OnRequest => "on_request",
            Self::NotAvailable => "not_available",
            Self::Fraud => "fraud",
            Self::Other => "other",
        }
    }
}

/// Cancel an order
///
/// Until the first goods leave. Goods and coupons that were held for it are free again; money that was held or paid goes back.
#[utoipa::path(
    post, path = "/v1/orders/{id}/cancel", tag = "orders",
    params(("id" = schemas::Uuid, Path, description = "The order"), TenantHeaders, VersionHeader, IdempotencyHeader),
    request_body = CancelInput, responses((status = 200, description = "Cancelled", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "order_shipped", "order_closed"])))
)]
pub(super) async fn cancel(
    State(app): State<App>,
    PathId(id): PathId,
    command: Command<CancelInput>,
) -> Result<CarriedOut, ApiError> {
    let CancelInput { reason, note } = command.body;
    let mut findings = Findings::default();
    if let Some(note) = &note {
        findings.line(|| "/note".to_owned(), note, 500);
    }
    findings.done().map_err(Rejection::invalid)?;
    let reason = (reason.as_str().to_owned(), note);
    let expected = command.expected.or_any();
    let done = commands::cancel(&app, &command.scope, command.key.as_ref(), id, expected, reason).await?;
    Ok(CarriedOut { context: Context::Orders, done, replayed: false })
}
