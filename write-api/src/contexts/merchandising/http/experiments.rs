//! `/v1/merchandising/experiments/{name}`.

use super::WindowInput;
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
use schemas::events::merchandising::{Experiment, ExperimentArm};
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Ranking settings that are tried against each other.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExperimentInput {
    /// Whether it runs at all; it does, if absent.
    #[serde(default = "super::on")]
    enabled: bool,
    /// While when it runs; always, if absent.
    window: Option<WindowInput>,
    /// 2 to 5; their shares make 100.
    arms: Vec<ExperimentArmInput>,
}

/// One way of ranking.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExperimentArmInput {
    /// Its name, like that of the experiment.
    name: String,
    /// The percentage of shoppers who get it.
    share: u32,
    /// Ranking settings by lower_snake name; those that are not named stay as they are.
    #[serde(default)]
    ranking: BTreeMap<String, f64>,
}

impl From<ExperimentInput> for Experiment {
    fn from(input: ExperimentInput) -> Self {
        let arm = |arm: ExperimentArmInput| ExperimentArm { name: arm.name, share: arm.share, ranking: arm.ranking };
        Self {
            enabled: input.enabled,
            window: input.window.map(Into::into),
            arms: input.arms.into_iter().map(arm).collect(),
        }
    }
}

/// Define an experiment
///
/// Creates it, or replaces it as a whole; If-Match is needed when it is there already.
#[utoipa::path(
    put, path = "/v1/merchandising/experiments/{name}", tag = "merchandising",
    params(NameParameter, TenantHeaders, VersionHeader, IdempotencyHeader), request_body = ExperimentInput,
    responses((status = 201, description = "Created", body = CommandAnswer), (status = 200, description = "Replaced or unchanged", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "version_required", "quota_exceeded"])))
)]
pub(super) async fn define(
    State(app): State<App>,
    name: PathName,
    command: Command<ExperimentInput>,
) -> Result<CarriedOut, ApiError> {
    super::define::<Experiment>(&app, name, command).await
}

/// Remove an experiment
#[utoipa::path(
    delete, path = "/v1/merchandising/experiments/{name}", tag = "merchandising",
    params(NameParameter, TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "Removed", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "version_required"])))
)]
pub(super) async fn remove(
    State(app): State<App>,
    name: PathName,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    super::remove::<Experiment>(&app, name, command).await
}
