//! `/v1/insights`: reports of what shoppers searched for and did, many in one request.

mod input;

use super::commands::{ReportRequest, Reports};
use crate::{
    http::{
        answer::EXAMPLE_ID,
        extract::{self, read_body},
        headers::{IdempotencyHeader, TenantHeaders},
        idempotency, json,
        lines::{Line, Lines},
        problem::{self, ApiError},
    },
    pipeline::{
        App, Change, Rejection, Scope,
        bulk::{Answered, Incoming, OnError, Outcome, Session},
        idempotency::Key,
    },
};
use access::{Routes, Rule};
use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::header,
};
use bytes::Bytes;
use input::ReportInput;
use schemas::{
    Uuid,
    contexts::Context,
    problem::{Code, FieldError, Problem},
    token::Token,
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// The routes of this slice.
pub(super) fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Search, routes!(report))
}

/// The most reports of a request.
const MAX_REPORTS: usize = 500;
/// The most bytes of a report.
const MAX_REPORT_BYTES: usize = 16 << 10;

/// Reports as they came.
pub(super) struct InsightsCommand {
    scope: Scope,
    key: Option<Key>,
    /// Whether it is said to be one JSON value; otherwise it is one if it begins as an array does.
    is_json: bool,
    body: Bytes,
}

impl FromRequest<App> for InsightsCommand {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let scope = extract::scope(&mut parts, app).await?;
        let body = read_body(body).await?;
        let key = idempotency::key_of(&parts)?.map(|key| idempotency::guard(&key, &parts, &body));
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_json = content_type.is_some_and(|value| value.trim_start().starts_with("application/json"));
        Ok(Self { scope, key, is_json, body })
    }
}

/// What became of one report.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReportStatus {
    Accepted,
    Duplicate,
    Rejected,
}

/// The answer to one report.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReportAnswer {
    /// Its place in the request, from 0.
    index: u64,
    /// What became of it.
    status: ReportStatus,
    /// The id that follows from the client's, which the token names.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    /// The client's version after the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    /// Why it was rejected, as a word that never changes its meaning.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// The same as a sentence, where there is more to say than the code does.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

impl ReportAnswer {
    const fn new(index: u64, status: ReportStatus) -> Self {
        Self { index, status, id: None, version: None, code: None, detail: None, errors: Vec::new() }
    }
}

/// What became of the reports.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(examples(json!(InsightsAnswer::example())))]
pub(super) struct InsightsAnswer {
    /// Reports that are recorded now.
    accepted: u64,
    /// Reports that were known.
    duplicates: u64,
    /// Reports that are wrong.
    rejected: u64,
    /// The consistency token of all that is recorded.
    token: String,
    /// Each report in the order of the request.
    records: Vec<ReportAnswer>,
}

impl InsightsAnswer {
    /// As the OpenAPI document shows it: one report is recorded, one is wrong.
    fn example() -> Self {
        let (id, version) = (EXAMPLE_ID, 1);
        let accepted =
            ReportAnswer { id: Some(id), version: Some(version), ..ReportAnswer::new(0, ReportStatus::Accepted) };
        let rejected = ReportAnswer {
            code: Some(Code::InvalidRequest.as_str().to_owned()),
            errors: vec![FieldError::new("/type", "`query` or `event` is expected")],
            ..ReportAnswer::new(1, ReportStatus::Rejected)
        };
        let token = Token::of(Context::Insights, id, version).to_string();
        Self { accepted: 1, duplicates: 0, rejected: 1, token, records: vec![accepted, rejected] }
    }
}

/// Report what shoppers searched for and did
///
/// In the shape of User Behavior Insights 1.3: as NDJSON or as a JSON array, at most 500 reports. The
/// right ones are recorded whatever the others are. A report that comes again within two days is a
/// duplicate and changes nothing: the same `record_id` or, without one, the same content.
#[utoipa::path(
    post, path = "/v1/insights", tag = "insights", params(TenantHeaders, IdempotencyHeader),
    request_body(content((ReportInput = "application/x-ndjson"), (Vec<ReportInput> = "application/json"))),
    responses((status = 200, description = "What became of each", body = InsightsAnswer), (status = 413, description = "More than 500 reports"))
)]
pub(super) async fn report(State(app): State<App>, command: InsightsCommand) -> Result<Json<InsightsAnswer>, ApiError> {
    let lines = lines(&app, &command)?;
    if lines.is_empty() {
        return Ok(Json(InsightsAnswer { token: Token::default().to_string(), ..InsightsAnswer::default() }));
    }
    let mut session = Session::<Reports>::new(app, command.scope, OnError::Skip, false);
    let answered = session.chunk(&lines, command.key.as_ref()).await?;
    Ok(Json(summary(answered)))
}

fn lines(app: &App, command: &InsightsCommand) -> Result<Vec<Incoming<ReportRequest>>, Rejection> {
    let now = app.clock.now();
    let line = |text: &[u8]| {
        if text.len() > MAX_REPORT_BYTES {
            return Err(Rejection::too_large(format!("a report has at most {MAX_REPORT_BYTES} bytes")));
        }
        let (report, given) = input::read(text, now)?;
        ReportRequest::new(command.scope.tenant, report, given)
            .map_err(|error| Rejection::unreadable(vec![FieldError::new("", error.to_string())]))
    };
    let is_array = command.is_json || command.body.trim_ascii_start().starts_with(b"[");
    let incoming: Vec<Result<ReportRequest, Rejection>> = if is_array {
        let texts: Vec<Box<RawValue>> = json::read(&command.body)?;
        not_too_many(texts.len())?;
        texts.into_iter().map(|text| line(text.get().as_bytes())).collect()
    } else {
        let mut cut = Lines::default();
        cut.push(&command.body);
        let mut texts: Vec<Line> = std::iter::from_fn(|| cut.take()).map(|(_, line)| line).collect();
        texts.extend(cut.rest().map(|(_, line)| line));
        not_too_many(texts.len())?;
        let read = |text: Line| match text {
            Line::Text(text) => line(text.trim_ascii()),
            Line::TooLong => line(&[0; MAX_REPORT_BYTES + 1]),
        };
        texts.into_iter().map(read).collect()
    };
    Ok((0..).zip(incoming).map(|(number, input)| Incoming { number, input }).collect())
}

fn not_too_many(reports: usize) -> Result<(), Rejection> {
    if reports > MAX_REPORTS {
        return Err(Rejection::too_large(format!("a request takes at most {MAX_REPORTS} reports, {reports} came")));
    }
    Ok(())
}

/// The answer to one report.
fn answer((index, outcome): Answered) -> ReportAnswer {
    let of = |status| ReportAnswer::new(index, status);
    let refused = |problem: Problem| ReportAnswer {
        code: Some(problem.code),
        detail: problem.detail,
        errors: problem.errors,
        ..of(ReportStatus::Rejected)
    };
    match outcome {
        Outcome::Done(done) => {
            let is_known = done.change == Change::Unchanged;
            let status = if is_known { ReportStatus::Duplicate } else { ReportStatus::Accepted };
            ReportAnswer { id: Some(done.id), version: Some(done.version), ..of(status) }
        }
        Outcome::Rejected(rejection) => refused(rejection.problem().clone()),
        Outcome::NotTried => refused(problem::not_tried()),
    }
}

fn summary(answered: Vec<Answered>) -> InsightsAnswer {
    let (mut answers, mut token) = (InsightsAnswer::default(), Token::default());
    for (_, outcome) in &answered {
        match outcome {
            Outcome::Done(done) if done.change == Change::Unchanged => answers.duplicates += 1,
            Outcome::Done(_) => answers.accepted += 1,
            Outcome::Rejected(_) | Outcome::NotTried => answers.rejected += 1,
        }
        if let Outcome::Done(done) = outcome
            && done.version > 0
        {
            token.add(Context::Insights, done.id, done.version);
        }
    }
    InsightsAnswer { token: token.to_string(), records: answered.into_iter().map(answer).collect(), ..answers }
}
