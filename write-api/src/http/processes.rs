//! `/v1/processes/{id}`: what staff can do about a process that does not go on by itself, or that they want to end.

use super::{
    answer::CommandAnswer,
    extract::{Command, PathId},
    headers::TenantHeaders,
    problem::ApiError,
};
use crate::{
    domain::validation::Findings,
    pipeline::{
        App, Rejection, Scope,
        command::CarriedOut,
        process::ask::{self, Ask, Asked},
    },
};
use access::{Permission, Routes, Rule};
use axum::extract::State;
use schemas::Uuid;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

const STAFF: Rule = Rule::Staff(Permission::OrdersWrite);

/// The routes of all processes.
pub(super) fn routes() -> Routes<App> {
    Routes::default().allow(STAFF, routes!(retry)).allow(STAFF, routes!(skip)).allow(STAFF, routes!(abort))
}

/// Why something is done about a process.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProcessInput {
    /// In your own words, 1 to 500 characters; the shop's audit has it.
    reason: String,
}

async fn asked(app: &App, scope: &Scope, process: Uuid, ask: Ask, input: ProcessInput) -> Result<CarriedOut, ApiError> {
    let mut findings = Findings::default();
    findings.line(|| "/reason".to_owned(), &input.reason, 500);
    findings.done().map_err(Rejection::invalid)?;
    Ok(ask::ask(app, scope, process, &Asked { ask, reason: input.reason }).await?)
}

/// Try a parked process again
///
/// It carries out again what it stands at. What was done before is not done twice.
#[utoipa::path(
    post, path = "/v1/processes/{id}/retry", tag = "processes",
    params(("id" = Uuid, Path, description = "The process: of a checkout, the checkout's id"), TenantHeaders),
    request_body = ProcessInput, responses((status = 200, description = "It goes on", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "process_not_parked"])))
)]
pub(super) async fn retry(
    State(app): State<App>,
    PathId(id): PathId,
    command: Command<ProcessInput>,
) -> Result<CarriedOut, ApiError> {
    asked(&app, &command.scope, id, Ask::Retry, command.body).await
}

/// Lead a parked process past a step
///
/// It goes on as if the step that it stands at were done. Do by hand what the step should have done before.
#[utoipa::path(
    post, path = "/v1/processes/{id}/skip", tag = "processes",
    params(("id" = Uuid, Path, description = "The process: of a checkout, the checkout's id"), TenantHeaders),
    request_body = ProcessInput, responses((status = 200, description = "It goes on", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "process_not_parked", "process_without_step"])))
)]
pub(super) async fn skip(
    State(app): State<App>,
    PathId(id): PathId,
    command: Command<ProcessInput>,
) -> Result<CarriedOut, ApiError> {
    asked(&app, &command.scope, id, Ask::Skip, command.body).await
}

/// End a process
///
/// It takes back what it has done, as far as it may. While the outcome of a step is unknown, it waits for that first.
#[utoipa::path(
    post, path = "/v1/processes/{id}/abort", tag = "processes",
    params(("id" = Uuid, Path, description = "The process: of a checkout, the checkout's id"), TenantHeaders),
    request_body = ProcessInput, responses((status = 200, description = "It ends, once it may", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "process_ended"])))
)]
pub(super) async fn abort(
    State(app): State<App>,
    PathId(id): PathId,
    command: Command<ProcessInput>,
) -> Result<CarriedOut, ApiError> {
    asked(&app, &command.scope, id, Ask::Abort, command.body).await
}
