//! `/v1/promotions/{name}/codes`.

use super::{NameParameter, PathName};
use crate::{
    contexts::promotions::{
        commands::codes::{Asked, Codes, CodesDone},
        domain::{Code, Recipe, code::CODES_OF_AN_EVENT},
    },
    domain::{Name, validation::Findings},
    http::{
        answer::{CommandAnswer, EXAMPLE_ID},
        extract::{BareCommand, Command},
        headers::{IdempotencyHeader, TenantHeaders},
        problem::ApiError,
    },
    pipeline::{App, Change, Done, Rejection, command::CarriedOut},
};
use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use schemas::{Uuid, contexts::Context};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Codes to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CodesInput {
    /// 1 to 5,000, each 3 to 64 of A to Z, 0 to 9, - and _; small letters count as capitals.
    #[schema(min_items = 1, max_items = 5000)]
    codes: Vec<String>,
}

/// How codes are drawn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GenerateInput {
    /// How many, 1 to 100,000.
    #[schema(minimum = 1, maximum = 100_000)]
    count: u32,
    /// What each begins with, at most 24 of A to Z, 0 to 9, - and _; nothing, if absent.
    #[serde(default)]
    prefix: String,
    /// Characters by chance after that, 6 to 32; 10, if absent. None of them looks like another.
    #[serde(default = "usual_length")]
    #[schema(minimum = 6, maximum = 32)]
    length: u32,
}

const fn usual_length() -> u32 {
    Recipe::USUAL_LENGTH
}

/// What became of codes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(CodesAnswer::example())))]
pub(super) struct CodesAnswer {
    /// How many are new.
    added: usize,
    /// How many the promotion has, those that are disabled included.
    codes: u64,
    /// What those that were drawn have in common.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<Uuid>,
    /// Where query-api shows them, all of these and no others where they were drawn; with `format=ndjson` all at once.
    path: String,
    /// The version of the promotion's list of codes.
    version: u64,
    /// The consistency token, for reads that must see this write.
    token: String,
}

impl CodesAnswer {
    fn of(promotion: &Name, done: &CodesDone, token: String) -> Self {
        let of_batch = done.batch.map(|batch| format!("?batch={batch}")).unwrap_or_default();
        Self {
            added: done.added,
            codes: done.codes,
            batch: done.batch,
            path: format!("/v1/promotions/{}/codes{of_batch}", promotion.as_str()),
            version: done.version,
            token,
        }
    }

    /// As the OpenAPI document shows it: codes were drawn.
    fn example() -> Self {
        let (id, version) = (EXAMPLE_ID, 20);
        let token = schemas::token::Token::of(Context::Promotions, id, version).to_string();
        let path = format!("/v1/promotions/spring/codes?batch={id}");
        Self { added: 100_000, codes: 100_000, batch: Some(id), path, version, token }
    }
}

/// As every command is answered, with a body of its own.
fn answered(promotion: &Name, done: &CodesDone) -> Response {
    let carried = carried_out(done);
    let body = CodesAnswer::of(promotion, done, carried.token().to_string());
    let (parts, _) = carried.into_response().into_parts();
    let mut response = Response::from_parts(parts, Json(body).into_response().into_body());
    response.headers_mut().remove(axum::http::header::CONTENT_LENGTH);
    response
}

fn carried_out(done: &CodesDone) -> CarriedOut {
    // The first codes make the list; what matters to who adds some is that they are new.
    let change = if done.added > 0 { Change::Created } else { done.change };
    let done_to_list = Done { change, id: done.list, version: done.version, variants: Vec::new() };
    CarriedOut { context: Context::Promotions, done: done_to_list, replayed: done.is_replayed }
}

/// Add codes
///
/// Those that the promotion has already are passed over. A code belongs to one promotion of the shop.
#[utoipa::path(
    post, path = "/v1/promotions/{name}/codes", tag = "promotions",
    params(NameParameter, TenantHeaders, IdempotencyHeader), request_body = CodesInput,
    responses((status = 201, description = "Added", body = CodesAnswer), (status = 200, description = "All were there", body = CodesAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "code_taken", "promotion_ended", "promotion_needs_no_code", "too_many_codes", "quota_exceeded"])))
)]
pub(super) async fn add(
    State(app): State<App>,
    PathName(promotion): PathName,
    command: Command<CodesInput>,
) -> Result<Response, ApiError> {
    let codes = read(&command.body.codes)?;
    let asked = Codes { promotion: promotion.clone(), asked: Asked::Add(codes), key: command.key };
    Ok(answered(&promotion, &app.procedure(&command.scope, &asked).await?))
}

fn read(texts: &[String]) -> Result<Vec<Code>, Rejection> {
    let mut findings = Findings::default();
    if texts.is_empty() {
        findings.add("/codes", "one code at least is needed");
    }
    findings.count("/codes", texts.len(), CODES_OF_AN_EVENT);
    let mut codes = Vec::new();
    for (at, text) in texts.iter().enumerate().take(CODES_OF_AN_EVENT) {
        match Code::parse(text) {
            Ok(code) => codes.push(code),
            Err(reason) => findings.add(format!("/codes/{at}"), reason),
        }
    }
    findings.done().map_err(Rejection::invalid)?;
    Ok(codes)
}

/// Draw codes
///
/// All of them, or none. The answer says how many, and where they are read once the read side has them.
#[utoipa::path(
    post, path = "/v1/promotions/{name}/codes/generate", tag = "promotions",
    params(NameParameter, TenantHeaders, IdempotencyHeader), request_body = GenerateInput,
    responses((status = 201, description = "Drawn", body = CodesAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "promotion_ended", "promotion_needs_no_code", "too_many_codes", "quota_exceeded"])))
)]
pub(super) async fn generate(
    State(app): State<App>,
    PathName(promotion): PathName,
    command: Command<GenerateInput>,
) -> Result<Response, ApiError> {
    let GenerateInput { count, prefix, length } = command.body;
    let recipe = Recipe::parse(count, &prefix, length).map_err(Rejection::invalid)?;
    let asked = Codes { promotion: promotion.clone(), asked: Asked::Generate(recipe), key: command.key };
    Ok(answered(&promotion, &app.procedure(&command.scope, &asked).await?))
}

/// Disable a code
///
/// It can't be used any more, and is not given again. What checkouts have reserved by it stays theirs.
#[utoipa::path(
    delete, path = "/v1/promotions/{name}/codes/{code}", tag = "promotions",
    params(NameParameter, ("code" = String, Path, description = "The code; small letters count as capitals"), TenantHeaders, IdempotencyHeader),
    responses((status = 200, description = "Disabled, or was before", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed"])))
)]
pub(super) async fn disable(
    State(app): State<App>,
    PathName(promotion): PathName,
    Path(path): Path<CodePath>,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    let code = Code::parse(&path.code).map_err(|reason| Rejection::invalid_at("code", reason))?;
    let asked = Codes { promotion, asked: Asked::Disable(code), key: command.key };
    Ok(carried_out(&app.procedure(&command.scope, &asked).await?))
}

#[derive(Deserialize)]
pub(super) struct CodePath {
    code: String,
}
