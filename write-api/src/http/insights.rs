//! `/v1/insights`: reports of what shoppers searched for and did, many in one request.

mod input;

use super::{
    extract::{self, read_body},
    headers::{IdempotencyHeader, TenantHeaders},
    idempotency, json,
    lines::{Line, Lines},
    problem::{self, ApiError},
};
use crate::{
    app::{
        App, Change, Rejected,
        bulk::{Answered, Incoming, OnError, Outcome, Session},
        insights::{ReportLine, Reports},
    },
    store::{Scope, idempotency::Key},
};
use axum::{
    Json,
    extract::{FromRequest, Request, State},
};
use bytes::Bytes;
use input::ReportInput;
use schemas::{
    Uuid,
    contexts::Context,
    problem::{FieldError, Problem},
    token::Token,
};
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;

/// The most reports of a request.
const MAX_REPORTS: usize = 500;
/// The most bytes of a report.
const MAX_REPORT_BYTES: usize = 16 << 10;

/// Reports as they came.
pub(super) struct InsightsCommand {
    scope: Scope,
    key: Option<Key>,
    body: Bytes,
}

impl FromRequest<App> for InsightsCommand {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let scope = extract::scope(&mut parts, app).await?;
        let body = read_body(body).await?;
        let key = idempotency::key_of(&parts)?.map(|key| idempotency::guard(key, &parts, &body));
        Ok(Self { scope, key, body })
    }
}

/// What became of one report.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct ReportAnswer {
    /// Its place in the request, from 0.
    index: u64,
    /// `accepted`, `duplicate` or `rejected`.
    status: &'static str,
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
    #[schema(value_type = Vec<Object>)]
    errors: Vec<FieldError>,
}

/// What became of the reports.
#[derive(Debug, Default, Serialize, ToSchema)]
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
    #[schema(value_type = Vec<ReportAnswer>)]
    records: Vec<Value>,
}

/// Report what shoppers searched for and did
///
/// In the shape of User Behavior Insights 1.3: as NDJSON or as a JSON array, at most 500 reports. The
/// right ones are recorded whatever the others are. A report that comes again within two days is a
/// duplicate and changes nothing: the same `record_id` or, without one, the same content.
#[utoipa::path(
    post, path = "/v1/insights", tag = "insights", params(TenantHeaders, IdempotencyHeader),
    request_body(content((ReportInput = "application/x-ndjson"), (Vec<ReportInput> = "application/json"))),
    responses((status = 200, description = "What became of each", body = InsightsAnswer), (status = 413, description = "More than 500 reports", body = Object))
)]
pub(super) async fn report(State(app): State<App>, command: InsightsCommand) -> Result<Json<InsightsAnswer>, ApiError> {
    let lines = lines(&app, &command)?;
    if lines.is_empty() {
        return Ok(Json(InsightsAnswer { token: Token::default().to_string(), ..InsightsAnswer::default() }));
    }
    let mut session = Session::<Reports>::new(app, command.scope, OnError::Skip, false, answer);
    let answered = session.chunk(&lines, command.key.as_ref()).await?;
    Ok(Json(summary(answered.iter().map(answer).collect())))
}

fn lines(app: &App, command: &InsightsCommand) -> Result<Vec<Incoming<ReportLine>>, Rejected> {
    let now = app.clock.now();
    let line = |text: &[u8]| {
        if text.len() > MAX_REPORT_BYTES {
            return Err(Rejected::TooLarge(format!("a report has at most {MAX_REPORT_BYTES} bytes")));
        }
        let (report, given) = input::read(text, now)?;
        ReportLine::new(command.scope.tenant, report, given)
            .map_err(|error| Rejected::Unreadable(vec![FieldError::new("", error.to_string())]))
    };
    let incoming: Vec<Result<ReportLine, Rejected>> = if command.body.trim_ascii_start().starts_with(b"[") {
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
    Ok((0..).zip(incoming).map(|(number, line)| Incoming { number, line }).collect())
}

fn not_too_many(reports: usize) -> Result<(), Rejected> {
    if reports > MAX_REPORTS {
        return Err(Rejected::TooLarge(format!("a request takes at most {MAX_REPORTS} reports, {reports} came")));
    }
    Ok(())
}

/// The answer to one report, as it is sent and as it is kept with an idempotency key.
fn answer((index, outcome): &Answered) -> Value {
    let of = |status| ReportAnswer { index: *index, status, ..ReportAnswer::default() };
    let refused = |problem: Problem| ReportAnswer {
        code: Some(problem.code),
        detail: problem.detail,
        errors: problem.errors,
        ..of("rejected")
    };
    let answer = match outcome {
        Outcome::Done(done) => {
            let status = if done.change == Change::Unchanged { "duplicate" } else { "accepted" };
            ReportAnswer { id: Some(done.id), version: Some(done.version), ..of(status) }
        }
        Outcome::Rejected(rejected) => refused(problem::of_rejected(rejected)),
        Outcome::NotTried => refused(problem::not_tried()),
        Outcome::Replayed(answer) => return answer.clone(),
    };
    // A struct of texts and numbers does not fail to serialize.
    serde_json::to_value(answer).unwrap_or_default()
}

fn summary(records: Vec<Value>) -> InsightsAnswer {
    let (mut answer, mut token) = (InsightsAnswer::default(), Token::default());
    for record in &records {
        match record["status"].as_str() {
            Some("accepted") => answer.accepted += 1,
            Some("duplicate") => answer.duplicates += 1,
            _ => answer.rejected += 1,
        }
        let id = record["id"].as_str().and_then(|id| id.parse().ok());
        if let Some((id, version)) = id.zip(record["version"].as_u64()).filter(|(_, version)| *version > 0) {
            token.add(Context::Insights, id, version);
        }
    }
    InsightsAnswer { token: token.to_string(), records, ..answer }
}
