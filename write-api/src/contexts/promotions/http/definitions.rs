//! `/v1/promotions/{name}`.

use super::{NameParameter, PathName};
use crate::{
    contexts::promotions::{
        commands::{PromotionRequest, Promotions, Wanted, promotion_id},
        domain::Checked,
    },
    http::{
        answer::CommandAnswer,
        extract::{BareCommand, Command},
        headers::{IdempotencyHeader, TenantHeaders, VersionHeader},
        problem::ApiError,
    },
    pipeline::{App, Rejection, command::CarriedOut},
};
use axum::extract::State;
use schemas::events::promotions::PromotionContent;

/// Define a promotion
///
/// Creates it, or replaces it as a whole; If-Match is needed when it is there already. One that has ended begins again, with its
/// codes and with what was used of it.
#[utoipa::path(
    put, path = "/v1/promotions/{name}", tag = "promotions",
    params(NameParameter, TenantHeaders, VersionHeader, IdempotencyHeader), request_body = PromotionContent,
    responses((status = 201, description = "Created", body = CommandAnswer), (status = 200, description = "Replaced or unchanged", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "version_required", "too_many_promotions", "quota_exceeded"])))
)]
pub(super) async fn define(
    State(app): State<App>,
    PathName(name): PathName,
    command: Command<PromotionContent>,
) -> Result<CarriedOut, ApiError> {
    let content = Checked::parse(command.body, command.scope.now).map_err(Rejection::invalid)?;
    let (id, expected) = (promotion_id(command.scope.tenant, name.as_str()), command.expected);
    let request = PromotionRequest { id, expected, wanted: Wanted::Defined(name, Box::new(content)) };
    Ok(app.command::<Promotions>(&command.scope, command.key.as_ref(), request).await?)
}

/// End a promotion
///
/// It counts no longer. What checkouts have reserved of it stays theirs. If-Match is optional.
#[utoipa::path(
    delete, path = "/v1/promotions/{name}", tag = "promotions",
    params(NameParameter, TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "Ended, or had ended before", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed"])))
)]
pub(super) async fn end(
    State(app): State<App>,
    PathName(name): PathName,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    let (id, expected) = (promotion_id(command.scope.tenant, name.as_str()), command.expected.or_any());
    let request = PromotionRequest { id, expected, wanted: Wanted::Ended };
    Ok(app.command::<Promotions>(&command.scope, command.key.as_ref(), request).await?)
}
