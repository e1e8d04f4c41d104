//! Webhooks of payment providers.

use super::super::commands::webhooks;
use crate::{
    http::{
        extract::{path_id, read_body},
        problem::ApiError,
    },
    pipeline::App,
};
use axum::{
    extract::{Path, Request, State},
    http::StatusCode,
};

/// Take a webhook of Stripe in
///
/// It is believed if it is signed with one of the account's secrets, within 5 minutes. It says that there is something to ask for, and
/// nothing more is taken from it; the same again changes nothing.
#[utoipa::path(
    post, path = "/v1/webhooks/stripe/{account}", tag = "payments",
    params(
        ("account" = schemas::Uuid, Path, description = "The account, as setting it up has told"),
        ("Stripe-Signature" = Option<String>, Header, description = "The time and the signature")
    ),
    request_body(content = String, description = "The event, as Stripe sends it", content_type = "application/json"),
    responses((status = 204, description = "Taken in, or was before")),
    extensions(("x-problems" = json!(["not_found", "too_large"])))
)]
pub(in super::super) async fn stripe(
    State(app): State<App>,
    Path(account): Path<String>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let account = path_id(&account)?;
    let signature = request.headers().get("stripe-signature").and_then(|value| value.to_str().ok());
    let signature = signature.unwrap_or_default().to_owned();
    let body = read_body(request.into_body()).await?;
    webhooks::take(&app, account, &signature, &body).await?;
    Ok(StatusCode::NO_CONTENT)
}
