//! Walks over the products below categories that changed. Where those are too many for one transaction, they are
//! composed in steps, and the events of others are applied between two of them.

use super::touched::Origin;
use crate::projection::ViewTable;
use schemas::{
    Timestamp, Uuid,
    ids::{CategoryId, ProductId, TenantId},
};
use sqlx::{PgConnection, Row};
use std::collections::BTreeSet;

/// Products that are composed in one step: about a fiftieth of a second, which the events of others wait for.
pub const STEP: usize = 100;
/// [`STEP`] as a limit of rows.
pub const LIMIT: i64 = STEP as i64;

/// The walks that are under way. Two sets of views may be at different places of one.
pub const TABLE: ViewTable =
    ViewTable { equal: "''", only: "false", ..ViewTable::whole("category_walks", "tenant_id") };

/// The products below some categories, if one step composes them; none if they are left to a walk.
///
/// # Errors
/// The database's.
pub async fn few_below(
    connection: &mut PgConnection,
    tenant: TenantId,
    categories: &BTreeSet<CategoryId>,
) -> Result<Option<Vec<ProductId>>, sqlx::Error> {
    let products: Vec<Uuid> = sqlx::query_scalar(
        "SELECT product_id FROM product_pages WHERE tenant_id = $1 AND category_ids && $2::uuid[] LIMIT $3",
    )
    .bind(tenant.uuid())
    .bind(categories.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .bind(LIMIT + 1)
    .fetch_all(connection)
    .await?;
    Ok((products.len() <= STEP).then(|| products.into_iter().map(ProductId).collect()))
}

/// Leaves the products below some categories to the shop's walk. One that is under way goes round once more, from where
/// it stands: a shop that changes its tree again and again has its last product composed all the same.
///
/// # Errors
/// The database's.
pub async fn begin(
    connection: &mut PgConnection,
    tenant: TenantId,
    categories: &BTreeSet<CategoryId>,
    origin: &Origin,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO category_walks AS walk
           (tenant_id, category_ids, after, ends_at, event_time, correlation_id, traceparent)
         VALUES ($1, $2, $3, $3, $4, $5, $6)
         ON CONFLICT (tenant_id) DO UPDATE
         SET category_ids = ARRAY(SELECT unnest(walk.category_ids) UNION SELECT unnest(excluded.category_ids)),
             ends_at = walk.after, has_turned = false, event_time = excluded.event_time,
             correlation_id = excluded.correlation_id, traceparent = excluded.traceparent",
    )
    .bind(tenant.uuid())
    .bind(categories.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .bind(Uuid::nil())
    .bind(origin.event_time)
    .bind(&origin.correlation_id)
    .bind(&origin.traceparent)
    .execute(connection)
    .await?;
    Ok(())
}

/// A walk that is under way.
#[derive(Debug)]
struct Walk {
    tenant: TenantId,
    categories: Vec<Uuid>,
    after: Uuid,
    ends_at: Uuid,
    has_turned: bool,
    origin: Origin,
}

/// Some products that a walk has come to.
#[derive(Debug)]
pub struct Stretch {
    /// Whose they are.
    pub tenant: TenantId,
    /// At most [`STEP`]; none where a walk has only turned or ended.
    pub products: Vec<ProductId>,
    /// The newest change behind them.
    pub origin: Origin,
}

/// The shop whose walk has stood longest; none if no walk is under way.
///
/// # Errors
/// The database's.
pub async fn longest_standing(connection: &mut PgConnection) -> Result<Option<TenantId>, sqlx::Error> {
    let tenant: Option<Uuid> = sqlx::query_scalar("SELECT tenant_id FROM category_walks ORDER BY stepped_at LIMIT 1")
        .fetch_optional(connection)
        .await?;
    Ok(tenant.map(TenantId))
}

/// Moves a shop's walk on, which nobody else may change meanwhile; none if none is under way.
///
/// # Errors
/// The database's.
pub async fn step(
    connection: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
) -> Result<Option<Stretch>, sqlx::Error> {
    let Some(walk) = walk_of(connection, tenant).await? else { return Ok(None) };
    let products: Vec<Uuid> = sqlx::query_scalar(
        "SELECT product_id FROM product_pages
         WHERE tenant_id = $1 AND category_ids && $2 AND product_id > $3 AND (NOT $4 OR product_id <= $5)
         ORDER BY product_id LIMIT $6",
    )
    .bind(walk.tenant.uuid())
    .bind(&walk.categories)
    .bind(walk.after)
    .bind(walk.has_turned)
    .bind(walk.ends_at)
    .bind(LIMIT)
    .fetch_all(&mut *connection)
    .await?;
    match products.last() {
        Some(last) if products.len() == STEP => go_on(connection, &walk, *last, walk.has_turned, now).await?,
        _ if walk.has_turned || walk.ends_at.is_nil() => end(connection, &walk).await?,
        _ => go_on(connection, &walk, Uuid::nil(), true, now).await?,
    }
    let products = products.into_iter().map(ProductId).collect();
    Ok(Some(Stretch { tenant: walk.tenant, products, origin: walk.origin }))
}

async fn walk_of(connection: &mut PgConnection, tenant: TenantId) -> Result<Option<Walk>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT category_ids, after, ends_at, has_turned, event_time, correlation_id, traceparent
         FROM category_walks WHERE tenant_id = $1",
    )
    .bind(tenant.uuid())
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Walk {
        tenant,
        categories: row.try_get("category_ids")?,
        after: row.try_get("after")?,
        ends_at: row.try_get("ends_at")?,
        has_turned: row.try_get("has_turned")?,
        origin: Origin {
            event_time: row.try_get("event_time")?,
            correlation_id: row.try_get("correlation_id")?,
            traceparent: row.try_get("traceparent")?,
        },
    }))
}

async fn go_on(
    connection: &mut PgConnection,
    walk: &Walk,
    after: Uuid,
    has_turned: bool,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE category_walks SET after = $2, has_turned = $3, stepped_at = $4 WHERE tenant_id = $1")
        .bind(walk.tenant.uuid())
        .bind(after)
        .bind(has_turned)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

async fn end(connection: &mut PgConnection, walk: &Walk) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM category_walks WHERE tenant_id = $1").bind(walk.tenant.uuid()).execute(connection).await?;
    Ok(())
}
