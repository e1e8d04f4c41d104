//! The payment providers of a shop.

use super::{
    super::{commands::provider_accounts, domain::provider_account::Secrets},
    carried_out,
};
use crate::{
    http::{
        answer::CommandAnswer,
        extract::Command,
        headers::{TenantHeaders, VersionHeader},
        problem::ApiError,
    },
    pipeline::{App, command::CarriedOut},
};
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::ToSchema;

/// What a shop has agreed with a payment provider.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct PaymentProviderInput {
    /// Opens the provider's interface. It is kept sealed, and shown nowhere.
    secret_key: String,
    /// Webhooks are signed with one of them; two at most, so that one can follow another. Kept sealed, and shown nowhere.
    #[serde(default)]
    #[schema(max_items = 2)]
    webhook_secrets: Vec<String>,
}

/// Take payments by a provider
///
/// There is `stripe`, for cards. The `id` of the answer stands in the address of its webhooks: `/v1/webhooks/stripe/{id}`. Secrets are
/// never shown again.
#[utoipa::path(
    put, path = "/v1/payment-providers/{name}", tag = "payments",
    params(("name" = String, Path, description = "The provider: stripe"), TenantHeaders, VersionHeader),
    request_body = PaymentProviderInput,
    responses(
        (status = 200, description = "Changed, or was so before", body = CommandAnswer),
        (status = 201, description = "Added", body = CommandAnswer)
    ),
    extensions(("x-problems" = json!(["validation_failed", "not_found"])))
)]
pub(in super::super) async fn set(
    State(app): State<App>,
    Path(name): Path<String>,
    command: Command<PaymentProviderInput>,
) -> Result<CarriedOut, ApiError> {
    let PaymentProviderInput { secret_key, webhook_secrets } = command.body;
    let secrets = Secrets { secret_key, webhook_secrets };
    let expected = command.expected.or_any();
    Ok(carried_out(provider_accounts::set(&app, &command.scope, expected, &name, &secrets).await?))
}
