//! Why a command was not done: refused by a rule, or failed.

use search::IndexError;
use serde::Serialize;
use std::{fmt, path::PathBuf};

/// Why something is not done, for a person and for a program.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Refusal {
    /// A stable word: `undeclared_differences`, `not_ready`, …
    pub code: &'static str,
    /// What is wrong and what to do about it.
    pub detail: String,
    /// What was found, as a list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)?;
        for finding in &self.findings {
            write!(f, "\n  - {finding}")?;
        }
        Ok(())
    }
}

/// The command could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The read database can't be used.
    #[error("the read database failed: {0}. Is --read-database-url right, and was `souk migrate` run?")]
    Database(#[from] sqlx::Error),
    /// A value can't be written or read as JSON.
    #[error("a value can't be read or written: {0}")]
    Unwritable(#[from] serde_json::Error),
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A file can't be used.
    #[error("{0}: {1}")]
    File(PathBuf, String),
    /// It must not be done, or not now.
    #[error("{0}")]
    Refused(Refusal),
    /// Somebody who has to follow didn't, in time.
    #[error("{0}")]
    TimedOut(String),
    /// query-api can't be asked.
    #[error("query-api at {0}: {1}")]
    Query(String, String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// A refusal without findings.
    #[must_use]
    pub fn refused(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Refused(Refusal { code, detail: detail.into(), findings: Vec::new() })
    }
}
