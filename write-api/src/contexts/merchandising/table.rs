//! The table of what is defined. What was removed stays, without content; nothing deletes a row.

use super::domain::{Content, Definition};
use crate::pipeline::{Column, Table, TableSpec};

impl<C: Content> Table for Definition<C> {
    const SPEC: TableSpec = TableSpec {
        name: "definitions",
        id: "definition_id",
        of_tenant: true,
        columns: &[Column::Fixed("kind", C::KIND.as_str()), Column::Text("name", "text"), Column::Json("content")],
    };
}
