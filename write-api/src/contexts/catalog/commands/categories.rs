//! Creating, changing, moving and deleting categories.

mod working_set;

pub(in crate::contexts::catalog) use working_set::Categories;

use crate::{contexts::catalog::domain::category::Content, pipeline::Expected};
use schemas::ids::CategoryId;

/// What shall happen to a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::contexts::catalog) enum Op {
    Create,
    /// Replace the content of one that is there.
    Change,
    /// Create it, or replace the content of the one of its external id.
    Upsert,
    Delete,
}

/// What somebody asks for.
#[derive(Debug, Clone)]
pub(in crate::contexts::catalog) struct CategoryRequest {
    pub(in crate::contexts::catalog) op: Op,
    pub(in crate::contexts::catalog) expected: Expected,
    /// The one that is meant, or the id it gets if it is new.
    pub(in crate::contexts::catalog) id: CategoryId,
    /// For all but delete.
    pub(in crate::contexts::catalog) content: Option<Content>,
    /// External id or slug of the parent, where it is not in the content.
    pub(in crate::contexts::catalog) parent: Option<String>,
}
