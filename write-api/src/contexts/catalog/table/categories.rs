//! The table of categories.

use crate::{
    contexts::catalog::domain::category::Category,
    pipeline::{Batch, Column, Failure, Scope, Table, TableSpec, table::load_all},
};
use schemas::{Uuid, ids::CategoryId};
use sqlx::PgConnection;

impl Table for Category {
    const SPEC: TableSpec = TableSpec {
        name: "categories",
        id: "category_id",
        of_tenant: true,
        columns: &[
            Column::Text("parent_id", "uuid"),
            Column::Text("slug", "text"),
            Column::Text("external_id", "text"),
            Column::Text("name", "text"),
            Column::Plain("position", "int4"),
        ],
    };
}

/// Loads a tenant's whole tree, and keeps others from changing it until the transaction ends: two
/// moves, each right alone, could make a circle together.
pub(in crate::contexts::catalog) async fn load_tree(
    conn: &mut PgConnection,
    scope: &Scope,
) -> Result<Batch<Category>, Failure> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('souk.categories:' || $1::text, 0))")
        .bind(scope.tenant.uuid())
        .execute(&mut *conn)
        .await?;
    load_all(conn, scope).await
}

/// Ids of categories by external id or slug, and of those that exist by id.
pub(in crate::contexts::catalog) async fn find(
    conn: &mut PgConnection,
    scope: &Scope,
    names: &[&str],
    ids: &[Uuid],
) -> Result<Vec<(CategoryId, String, Option<String>)>, Failure> {
    if names.is_empty() && ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(Uuid, String, Option<String>)> = sqlx::query_as(
        "SELECT category_id, slug, external_id FROM catalog.categories \
         WHERE tenant_id = $1 AND (category_id = ANY($2) OR external_id = ANY($3) OR slug = ANY($3))",
    )
    .bind(scope.tenant.uuid())
    .bind(ids)
    .bind(names)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id, slug, external_id)| (CategoryId(id), slug, external_id)).collect())
}
