//! The lines the bulk endpoints answer with.

use schemas::{Uuid, problem::Problem};
use serde::Deserialize;

/// The answer to one line.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LineAnswer {
    /// From 1, within the request.
    pub(crate) line: usize,
    pub(crate) status: LineStatus,
    pub(crate) id: Option<Uuid>,
    pub(crate) version: Option<u64>,
    #[serde(default)]
    pub(crate) variants: Vec<VariantAnswer>,
    pub(crate) problem: Option<Problem>,
}

impl LineAnswer {
    /// Whether the same line may well be accepted in a moment.
    pub(super) fn is_temporary(&self) -> bool {
        self.problem.as_ref().is_some_and(|problem| matches!(problem.status, 412 | 503 | 504))
    }
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LineStatus {
    Unchanged,
    Changed,
    Created,
    NotTried,
    Rejected,
}

/// The id a variant has in souk.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct VariantAnswer {
    pub(crate) sku: String,
    pub(crate) id: Uuid,
}
