//! What comes of a command.

use crate::{
    domain::{catalog::category, catalog::product, inventory, merchandising, pricing},
    store::{Failure, batch::Item},
};
use schemas::{Uuid, ids::VariantId, problem::FieldError};

/// What a command did to its aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Created,
    Changed,
    Unchanged,
}

impl Change {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
        }
    }
}

/// A command was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) change: Change,
    pub(crate) id: Uuid,
    pub(crate) version: u64,
    /// SKU and id of each variant of a product.
    pub(crate) variants: Vec<(String, VariantId)>,
}

impl Done {
    /// From the versions before and after.
    pub(crate) fn moved(id: Uuid, before: u64, version: u64) -> Self {
        let change = match (before, version) {
            (before, after) if before == after => Change::Unchanged,
            (0, _) => Change::Created,
            _ => Change::Changed,
        };
        Self { change, id, version, variants: Vec::new() }
    }
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
    /// Compares with what is there.
    pub(crate) fn check<A>(self, item: Option<&Item<A>>) -> Result<(), Rejected> {
        let current = item.filter(|item| item.state.is_some()).map(|item| item.version);
        match (self, current) {
            (Self::Any, _) | (Self::Unsaid, None) => Ok(()),
            (Self::Unsaid, Some(current)) => Err(Rejected::VersionRequired { current }),
            (Self::Version(expected), Some(current)) if expected == current => Ok(()),
            (Self::Version(expected), current) => Err(Rejected::VersionStale { expected, current }),
        }
    }
}

/// The command is refused; nothing failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// It can't even be read.
    Unreadable(Vec<FieldError>),
    /// Values are not allowed.
    Invalid(Vec<FieldError>),
    /// More than is allowed.
    TooLarge(String),
    /// What it names is not there.
    NotFound(String),
    /// It has to say which version it saw.
    VersionRequired {
        current: u64,
    },
    /// It saw another version.
    VersionStale {
        expected: u64,
        current: Option<u64>,
    },
    /// Others were faster, several times.
    Contended,
    Product(product::Rejection),
    Category(category::Rejection),
    Price(pricing::Rejection),
    Stock(inventory::Rejection),
    Definition(merchandising::Rejection),
}

macro_rules! rejected_from {
    ($($rejection:ty => $variant:ident,)+) => {
        $(impl From<$rejection> for Rejected {
            fn from(rejection: $rejection) -> Self {
                Self::$variant(rejection)
            }
        })+
    };
}

rejected_from! {
    product::Rejection => Product,
    category::Rejection => Category,
    pricing::Rejection => Price,
    inventory::Rejection => Stock,
    merchandising::Rejection => Definition,
}

/// Why a command was not carried out.
#[derive(Debug)]
pub(crate) enum Error {
    /// The domain or the door refused it.
    Rejected(Rejected),
    /// Storage failed.
    Failed(Failure),
    /// The idempotency key came with another request before.
    KeyReused,
}

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
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
