//! Why a category stays as it is.

use schemas::ids::CategoryId;

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
