//! The lines a bulk write answers with.

use crate::{
    http::{
        answer::{EXAMPLE_ID, VariantAnswer},
        problem,
    },
    pipeline::{
        Change, Rejection,
        bulk::{Answered, Outcome},
    },
};
use bytes::Bytes;
use schemas::{
    Uuid,
    contexts::Context,
    problem::Problem,
    token::{MAX_ENTRIES, Token},
};
use serde::Serialize;

/// A line of the answer: one for each line of the request, then the summary.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(
    json!(BulkAnswer::Line(BulkAnswerLine::example())),
    json!(BulkAnswer::Line(BulkAnswerLine::rejected_example())),
    json!(BulkAnswer::Summary { summary: BulkSummary::example() })
))]
#[serde(untagged)]
pub(crate) enum BulkAnswer {
    /// The answer to a line.
    Line(BulkAnswerLine),
    /// The last line.
    Summary { summary: BulkSummary },
    /// The last line instead, if the stream broke off.
    Broken { problem: Problem },
}

/// What became of a line.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LineStatus {
    Created,
    Changed,
    Unchanged,
    Rejected,
    NotTried,
}

impl From<Change> for LineStatus {
    fn from(change: Change) -> Self {
        match change {
            Change::Created => Self::Created,
            Change::Changed => Self::Changed,
            Change::Unchanged => Self::Unchanged,
        }
    }
}

/// The answer to one line.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct BulkAnswerLine {
    /// The line's number in the request, from 1; blank lines count and have no answer.
    line: u64,
    /// What became of it.
    status: LineStatus,
    /// The aggregate's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    /// Its version after the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    /// Of a product: its variants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variants: Vec<VariantAnswer>,
    /// Why it was rejected or not tried (RFC 9457).
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

impl BulkAnswerLine {
    fn example() -> Self {
        let variants = vec![VariantAnswer::example()];
        Self { line: 1, status: LineStatus::Created, id: Some(EXAMPLE_ID), version: Some(1), variants, problem: None }
    }

    fn rejected_example() -> Self {
        let told = Rejection::invalid_at("/title", "1 to 300 characters are expected");
        bare(2, LineStatus::Rejected, told.problem().clone())
    }
}

/// The last line, as `{"summary": ...}`.
#[derive(Debug, Default, Clone, Serialize, utoipa::ToSchema)]
pub(crate) struct BulkSummary {
    /// Lines answered.
    lines: u64,
    created: u64,
    changed: u64,
    unchanged: u64,
    rejected: u64,
    not_tried: u64,
    /// The consistency token of all that was written; null when it would name more than 10,000
    /// aggregates, whose versions are on their lines.
    token: Option<String>,
    /// With `Prefer: wait`, whether reads see all that was written: `fresh`, `stale`, or `unknown` where that can't be found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    consistency: Option<&'static str>,
}

impl BulkSummary {
    fn example() -> Self {
        let token = Token::of(Context::Catalog, EXAMPLE_ID, 1).to_string();
        Self { lines: 2, created: 1, rejected: 1, token: Some(token), ..Self::default() }
    }
}

fn bare(line: u64, status: LineStatus, problem: Problem) -> BulkAnswerLine {
    BulkAnswerLine { line, status, id: None, version: None, variants: Vec::new(), problem: Some(problem) }
}

/// The answer to a line.
fn line((number, outcome): &Answered) -> BulkAnswerLine {
    match outcome {
        Outcome::Rejected(rejection) => bare(*number, LineStatus::Rejected, rejection.problem().clone()),
        Outcome::NotTried => bare(*number, LineStatus::NotTried, problem::not_tried()),
        Outcome::Done(done) => BulkAnswerLine {
            line: *number,
            status: done.change.into(),
            id: Some(done.id),
            version: Some(done.version),
            variants: VariantAnswer::of(done),
            problem: None,
        },
    }
}

/// The last line of a stream that broke off.
pub(super) fn broken(problem: &Problem) -> Bytes {
    Bytes::from(format!("{}\n", serde_json::json!(BulkAnswer::Broken { problem: problem.clone() })))
}

/// The transaction was undone: what would have been done was not tried after all.
pub(super) fn undo(answered: &mut [Answered]) {
    for (_, outcome) in answered {
        if !matches!(outcome, Outcome::Rejected(_)) {
            *outcome = Outcome::NotTried;
        }
    }
}

/// Counts as it writes.
pub(super) struct Tally {
    context: Context,
    summary: BulkSummary,
    token: Option<Token>,
}

impl Tally {
    pub(super) fn new(context: Context) -> Self {
        Self { context, summary: BulkSummary::default(), token: Some(Token::default()) }
    }

    /// The answers as NDJSON.
    ///
    /// # Errors
    /// An answer that has no JSON form.
    pub(super) fn lines(&mut self, answered: &[Answered]) -> Result<Bytes, serde_json::Error> {
        let mut text = Vec::with_capacity(answered.len() * 200);
        for answered in answered {
            self.count(&answered.1);
            serde_json::to_writer(&mut text, &BulkAnswer::Line(line(answered)))?;
            text.push(b'\n');
        }
        Ok(Bytes::from(text))
    }

    fn count(&mut self, outcome: &Outcome) {
        let summary = &mut self.summary;
        summary.lines += 1;
        match outcome {
            Outcome::Rejected(_) => summary.rejected += 1,
            Outcome::NotTried => summary.not_tried += 1,
            Outcome::Done(done) => {
                match done.change {
                    Change::Created => summary.created += 1,
                    Change::Changed => summary.changed += 1,
                    Change::Unchanged => summary.unchanged += 1,
                }
                if done.version > 0 {
                    self.note(done.id, done.version);
                }
            }
        }
    }

    fn note(&mut self, id: Uuid, version: u64) {
        if let Some(token) = &mut self.token {
            token.add(self.context, id, version);
            if token.len() > MAX_ENTRIES {
                self.token = None;
            }
        }
    }

    /// The token of what stands; none if it would be too long.
    pub(super) fn token(&self, stands: bool) -> Option<Token> {
        if stands { self.token.clone() } else { Some(Token::default()) }
    }

    /// The last line.
    pub(super) fn summary(&self, token: Option<&Token>, consistency: Option<&'static str>) -> Bytes {
        let token = token.map(Token::to_string);
        let summary = BulkSummary { token, consistency, ..self.summary.clone() };
        Bytes::from(format!("{}\n", serde_json::json!(BulkAnswer::Summary { summary })))
    }
}
