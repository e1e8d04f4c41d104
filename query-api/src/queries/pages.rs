//! Product pages, passed on as they were composed.

use schemas::{
    Timestamp, Uuid,
    ids::{ProductId, TenantId},
};
use serde_json::value::RawValue;
use sqlx::{PgPool, Row, postgres::PgRow};

/// A page and how old it is.
#[derive(Debug)]
pub struct Page {
    /// The page's JSON.
    pub page: Box<RawValue>,
    /// The version of its search document.
    pub doc_version: i64,
    /// When it was composed.
    pub updated_at: Timestamp,
}

/// By what a page is looked up.
#[derive(Debug, Clone)]
pub enum By {
    /// souk's id.
    Id(Uuid),
    /// The name in addresses.
    Slug(String),
    /// The id it was imported under.
    ExternalId(String),
}

/// Looks a page up.
///
/// # Errors
/// The database's.
pub async fn find(pool: &PgPool, tenant: TenantId, by: &By) -> Result<Option<Page>, sqlx::Error> {
    const BY_ID: &str =
        "SELECT page, doc_version, updated_at FROM product_pages WHERE tenant_id = $1 AND product_id = $2";
    // Two products may share a slug for the moment in which one hands it to the other: the later one counts.
    const BY_SLUG: &str = "SELECT page, doc_version, updated_at FROM product_pages WHERE tenant_id = $1 AND slug = $2
                           ORDER BY updated_at DESC LIMIT 1";
    const BY_EXTERNAL_ID: &str = "SELECT page, doc_version, updated_at FROM product_pages
                                  WHERE tenant_id = $1 AND external_id = $2 ORDER BY updated_at DESC LIMIT 1";
    let query = match by {
        By::Id(id) => sqlx::query(BY_ID).bind(tenant.uuid()).bind(id),
        By::Slug(slug) => sqlx::query(BY_SLUG).bind(tenant.uuid()).bind(slug),
        By::ExternalId(id) => sqlx::query(BY_EXTERNAL_ID).bind(tenant.uuid()).bind(id),
    };
    query.fetch_optional(pool).await?.map(read).transpose()
}

/// souk's id of what was imported under another.
///
/// # Errors
/// The database's.
pub async fn id_of_external(pool: &PgPool, tenant: TenantId, id: &str) -> Result<Option<ProductId>, sqlx::Error> {
    let found: Option<Uuid> = sqlx::query_scalar(
        "SELECT product_id FROM product_pages WHERE tenant_id = $1 AND external_id = $2 ORDER BY updated_at DESC LIMIT 1",
    )
    .bind(tenant.uuid())
    .bind(id)
    .fetch_optional(pool)
    .await?;
    Ok(found.map(ProductId))
}

#[expect(clippy::needless_pass_by_value, reason = "maps an owned row")]
fn read(row: PgRow) -> Result<Page, sqlx::Error> {
    let page = RawValue::from_string(row.try_get("page")?).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(Page { page, doc_version: row.try_get("doc_version")?, updated_at: row.try_get("updated_at")? })
}
