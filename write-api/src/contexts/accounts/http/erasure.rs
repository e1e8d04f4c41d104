//! Erasing somebody, for good.

use super::SignedIn;
use crate::{
    contexts::accounts::commands::{
        me::{self, Receipt},
        refused::Refused,
        sign_in,
    },
    http::{
        extract::{BareCommand, Command, PathId},
        headers::TenantHeaders,
        problem::ApiError,
    },
    pipeline::{App, Rejection},
};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Somebody wants to be erased.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct EraseInput {
    /// The password.
    password: String,
}

/// Somebody was erased.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(Erased { receipt: Receipt::example(), signed: "eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl".to_owned() })))]
pub(in super::super) struct Erased {
    /// What was erased where.
    receipt: Receipt,
    /// The receipt, signed: a JSON Web Signature (RFC 7515) with one of the keys of `GET /v1/jwks`.
    signed: String,
}

/// Erase one's own account
///
/// The key that all personal data of the account are sealed with is destroyed: what was sealed with it can't be read again,
/// in no copy of it. There is no way back.
#[utoipa::path(
    post, path = "/v1/me/erase", tag = "accounts", params(TenantHeaders), request_body = EraseInput,
    responses((status = 200, description = "Erased", body = Erased)),
    extensions(("x-problems" = json!(["wrong_password", "too_many_attempts", "not_found"])))
)]
pub(in super::super) async fn erase_me(
    State(app): State<App>,
    SignedIn { customer, address }: SignedIn,
    command: Command<EraseInput>,
) -> Result<Json<Erased>, Refused> {
    let parts = app.accounts.parts().map_err(Rejection::of)?;
    sign_in::prove(&app, &command.scope, &parts, customer.user, &command.body.password, address).await?;
    let (receipt, signed) = me::erase(&app, &command.scope, customer.user).await?;
    Ok(Json(Erased { receipt, signed }))
}

/// Erase an account
///
/// On the wish of whose it is. What `POST /v1/me/erase` does, by staff; the audit has who did it.
#[utoipa::path(
    delete, path = "/v1/users/{id}", tag = "accounts",
    params(("id" = schemas::Uuid, Path, description = "The account's id"), TenantHeaders),
    responses((status = 200, description = "Erased, or was before", body = Erased)),
    extensions(("x-problems" = json!(["not_found"])))
)]
pub(in super::super) async fn erase(
    State(app): State<App>,
    PathId(id): PathId,
    command: BareCommand,
) -> Result<Json<Erased>, ApiError> {
    let (receipt, signed) = me::erase(&app, &command.scope, id).await?;
    Ok(Json(Erased { receipt, signed }))
}
