//! The table of categories.

use super::{Batch, Failure, Row, Scope, Stored, read_version};
use crate::domain::catalog::category::Category;
use schemas::{Uuid, events::catalog::CategoryContent, ids::CategoryId};
use sqlx::PgConnection;

type Columns<'a> = (Vec<Uuid>, Vec<i64>, Vec<Option<Uuid>>, Vec<&'a str>, Vec<Option<&'a str>>, Vec<&'a str>, Vec<i32>);

fn columns<'a>(rows: &[Row<'a, Category>]) -> Columns<'a> {
    let mut columns = Columns::default();
    for row in rows {
        let content = &row.state.content;
        columns.0.push(row.id);
        columns.1.push(row.version);
        columns.2.push(content.parent_id.map(CategoryId::uuid));
        columns.3.push(&content.slug);
        columns.4.push(content.external_id.as_deref());
        columns.5.push(&content.name);
        columns.6.push(content.position);
    }
    columns
}

impl Stored for Category {
    const NAME: &'static str = "category";

    async fn insert(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<(), Failure> {
        let columns = columns(rows);
        sqlx::query(
            "INSERT INTO catalog.categories \
             (tenant_id, category_id, version, parent_id, slug, external_id, name, position) SELECT $1, new.* \
             FROM UNNEST($2::uuid[], $3::int8[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::int4[]) AS new",
        )
        .bind(scope.tenant.uuid())
        .bind(columns.0)
        .bind(columns.1)
        .bind(columns.2)
        .bind(columns.3)
        .bind(columns.4)
        .bind(columns.5)
        .bind(columns.6)
        .execute(conn)
        .await?;
        Ok(())
    }

    async fn update(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<u64, Failure> {
        let expected: Vec<i64> = rows.iter().map(|row| row.expected).collect();
        let columns = columns(rows);
        let done = sqlx::query(
            "UPDATE catalog.categories AS old SET version = new.version, parent_id = new.parent_id, slug = new.slug, \
             external_id = new.external_id, name = new.name, position = new.position FROM \
             UNNEST($2::uuid[], $3::int8[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::int4[], $9::int8[]) \
             AS new (category_id, version, parent_id, slug, external_id, name, position, expected) \
             WHERE old.tenant_id = $1 AND old.category_id = new.category_id AND old.version = new.expected",
        )
        .bind(scope.tenant.uuid())
        .bind(columns.0)
        .bind(columns.1)
        .bind(columns.2)
        .bind(columns.3)
        .bind(columns.4)
        .bind(columns.5)
        .bind(columns.6)
        .bind(expected)
        .execute(conn)
        .await?;
        Ok(done.rows_affected())
    }

    async fn delete(conn: &mut PgConnection, scope: &Scope, gone: &[(Uuid, i64)]) -> Result<u64, Failure> {
        let (ids, versions): (Vec<Uuid>, Vec<i64>) = gone.iter().copied().unzip();
        let done = sqlx::query(
            "DELETE FROM catalog.categories AS old USING UNNEST($2::uuid[], $3::int8[]) AS gone (category_id, version) \
             WHERE old.tenant_id = $1 AND old.category_id = gone.category_id AND old.version = gone.version",
        )
        .bind(scope.tenant.uuid())
        .bind(ids)
        .bind(versions)
        .execute(conn)
        .await?;
        Ok(done.rows_affected())
    }
}

type TreeRow = (Uuid, i64, Option<Uuid>, String, Option<String>, String, i32);

/// Loads a tenant's whole tree, and keeps others from changing it until the transaction ends: two
/// moves, each right alone, could make a circle together.
pub(crate) async fn load_tree(conn: &mut PgConnection, scope: &Scope) -> Result<Batch<Category>, Failure> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('souk.categories:' || $1::text, 0))")
        .bind(scope.tenant.uuid())
        .execute(&mut *conn)
        .await?;
    let rows: Vec<TreeRow> = sqlx::query_as(
        "SELECT category_id, version, parent_id, slug, external_id, name, position \
         FROM catalog.categories WHERE tenant_id = $1",
    )
    .bind(scope.tenant.uuid())
    .fetch_all(conn)
    .await?;
    let mut batch = Batch::default();
    for (id, version, parent_id, slug, external_id, name, position) in rows {
        let parent_id = parent_id.map(CategoryId);
        let content = CategoryContent { external_id, parent_id, slug, name, position };
        batch.insert(id, read_version(version), Category { id: CategoryId(id), content });
    }
    Ok(batch)
}

/// Ids of categories by external id or slug, and of those that exist by id.
pub(crate) async fn find(
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
