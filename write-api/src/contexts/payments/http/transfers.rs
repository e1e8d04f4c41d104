//! Transfers: entered by one of the staff, approved by another.

use super::{
    super::commands::transfers::{self, Entered},
    carried_out,
};
use crate::{
    http::{
        answer::{CommandAnswer, EXAMPLE_ID},
        extract::{BareCommand, Command, PathId, path_id},
        headers::TenantHeaders,
        problem::ApiError,
    },
    pipeline::{App, command::CarriedOut},
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use schemas::{Uuid, contexts::Context, token::Token};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A transfer that has come.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct TransferInput {
    /// How much, in minor units of the payment's currency: what has come, be it more or less than is due.
    amount: i64,
    /// What the bank calls it, 1 to 200 characters. The same again is the same transfer.
    reference: String,
    /// Where the proof is, such as the page of a statement, 1 to 1,000 characters.
    proof: String,
}

/// A transfer that was entered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(TransferAnswer::example())))]
pub(in super::super) struct TransferAnswer {
    /// The proof, to approve it by.
    proof_id: Uuid,
    /// The version of the payment.
    version: u64,
    /// The consistency token, for reads that must see this write.
    token: String,
}

impl TransferAnswer {
    /// As the OpenAPI document shows it.
    fn example() -> Self {
        let token = Token::of(Context::Payments, EXAMPLE_ID, 2).to_string();
        Self { proof_id: Uuid::from_u128(EXAMPLE_ID.as_u128() + 1), version: 2, token }
    }
}

/// Enter a transfer
///
/// It counts once somebody else has approved it.
#[utoipa::path(
    post, path = "/v1/payments/{id}/transfers", tag = "payments",
    params(("id" = Uuid, Path, description = "The payment"), TenantHeaders), request_body = TransferInput,
    responses((status = 201, description = "Entered, or was before", body = TransferAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "not_found", "payment_method", "transfer_exists", "too_many_transfers"])))
)]
pub(in super::super) async fn enter(
    State(app): State<App>,
    PathId(payment_id): PathId,
    command: Command<TransferInput>,
) -> Result<(StatusCode, Json<TransferAnswer>), ApiError> {
    let TransferInput { amount, reference, proof } = command.body;
    let entered = Entered { payment_id, amount, reference, proof };
    let (proof_id, done) = transfers::enter(&app, &command.scope, entered).await?;
    let token = Token::of(Context::Payments, payment_id, done.version).to_string();
    Ok((StatusCode::CREATED, Json(TransferAnswer { proof_id, version: done.version, token })))
}

/// Approve a transfer
///
/// Whoever entered it can't.
#[utoipa::path(
    post, path = "/v1/payments/{id}/transfers/{proof}/approve", tag = "payments",
    params(
        ("id" = Uuid, Path, description = "The payment"),
        ("proof" = Uuid, Path, description = "The proof, as it was entered"),
        TenantHeaders
    ),
    responses((status = 200, description = "Approved, or was before", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "own_transfer"])))
)]
pub(in super::super) async fn approve(
    State(app): State<App>,
    Path((id, proof)): Path<(String, String)>,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    let (payment_id, proof_id) = (path_id(&id)?, path_id(&proof)?);
    Ok(carried_out(transfers::approve(&app, &command.scope, payment_id, proof_id).await?))
}
