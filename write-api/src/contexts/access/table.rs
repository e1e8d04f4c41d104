//! The table of keys. One that was revoked stays; nothing deletes a row.

use super::domain::Key;
use crate::pipeline::{Column, Failure, Table, TableSpec};
use schemas::Uuid;
use sqlx::PgExecutor;

impl Table for Key {
    const SPEC: TableSpec = TableSpec {
        name: "keys",
        id: "key_id",
        of_tenant: true,
        columns: &[Column::Text("digest", "text"), Column::Json("state")],
    };
}

/// The key of a digest or an id with its tenant, whatever tenant that is: by it is found out which one somebody calls for.
pub(super) async fn find(
    executor: impl PgExecutor<'_>,
    digest: Option<String>,
    id: Option<Uuid>,
) -> Result<Option<(Uuid, Key)>, Failure> {
    let found: Option<(Uuid, String)> =
        sqlx::query_as("SELECT tenant_id, state FROM access.keys WHERE digest = $1 OR key_id = $2 LIMIT 1")
            .bind(digest)
            .bind(id)
            .fetch_optional(executor)
            .await?;
    let read = |(tenant, state): (Uuid, String)| Ok((tenant, serde_json::from_str(&state)?));
    found.map(read).transpose().map_err(|error: serde_json::Error| Failure::Unreadable("key", error.to_string()))
}
