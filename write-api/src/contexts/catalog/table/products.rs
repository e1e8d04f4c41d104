//! The table of products, and of the variants that follow from it.

use crate::{
    contexts::catalog::domain::product::{Product, Status},
    pipeline::{Batch, Failure, Row, Scope, Stored, batch::read_version},
};
use schemas::{
    Timestamp, Uuid,
    events::catalog::{Schedule, Variant},
    ids::ProductId,
};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::HashSet;

impl Stored for Product {
    async fn load(conn: &mut PgConnection, scope: &Scope, ids: &[Uuid]) -> Result<Batch<Self>, Failure> {
        find(conn, scope, &Wanted { ids: ids.to_vec(), ..Wanted::default() }).await
    }

    fn shown(&self) -> Option<Value> {
        let content = serde_json::to_value(&self.content).ok()?;
        Some(json!({"status": self.status.as_str(), "content": content, "schedule": self.schedule}))
    }

    async fn insert(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<(), Failure> {
        let columns = Columns::of(rows)?;
        // In the order of the names that two streams share, not of their ids: else each may wait for the other.
        sqlx::query(
            "INSERT INTO catalog.products (tenant_id, product_id, version, status, slug, external_id, content, publish_at, archive_at) \
             SELECT $1, new.* FROM UNNEST($2::uuid[], $3::int8[], $4::text[], $5::text[], $6::text[], $7::text[], \
               $8::timestamptz[], $9::timestamptz[]) \
             AS new (product_id, version, status, slug, external_id, content, publish_at, archive_at) \
             ORDER BY new.external_id, new.slug",
        )
        .bind(scope.tenant.uuid())
        .bind(columns.ids)
        .bind(columns.versions)
        .bind(columns.statuses)
        .bind(columns.slugs)
        .bind(columns.external_ids)
        .bind(columns.contents)
        .bind(columns.publish_at)
        .bind(columns.archive_at)
        .execute(&mut *conn)
        .await?;
        insert_variants(conn, scope, rows.iter().flat_map(|row| owned(row.state))).await
    }

    async fn update(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<u64, Failure> {
        let columns = Columns::of(rows)?;
        let expected: Vec<i64> = rows.iter().map(|row| row.expected).collect();
        let done = sqlx::query(
            "UPDATE catalog.products AS old SET version = new.version, status = new.status, slug = new.slug, \
             external_id = new.external_id, content = new.content, publish_at = new.publish_at, archive_at = new.archive_at \
             FROM UNNEST($2::uuid[], $3::int8[], $4::text[], $5::text[], $6::text[], $7::text[], \
               $8::timestamptz[], $9::timestamptz[], $10::int8[]) \
             AS new (product_id, version, status, slug, external_id, content, publish_at, archive_at, expected) \
             WHERE old.tenant_id = $1 AND old.product_id = new.product_id AND old.version = new.expected",
        )
        .bind(scope.tenant.uuid())
        .bind(columns.ids)
        .bind(columns.versions)
        .bind(columns.statuses)
        .bind(columns.slugs)
        .bind(columns.external_ids)
        .bind(columns.contents)
        .bind(columns.publish_at)
        .bind(columns.archive_at)
        .bind(expected)
        .execute(&mut *conn)
        .await?;
        let (mut gone, mut new) = (Vec::new(), Vec::new());
        for row in rows {
            let before: HashSet<_> = row.before.into_iter().flat_map(owned).map(key).collect();
            let after: HashSet<_> = owned(row.state).map(key).collect();
            gone.extend(before.difference(&after).map(|(_, id, _)| *id));
            new.extend(owned(row.state).filter(|variant| !before.contains(&key(*variant))));
        }
        delete_variants(conn, scope, &gone).await?;
        insert_variants(conn, scope, new.into_iter()).await?;
        Ok(done.rows_affected())
    }

    async fn delete(conn: &mut PgConnection, scope: &Scope, gone: &[(Uuid, i64)]) -> Result<u64, Failure> {
        let (ids, versions): (Vec<Uuid>, Vec<i64>) = gone.iter().copied().unzip();
        let removed: Vec<String> = sqlx::query_scalar(
            "DELETE FROM catalog.products AS old USING UNNEST($2::uuid[], $3::int8[]) AS gone (product_id, version) \
             WHERE old.tenant_id = $1 AND old.product_id = gone.product_id AND old.version = gone.version \
             RETURNING old.content",
        )
        .bind(scope.tenant.uuid())
        .bind(ids)
        .bind(versions)
        .fetch_all(&mut *conn)
        .await?;
        let mut variants = Vec::new();
        for content in &removed {
            variants.extend(read(content)?.variants.iter().map(|variant| variant.id.uuid()));
        }
        delete_variants(conn, scope, &variants).await?;
        Ok(removed.len() as u64)
    }
}

fn owned(product: &Product) -> impl Iterator<Item = (ProductId, &Variant)> {
    product.content.variants.iter().map(|variant| (product.id, variant))
}

fn key((product, variant): (ProductId, &Variant)) -> (ProductId, Uuid, &str) {
    (product, variant.id.uuid(), &variant.sku)
}

struct Columns<'a> {
    ids: Vec<Uuid>,
    versions: Vec<i64>,
    statuses: Vec<&'static str>,
    slugs: Vec<&'a str>,
    external_ids: Vec<Option<&'a str>>,
    contents: Vec<String>,
    publish_at: Vec<Option<Timestamp>>,
    archive_at: Vec<Option<Timestamp>>,
}

impl<'a> Columns<'a> {
    fn of(rows: &[Row<'a, Product>]) -> Result<Self, Failure> {
        let content = |row: &Row<'a, Product>| {
            serde_json::to_string(&row.state.content).map_err(|error| Failure::NoJson("product", error))
        };
        Ok(Self {
            ids: rows.iter().map(|row| row.id).collect(),
            versions: rows.iter().map(|row| row.version).collect(),
            statuses: rows.iter().map(|row| row.state.status.as_str()).collect(),
            slugs: rows.iter().map(|row| row.state.content.slug.as_str()).collect(),
            external_ids: rows.iter().map(|row| row.state.content.external_id.as_deref()).collect(),
            contents: rows.iter().map(content).collect::<Result<_, _>>()?,
            publish_at: rows.iter().map(|row| row.state.schedule.publish_at).collect(),
            archive_at: rows.iter().map(|row| row.state.schedule.archive_at).collect(),
        })
    }
}

async fn insert_variants<'a>(
    conn: &mut PgConnection,
    scope: &Scope,
    variants: impl Iterator<Item = (ProductId, &'a Variant)>,
) -> Result<(), Failure> {
    let mut columns: (Vec<Uuid>, Vec<Uuid>, Vec<&str>) = Default::default();
    for (product, variant) in variants {
        columns.0.push(variant.id.uuid());
        columns.1.push(product.uuid());
        columns.2.push(&variant.sku);
    }
    if columns.0.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO catalog.variants (tenant_id, variant_id, product_id, sku) \
         SELECT $1, new.* FROM UNNEST($2::uuid[], $3::uuid[], $4::text[]) AS new (variant_id, product_id, sku) ORDER BY new.sku",
    )
    .bind(scope.tenant.uuid())
    .bind(columns.0)
    .bind(columns.1)
    .bind(columns.2)
    .execute(conn)
    .await?;
    Ok(())
}

async fn delete_variants(conn: &mut PgConnection, scope: &Scope, ids: &[Uuid]) -> Result<(), Failure> {
    if !ids.is_empty() {
        sqlx::query("DELETE FROM catalog.variants WHERE tenant_id = $1 AND variant_id = ANY($2)")
            .bind(scope.tenant.uuid())
            .bind(ids)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// Reads what is stored of a product.
pub(in crate::contexts::catalog) fn read(content: &str) -> Result<schemas::events::catalog::ProductContent, Failure> {
    serde_json::from_str(content).map_err(|error| Failure::Unreadable("product", error.to_string()))
}

/// How the commands of a batch name products.
#[derive(Debug, Default)]
pub(in crate::contexts::catalog) struct Wanted<'a> {
    pub(crate) ids: Vec<Uuid>,
    pub(crate) external_ids: Vec<&'a str>,
    pub(crate) slugs: Vec<&'a str>,
}

/// A row as it is read.
type Stands = (Uuid, i64, String, String, Option<Timestamp>, Option<Timestamp>);

/// Loads and locks the products that have any of these ids, external ids or slugs.
pub(in crate::contexts::catalog) async fn find(
    conn: &mut PgConnection,
    scope: &Scope,
    wanted: &Wanted<'_>,
) -> Result<Batch<Product>, Failure> {
    let rows: Vec<Stands> = sqlx::query_as(
        "SELECT product_id, version, status, content, publish_at, archive_at FROM catalog.products WHERE tenant_id = $1 AND product_id IN ( \
           SELECT product_id FROM catalog.products WHERE tenant_id = $1 AND product_id = ANY($2) \
           UNION SELECT product_id FROM catalog.products WHERE tenant_id = $1 AND external_id = ANY($3) \
           UNION SELECT product_id FROM catalog.products WHERE tenant_id = $1 AND slug = ANY($4)) \
         ORDER BY product_id FOR UPDATE",
    )
    .bind(scope.tenant.uuid())
    .bind(&wanted.ids)
    .bind(&wanted.external_ids)
    .bind(&wanted.slugs)
    .fetch_all(conn)
    .await?;
    let mut batch = Batch::default();
    for (id, version, status, content, publish_at, archive_at) in rows {
        let status = Status::parse(&status).ok_or_else(|| Failure::Unreadable("status", status.clone()))?;
        let schedule = Schedule { publish_at, archive_at };
        let product = Product { id: ProductId(id), status, content: read(&content)?, schedule };
        batch.insert(id, read_version(version), product);
    }
    Ok(batch.within(scope))
}

/// Products of all shops for which something is due, those first that have waited longest, after the one given. Shops that
/// were deleted have none.
pub(in crate::contexts::catalog) async fn due(
    conn: &mut PgConnection,
    now: Timestamp,
    after: Option<Due>,
    most: i64,
) -> Result<Vec<Due>, Failure> {
    let (at, product) = after.map_or((None, Uuid::nil()), |due| (Some(due.at), due.product));
    let due = sqlx::query_as(
        "SELECT p.tenant_id AS tenant, p.product_id AS product, least(p.publish_at, p.archive_at) AS at FROM catalog.products AS p \
         WHERE (p.publish_at IS NOT NULL OR p.archive_at IS NOT NULL) AND least(p.publish_at, p.archive_at) <= $1 \
           AND ($2::timestamptz IS NULL OR (least(p.publish_at, p.archive_at), p.product_id) > ($2, $3)) \
           AND NOT EXISTS (SELECT FROM tenants.deleted AS d WHERE d.tenant_id = p.tenant_id) \
         ORDER BY least(p.publish_at, p.archive_at), p.product_id LIMIT $4",
    )
    .bind(now)
    .bind(at)
    .bind(product)
    .bind(most)
    .fetch_all(conn)
    .await?;
    Ok(due)
}

/// A product for which something is due, and since when.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub(in crate::contexts::catalog) struct Due {
    pub(in crate::contexts::catalog) tenant: Uuid,
    pub(in crate::contexts::catalog) product: Uuid,
    pub(in crate::contexts::catalog) at: Timestamp,
}

/// How many products the shop has.
pub(in crate::contexts::catalog) async fn count(conn: &mut PgConnection, scope: &Scope) -> Result<u64, Failure> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM catalog.products WHERE tenant_id = $1")
        .bind(scope.tenant.uuid())
        .fetch_one(conn)
        .await?;
    Ok(count.unsigned_abs())
}
