//! The only map from errors to answers.

use crate::freshness::WaitError;
use axum::{
    extract::rejection::QueryRejection,
    response::{IntoResponse, Response},
};
use schemas::problem::{Code, FieldError, Problem};
use search::{
    IndexError,
    searcher::{SearchError, VectorError},
};
use service::{http::ProblemResponse, json};

/// Why a read is not answered as asked.
#[derive(Debug)]
pub struct Refusal(pub Problem);

impl Refusal {
    /// Whether this is why.
    #[must_use]
    pub fn is(&self, code: Code) -> bool {
        self.0.code == code.as_str()
    }

    /// A parameter or header that can't be understood.
    #[must_use]
    pub fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self(Problem::new(Code::InvalidRequest).errors(vec![FieldError::new(name, detail)]))
    }

    /// A parameter of which one character is wrong.
    #[must_use]
    pub fn at(name: &str, position: usize, detail: impl Into<String>) -> Self {
        let error = FieldError { position: u32::try_from(position).ok(), ..FieldError::new(name, detail) };
        Self(Problem::new(Code::InvalidRequest).errors(vec![error]))
    }

    /// Nothing there.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self(Problem::new(Code::NotFound).detail(what))
    }

    /// The index is not loaded.
    #[must_use]
    pub fn no_index() -> Self {
        Self(Problem::new(Code::Unavailable).detail("the search index is not loaded yet"))
    }
}

/// A number within its bounds, both included.
///
/// # Errors
/// [`Refusal`] names it and the bounds.
pub fn bounded(name: &str, number: usize, least: usize, most: usize) -> Result<usize, Refusal> {
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(Refusal::parameter(name, format!("a whole number from {least} to {most} is expected")))
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        ProblemResponse(self.0).into_response()
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<QueryRejection> for Refusal {
    fn from(error: QueryRejection) -> Self {
        query(&error.body_text())
    }
}

/// What is wrong with a query string, beside the parameter where that is known.
fn query(told: &str) -> Refusal {
    let told = told.strip_prefix("Failed to deserialize query string: ").unwrap_or(told);
    match told.split_once(": ") {
        Some((name, reason)) if !name.contains(' ') => Refusal::parameter(name, parameter_is(reason)),
        _ => Refusal(Problem::new(Code::InvalidRequest).detail(json::plain(told))),
    }
}

/// What is expected of a parameter, where the reader of texts only says what it found.
fn parameter_is(reason: &str) -> String {
    match reason {
        "provided string was not `true` or `false`" => "true or false is expected".to_owned(),
        "invalid float literal" | "cannot parse float from empty string" => "a number is expected".to_owned(),
        "invalid digit found in string"
        | "cannot parse integer from empty string"
        | "number too large to fit in target type"
        | "number too small to fit in target type" => "a whole number is expected".to_owned(),
        reason if reason.starts_with("UUID parsing failed") => "a UUID is expected".to_owned(),
        _ => json::plain(reason),
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        tracing::error!(%error, "an answer can't be written as JSON");
        Self(Problem::new(Code::Internal))
    }
}

impl From<WaitError> for Refusal {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Busy | WaitError::Ending => Self(Problem::new(Code::Overloaded).detail(error.to_string())),
            WaitError::Database(error) => error.into(),
        }
    }
}

impl From<SearchError> for Refusal {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Index(IndexError::Request(detail)) => Self(Problem::new(Code::InvalidRequest).detail(detail)),
            SearchError::Vectors(VectorError::Database(error)) => error.into(),
            SearchError::Busy | SearchError::Vectors(VectorError::Busy) => {
                Self(Problem::new(Code::Overloaded).detail(error.to_string()))
            }
            SearchError::NoModel => Self(Problem::new(Code::Unavailable).detail(error.to_string())),
            SearchError::Index(_) | SearchError::Vectors(VectorError::Model(_)) | SearchError::Broken(_) => {
                tracing::error!(%error, "a search failed");
                Self(Problem::new(Code::Internal))
            }
        }
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            // Class 22: a value that no row can have, such as a NUL character.
            sqlx::Error::Database(database) if database.code().is_some_and(|code| code.starts_with("22")) => {
                Self(Problem::new(Code::InvalidRequest).detail("a value holds characters that can't be stored"))
            }
            _ => {
                tracing::error!(%error, "the read database failed");
                Self(Problem::new(Code::Unavailable).detail("the read database does not answer"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{extract::Query, http::Uri};

    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Parameters {
        limit: Option<usize>,
        day: Option<schemas::NaiveDate>,
    }

    #[test]
    fn a_wrong_parameter_is_named_with_what_is_expected() {
        for (query, name, expected) in [
            ("limit=-1", "limit", "a whole number is expected"),
            ("limit=", "limit", "a whole number is expected"),
            ("limit=99999999999999999999999", "limit", "a whole number is expected"),
            ("day=soon", "day", "a date is expected"),
        ] {
            let uri: Uri = format!("/?{query}").parse().expect("a URI");
            let refusal = Refusal::from(Query::<Parameters>::try_from_uri(&uri).expect_err(query));
            let error = &refusal.0.errors[0];
            assert_eq!(error.pointer, name, "{query}");
            assert!(error.detail.starts_with(expected), "{query}: {}", error.detail);
        }
    }
}
