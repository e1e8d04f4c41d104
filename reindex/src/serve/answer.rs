//! Failures as answers.

use crate::failure::Failure;
use axum::response::{IntoResponse, Response};
use schemas::problem::{Code, FieldError, Problem};
use service::http::ProblemResponse;

/// A failure as an answer.
pub(crate) struct Answered(pub Failure);

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        let problem = match self.0 {
            Failure::Refused(refusal) => {
                let findings = refusal.findings.iter().map(|finding| FieldError::new(refusal.code, finding.clone()));
                Problem::new(Code::OperationRefused).detail(refusal.detail.clone()).errors(findings.collect())
            }
            Failure::TimedOut(detail) => Problem::new(Code::Timeout).detail(detail),
            Failure::Unwritable(error) => Problem::new(Code::InvalidRequest).detail(error.to_string()),
            failure @ (Failure::Query(..) | Failure::File(..) | Failure::Other(_)) => {
                Problem::new(Code::InvalidRequest).detail(failure.to_string())
            }
            failure @ (Failure::Database(_) | Failure::Index(_)) => {
                tracing::error!(error = %failure, "an operation failed");
                Problem::new(Code::Unavailable).detail(failure.to_string())
            }
        };
        ProblemResponse(problem).into_response()
    }
}

impl From<Failure> for Answered {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}
