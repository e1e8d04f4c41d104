//! Who calls.

use crate::{key::KnownKey, rule::Rule, scoped::Restriction};
use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use schemas::{
    ids::TenantId,
    problem::{Code, Problem},
};
use service::http::ProblemResponse;
use std::sync::Arc;

/// Who calls, as [`crate::guard::identify`] found out; an extension of every request.
#[derive(Debug, Clone, PartialEq)]
pub enum Caller {
    /// No key was sent.
    Anonymous,
    /// A key was sent that nobody has, or nobody any more.
    Unknown,
    /// A key was sent, and whose it is could not be looked up.
    Unavailable,
    /// An administrator of the installation.
    Admin,
    /// Whoever has a key of a shop.
    Key(Arc<KnownKey>),
    /// Whoever has a scoped key, which a shop's server has made of a search key.
    Scoped(Arc<KnownKey>, Arc<Restriction>),
}

impl Caller {
    /// The shop that the credential is of, if it is of one.
    #[must_use]
    pub fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::Key(key) | Self::Scoped(key, _) => Some(key.tenant),
            Self::Anonymous | Self::Unknown | Self::Unavailable | Self::Admin => None,
        }
    }

    /// Whether the caller has anything to do with a shop. One that has not gets the answer that there is no such shop:
    /// whether there is one is told to nobody else.
    #[must_use]
    pub fn may_enter(&self, tenant: TenantId) -> bool {
        match self {
            Self::Anonymous | Self::Admin => true,
            Self::Key(key) | Self::Scoped(key, _) => key.tenant == tenant,
            Self::Unknown | Self::Unavailable => false,
        }
    }

    /// What the caller sees less of a shop than others.
    #[must_use]
    pub fn restriction(&self) -> Option<Arc<Restriction>> {
        match self {
            Self::Scoped(_, restriction) => Some(Arc::clone(restriction)),
            Self::Anonymous | Self::Unknown | Self::Unavailable | Self::Admin | Self::Key(_) => None,
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
    /// The key is not for routes of this rule.
    NotFor(Rule),
    /// Whether the key is one could not be found out.
    Unavailable,
}

impl Denied {
    fn problem(self) -> Problem {
        match self {
            Self::NoKey => {
                Problem::new(Code::Unauthorized).detail("this route needs a key: `Authorization: Bearer <key>`")
            }
            Self::UnknownKey => Problem::new(Code::Unauthorized).detail("the key is not known here, or not any more"),
            Self::NotFor(rule) => {
                Problem::new(Code::Forbidden).detail(format!("this route is for: {}", rule.words()))
            }
            Self::Unavailable => Problem::new(Code::Unavailable).detail("the key can't be looked up at the moment"),
        }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let problem = self.problem();
        let is_unauthorized = problem.code == Code::Unauthorized.as_str();
        let mut response = ProblemResponse(problem).into_response();
        if is_unauthorized {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
