//! Creating, changing, moving and deleting categories.

mod desk;

pub(crate) use desk::Desk;

use super::{Done, Expected, Kind, Rejected};
use crate::{
    domain::catalog::category::Content,
    store::{self, Failure, Scope},
};
use schemas::{contexts::Context, ids::CategoryId};
use sqlx::PgConnection;

/// What shall happen to a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Create,
    /// Replace the content of one that is there.
    Change,
    /// Create it, or replace the content of the one of its external id.
    Upsert,
    Delete,
}

/// One command to a category.
#[derive(Debug, Clone)]
pub(crate) struct CategoryLine {
    pub(crate) op: Op,
    pub(crate) expected: Expected,
    /// The one that is meant, or the id it gets if it is new.
    pub(crate) id: CategoryId,
    /// For all but delete.
    pub(crate) content: Option<Content>,
    /// External id or slug of the parent, where it is not in the content.
    pub(crate) parent: Option<String>,
}

/// Categories.
#[derive(Debug)]
pub(crate) struct Categories;

impl Kind for Categories {
    const CONTEXT: Context = Context::Catalog;
    type Line = CategoryLine;
    type Desk = Desk;

    fn name(line: &CategoryLine) -> &'static str {
        match line.op {
            Op::Create => "create_category",
            Op::Change => "change_category",
            Op::Upsert => "upsert_category",
            Op::Delete => "delete_category",
        }
    }

    async fn load(conn: &mut PgConnection, scope: &Scope, _: &[&CategoryLine]) -> Result<Desk, Failure> {
        Ok(Desk::new(store::categories::load_tree(conn, scope).await?))
    }

    fn decide(desk: &mut Desk, line: &CategoryLine) -> Result<Done, Rejected> {
        desk.decide(line)
    }

    async fn write(conn: &mut PgConnection, scope: &Scope, desk: Desk) -> Result<(), Failure> {
        desk.into_batch().append(conn, scope).await
    }
}
