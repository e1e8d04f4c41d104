//! Definitions as they are asked for and kept: the table `definitions` of their context, with a row for each. What was removed
//! stays, without content; nothing deletes a row.

use super::{Column, Expected, Failure, Row, Scope, Table, TableSpec, identity};
use crate::domain::{
    Name,
    definition::{Checked, Content, Definition, DefinitionCommand},
};
use schemas::{Uuid, ids::TenantId};
use sqlx::PgConnection;

/// What somebody asks for.
#[derive(Debug, Clone)]
pub(crate) struct DefinitionRequest<C> {
    pub(crate) id: Uuid,
    pub(crate) name: Name,
    pub(crate) expected: Expected,
    /// What is defined; none to remove it.
    pub(crate) content: Option<Checked<C>>,
}

impl<C: Content> DefinitionRequest<C> {
    pub(crate) fn new(tenant: TenantId, name: Name, expected: Expected, content: Option<Checked<C>>) -> Self {
        let id = identity::named(tenant, &[C::WORDS.aggregate, name.as_str()]);
        Self { id, name, expected, content }
    }

    /// The command's name in metrics.
    pub(crate) const fn command_name(&self) -> &'static str {
        if self.content.is_some() { C::WORDS.define } else { C::WORDS.remove }
    }

    /// The command that it stands for.
    pub(crate) fn command(&self) -> DefinitionCommand<C> {
        match self.content.clone() {
            Some(content) => DefinitionCommand::Define { name: self.name.clone(), content },
            None => DefinitionCommand::Remove,
        }
    }
}

/// A kind of definition that has rows in its context's table.
pub(crate) trait Kept: Content {
    /// Writes what follows from definitions into other tables, after their rows.
    fn write_parts(
        _conn: &mut PgConnection,
        _scope: &Scope,
        _rows: &[Row<'_, Definition<Self>>],
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        async { Ok(()) }
    }
}

impl<C: Kept> Table for Definition<C> {
    const SPEC: TableSpec = TableSpec {
        name: "definitions",
        id: "definition_id",
        of_tenant: true,
        columns: &[Column::Fixed("kind", C::WORDS.kind), Column::Text("name", "text"), Column::Json("content")],
    };

    async fn write_parts(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<(), Failure> {
        C::write_parts(conn, scope, rows).await
    }
}
