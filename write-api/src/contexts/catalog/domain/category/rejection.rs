//! Why a category stays as it is.

use crate::domain::Refusal;
use schemas::{
    ids::CategoryId,
    problem::{Code, ProblemType},
};

/// A rule of the category tree forbids the command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such category.
    #[error("there is no such category")]
    Missing,
    /// A category of that identity is there already.
    #[error("the category exists already, with the id {0}")]
    Exists(CategoryId),
    /// The category named as parent is not there.
    #[error("there is no such parent category")]
    UnknownParent,
    /// Another category has the slug.
    #[error("the slug `{slug}` belongs to the category {owner}")]
    SlugTaken {
        /// The slug.
        slug: String,
        /// Whose it is.
        owner: CategoryId,
    },
    /// Another category has the external id.
    #[error("the external id `{external_id}` belongs to the category {owner}")]
    ExternalIdTaken {
        /// The external id.
        external_id: String,
        /// Whose it is.
        owner: CategoryId,
    },
    /// It would stand below itself.
    #[error("a category can't stand below itself")]
    BelowItself,
    /// The tree would be too deep.
    #[error("the tree may be {0} levels deep")]
    TooDeep(usize),
    /// There are categories below it.
    #[error("there are categories below it; move or delete them first")]
    HasChildren,
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        let code = match self {
            Self::Missing => Code::NotFound,
            Self::Exists(_) | Self::ExternalIdTaken { .. } => Code::ExternalIdTaken,
            Self::UnknownParent => Code::ValidationFailed,
            Self::SlugTaken { .. } => Code::SlugTaken,
            Self::BelowItself | Self::TooDeep(_) | Self::HasChildren => Code::CategoryTree,
        };
        code.into()
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::Exists(_) | Self::ExternalIdTaken { .. } => Some("/external_id".to_owned()),
            Self::UnknownParent => Some("/parent_id".to_owned()),
            Self::SlugTaken { .. } => Some("/slug".to_owned()),
            Self::Missing | Self::BelowItself | Self::TooDeep(_) | Self::HasChildren => None,
        }
    }
}
