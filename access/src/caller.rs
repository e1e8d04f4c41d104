//! Who calls.

use crate::{
    customer::Customer,
    guest::Guest,
    key::KnownKey,
    member::{Member, Power},
    rule::Rule,
    scoped::Restriction,
};
use axum::response::{IntoResponse, Response};
use schemas::{
    buyer::Buyer,
    ids::TenantId,
    problem::{Code, Problem},
};
use service::http::ProblemResponse;
use std::sync::Arc;

/// Who calls, as [`crate::guard::identify`] found out; an extension of every request.
#[derive(Debug, Clone, PartialEq)]
pub enum Caller {
    /// No key was sent, and the host is of no shop.
    Anonymous,
    /// The same at a route where whoever comes names the shop ([`Rule::Named`]).
    Newcomer,
    /// No key was sent, to the host of the shop that has this slug.
    Visitor(Arc<str>),
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
    /// A shopper who has signed in.
    Customer(Customer),
    /// Somebody without an account, who is known again.
    Guest(Guest),
    /// Somebody who works for a shop or the installation, and has signed in with a one-time code.
    Member(Arc<Member>),
}

impl Caller {
    /// The shop that the key or the host is of, if it is of one: another is not there for the caller.
    #[must_use]
    pub fn shop(&self) -> Option<ShopOf<'_>> {
        match self {
            Self::Key(key) | Self::Scoped(key, _) => Some(ShopOf::Id(key.tenant)),
            Self::Customer(customer) => Some(ShopOf::Id(customer.tenant)),
            Self::Guest(guest) => Some(ShopOf::Id(guest.tenant)),
            Self::Member(member) => match member.power {
                Power::Staff(_) | Power::Owner => Some(ShopOf::Id(member.customer.tenant)),
                Power::Admin => None,
            },
            Self::Visitor(slug) => Some(ShopOf::Slug(slug)),
            Self::Anonymous | Self::Newcomer | Self::Unknown | Self::Unavailable | Self::Admin => None,
        }
    }

    /// Who has signed in, if somebody has.
    #[must_use]
    pub fn person(&self) -> Option<Customer> {
        match self {
            Self::Customer(customer) => Some(*customer),
            Self::Member(member) => Some(member.customer),
            Self::Anonymous
            | Self::Newcomer
            | Self::Visitor(_)
            | Self::Unknown
            | Self::Unavailable
            | Self::Admin
            | Self::Key(_)
            | Self::Scoped(..)
            | Self::Guest(_) => None,
        }
    }

    /// Who buys, and in which shop: whoever has signed in, or a guest.
    #[must_use]
    pub fn buyer(&self) -> Option<(TenantId, Buyer)> {
        match self {
            Self::Guest(guest) => Some((guest.tenant, Buyer::guest(guest.id))),
            Self::Customer(_)
            | Self::Member(_)
            | Self::Anonymous
            | Self::Newcomer
            | Self::Visitor(_)
            | Self::Unknown
            | Self::Unavailable
            | Self::Admin
            | Self::Key(_)
            | Self::Scoped(..) => self.person().map(|person| (person.tenant, Buyer::customer(person.user))),
        }
    }

    /// What the caller sees less of a shop than others.
    #[must_use]
    pub fn restriction(&self) -> Option<Arc<Restriction>> {
        match self {
            Self::Scoped(_, restriction) => Some(Arc::clone(restriction)),
            Self::Anonymous
            | Self::Newcomer
            | Self::Visitor(_)
            | Self::Unknown
            | Self::Unavailable
            | Self::Admin
            | Self::Key(_)
            | Self::Customer(_)
            | Self::Guest(_)
            | Self::Member(_) => None,
        }
    }

    /// Whether the caller administers the installation.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        match self {
            Self::Admin => true,
            Self::Member(member) => member.power == Power::Admin,
            Self::Anonymous
            | Self::Newcomer
            | Self::Visitor(_)
            | Self::Unknown
            | Self::Unavailable
            | Self::Key(_)
            | Self::Scoped(..)
            | Self::Customer(_)
            | Self::Guest(_) => false,
        }
    }
}

/// A shop, as a key or a host tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopOf<'a> {
    /// By its id.
    Id(TenantId),
    /// By its slug; whether there is such a shop has not been looked up.
    Slug(&'a str),
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
    /// Nobody has a role that is for routes of this rule, or signed in without a one-time code.
    NotAs(Rule),
    /// Whether the key is one could not be found out.
    Unavailable,
}

impl Denied {
    fn problem(self) -> Problem {
        match self {
            Self::NoKey => Problem::new(Code::Unauthorized).detail(
                "this needs a key or an access token: `Authorization: Bearer <key>`; who shops can do without at the shop's own host",
            ),
            Self::UnknownKey => Problem::new(Code::Unauthorized).detail("the key is not known here, or not any more; an access token may be over"),
            Self::NotFor(rule) => Problem::new(Code::Forbidden).detail(format!("this route is for: {}", rule.words())),
            Self::NotAs(rule) => Problem::new(Code::Forbidden).detail(format!(
                "this route is for: {}; a role counts in sessions that a one-time code was shown in",
                rule.words()
            )),
            Self::Unavailable => Problem::new(Code::Unavailable).detail("the key can't be looked up at the moment"),
        }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        ProblemResponse(self.problem()).into_response()
    }
}
