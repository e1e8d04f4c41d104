//! Who calls.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use schemas::{
    ids::TenantId,
    problem::{Code, Problem},
};
use service::http::ProblemResponse;

/// Who calls, as [`crate::guard::identify`] found out; an extension of every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// No key was sent.
    Anonymous,
    /// A key was sent that nobody has.
    Unknown,
    /// An administrator of the installation.
    Admin,
}

impl Caller {
    /// Whether the caller has anything to do with a shop. One that has not gets the answer that there is no such shop:
    /// whether there is one is told to nobody else.
    #[must_use]
    pub const fn may_enter(&self, _: TenantId) -> bool {
        match self {
            Self::Anonymous | Self::Admin => true,
            Self::Unknown => false,
        }
    }

    /// Whether the caller administers the installation.
    #[must_use]
    pub const fn is_admin(&self) -> bool {
        matches!(self, Self::Admin)
    }
}

/// Why a caller may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The route asks for a key.
    NoKey,
    /// The key that was sent is none, or none any more.
    UnknownKey,
}

impl Denied {
    fn problem(self) -> Problem {
        Problem::new(Code::Unauthorized).detail(match self {
            Self::NoKey => "this route needs a key: `Authorization: Bearer <key>`",
            Self::UnknownKey => "the key is not known here",
        })
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let mut response = ProblemResponse(self.problem()).into_response();
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        response
    }
}
