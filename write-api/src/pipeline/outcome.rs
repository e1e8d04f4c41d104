//! What comes of a command.

use super::Failure;
use crate::domain::Refusal;
use schemas::{
    Uuid,
    ids::VariantId,
    problem::{Code, FieldError, Problem},
};
use serde::{Deserialize, Serialize};

/// What a command did to its aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    Created,
    Changed,
    Unchanged,
}

impl Change {
    /// As answers and metrics say it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
        }
    }
}

/// A command was carried out. As JSON it is kept with an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    #[serde(rename = "status")]
    pub(crate) change: Change,
    pub(crate) id: Uuid,
    pub(crate) version: u64,
    /// Of a product: its variants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) variants: Vec<DoneVariant>,
}

/// A variant of a product that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DoneVariant {
    pub(crate) sku: String,
    pub(crate) id: VariantId,
}

/// The version a command expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Whatever it is.
    Any,
    /// Nothing was said, though something should have been.
    Unsaid,
    /// This one.
    Version(u64),
}

impl Expected {
    /// Compares with the version that is there, if there is one.
    pub(crate) fn check(self, current: Option<u64>) -> Result<(), Rejection> {
        match (self, current) {
            (Self::Any, _) | (Self::Unsaid, None) => Ok(()),
            (Self::Unsaid, Some(current)) => Err(Rejection::version_required(current)),
            (Self::Version(expected), Some(current)) if expected == current => Ok(()),
            (Self::Version(expected), current) => Err(Rejection::version_stale(expected, current)),
        }
    }

    /// Where a version may be sent, but need not.
    pub(crate) fn or_any(self) -> Self {
        if self == Self::Unsaid { Self::Any } else { self }
    }
}

/// A command is rejected; nothing failed. Holds the problem it is told as, so that every context can have its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Rejection(Box<Problem>);

impl<R: Refusal> From<R> for Rejection {
    fn from(refusal: R) -> Self {
        let (problem, detail) = (refusal.problem(), refusal.to_string());
        let errors = refusal.pointer().map(|pointer| FieldError::new(pointer, detail.clone()));
        // Where a value is wrong, all that there is to say stands beside its pointer.
        let is_all = problem == Code::ValidationFailed.into() && errors.is_some();
        let told = Problem::new(problem).errors(errors.into_iter().collect());
        Self(Box::new(if is_all { told } else { told.detail(detail) }))
    }
}

impl Rejection {
    fn told(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Problem::new(code).detail(detail)))
    }

    /// As this problem.
    pub(crate) fn of(problem: Problem) -> Self {
        Self(Box::new(problem))
    }

    /// It can't even be read.
    pub(crate) fn unreadable(errors: Vec<FieldError>) -> Self {
        Self(Box::new(Problem::new(Code::InvalidRequest).errors(errors)))
    }

    /// Values are not allowed.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        Self(Box::new(Problem::new(Code::ValidationFailed).errors(errors)))
    }

    /// One value is not allowed.
    pub(crate) fn invalid_at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(pointer, detail)])
    }

    /// More than is allowed.
    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::told(Code::TooLarge, detail)
    }

    /// What it names is not there.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::told(Code::NotFound, detail)
    }

    /// It has to say which version it saw.
    pub(crate) fn version_required(current: u64) -> Self {
        let detail = format!("send If-Match with the version you saw; the current one is \"{current}\"");
        Self::told(Code::VersionRequired, detail)
    }

    /// It saw another version.
    pub(crate) fn version_stale(expected: u64, current: Option<u64>) -> Self {
        let current = current.map_or("there is none now".to_owned(), |at| format!("the current one is \"{at}\""));
        Self::told(Code::VersionConflict, format!("If-Match says \"{expected}\", but {current}"))
    }

    /// Others were faster, several times.
    pub(crate) fn contended() -> Self {
        Self::told(Code::VersionConflict, "others were faster, several times; try again")
    }

    /// The problem it is told as.
    pub(crate) fn problem(&self) -> &Problem {
        &self.0
    }
}

/// Why a command was not carried out.
#[derive(Debug)]
pub(crate) enum Error {
    /// The domain or the door rejected it.
    Rejected(Rejection),
    /// Storage failed.
    Failed(Failure),
    /// The idempotency key came with another request before.
    KeyReused,
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::problem::ProblemType;

    #[derive(Debug, thiserror::Error)]
    enum OfAContext {
        #[error("only 3 are left")]
        TooFew,
        #[error("2 to 4 are allowed")]
        Wrong,
    }

    impl Refusal for OfAContext {
        fn problem(&self) -> ProblemType {
            match self {
                Self::TooFew => ProblemType::conflict("too_few", "There are not enough"),
                Self::Wrong => Code::ValidationFailed.into(),
            }
        }

        fn pointer(&self) -> Option<String> {
            Some("/quantity".to_owned())
        }
    }

    #[test]
    fn a_refusal_is_told_by_its_own_code_and_pointer() {
        let told = Rejection::from(OfAContext::TooFew);
        let problem = told.problem();
        assert_eq!((problem.code.as_str(), problem.status), ("too_few", 409));
        assert_eq!(problem.detail.as_deref(), Some("only 3 are left"));
        assert_eq!(problem.errors, [FieldError::new("/quantity", "only 3 are left")]);
    }

    #[test]
    fn a_wrong_value_is_told_beside_its_pointer_only() {
        let told = Rejection::from(OfAContext::Wrong);
        assert_eq!(told.problem().detail, None);
        assert_eq!(told, Rejection::invalid_at("/quantity", "2 to 4 are allowed"));
    }

    #[test]
    fn a_version_is_asked_for_only_where_there_is_one() {
        assert_eq!(Expected::Unsaid.check(None), Ok(()));
        assert_eq!(Expected::Unsaid.check(Some(3)), Err(Rejection::version_required(3)));
        assert_eq!(Expected::Unsaid.or_any().check(Some(3)), Ok(()));
        assert_eq!(Expected::Version(3).check(Some(3)), Ok(()));
        assert_eq!(Expected::Version(2).check(Some(3)), Err(Rejection::version_stale(2, Some(3))));
        assert_eq!(Expected::Version(2).check(None), Err(Rejection::version_stale(2, None)));
    }
}
