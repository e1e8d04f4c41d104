//! `/v1/merchandising/synonyms/{name}`.

use crate::{
    http::{
        answer::CommandAnswer,
        extract::{BareCommand, Command},
        headers::{IdempotencyHeader, TenantHeaders, VersionHeader},
        named::{NameParameter, PathName},
        problem::ApiError,
    },
    pipeline::{App, command::CarriedOut},
};
use axum::extract::State;
use schemas::events::merchandising::SynonymSet;
use serde::Deserialize;
use utoipa::ToSchema;

/// Terms of one to six words that mean each other, or that mean others.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum SynonymSetInput {
    /// Each term means each other.
    MultiWay {
        /// 2 to 50.
        terms: Vec<String>,
    },
    /// Who asks for one of these also means those, but not the other way round.
    OneWay {
        /// What is asked for, 1 to 50.
        from: Vec<String>,
        /// What it means, too, 1 to 50.
        to: Vec<String>,
    },
}

impl From<SynonymSetInput> for SynonymSet {
    fn from(input: SynonymSetInput) -> Self {
        match input {
            SynonymSetInput::MultiWay { terms } => Self::MultiWay { terms },
            SynonymSetInput::OneWay { from, to } => Self::OneWay { from, to },
        }
    }
}

/// Define synonyms
///
/// Creates it, or replaces it as a whole; If-Match is needed when it is there already.
#[utoipa::path(
    put, path = "/v1/merchandising/synonyms/{name}", tag = "merchandising",
    params(NameParameter, TenantHeaders, VersionHeader, IdempotencyHeader), request_body = SynonymSetInput,
    responses((status = 201, description = "Created", body = CommandAnswer), (status = 200, description = "Replaced or unchanged", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "version_required", "quota_exceeded"])))
)]
pub(super) async fn define(
    State(app): State<App>,
    name: PathName,
    command: Command<SynonymSetInput>,
) -> Result<CarriedOut, ApiError> {
    super::define::<SynonymSet>(&app, name, command).await
}

/// Remove synonyms
#[utoipa::path(
    delete, path = "/v1/merchandising/synonyms/{name}", tag = "merchandising",
    params(NameParameter, TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "Removed", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "version_required"])))
)]
pub(super) async fn remove(
    State(app): State<App>,
    name: PathName,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    super::remove::<SynonymSet>(&app, name, command).await
}
