//! What staff have defined to steer search.

use schemas::{events::merchandising::MerchandisingKind, ids::TenantId};
use serde::Serialize;
use sqlx::PgPool;

/// What is defined under a name.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Definition {
    /// `synonyms`, `rules`, `facets` or `experiments`.
    pub kind: String,
    /// The name.
    pub name: String,
    /// Its version: what If-Match has to name to replace it.
    pub version: i64,
    /// What is defined, as it was put.
    #[schema(value_type = Object)]
    pub definition: serde_json::Value,
}

/// Looks a definition up.
///
/// # Errors
/// The database's.
pub async fn find(
    pool: &PgPool,
    tenant: TenantId,
    kind: MerchandisingKind,
    name: &str,
) -> Result<Option<Definition>, sqlx::Error> {
    sqlx::query_as(
        "SELECT kind, name, version, body AS definition FROM merchandising
         WHERE tenant_id = $1 AND kind = $2 AND name = $3 AND body IS NOT NULL",
    )
    .bind(tenant.uuid())
    .bind(kind.as_str())
    .bind(name)
    .fetch_optional(pool)
    .await
}

/// The definitions of a kind by name, from after a name on; and whether there are more.
///
/// # Errors
/// The database's.
pub async fn page(
    pool: &PgPool,
    tenant: TenantId,
    kind: MerchandisingKind,
    after: &str,
    limit: i64,
) -> Result<(Vec<Definition>, bool), sqlx::Error> {
    let mut found: Vec<Definition> = sqlx::query_as(
        "SELECT kind, name, version, body AS definition FROM merchandising
         WHERE tenant_id = $1 AND kind = $2 AND name > $3 AND body IS NOT NULL ORDER BY name LIMIT $4",
    )
    .bind(tenant.uuid())
    .bind(kind.as_str())
    .bind(after)
    .bind(limit + 1)
    .fetch_all(pool)
    .await?;
    let limit = usize::try_from(limit).unwrap_or_default();
    let more = found.len() > limit;
    found.truncate(limit);
    Ok((found, more))
}
