//! What stands in a cart, with its prices, as the views have it: for those who quote a cart. Not a route.

use schemas::{
    Uuid,
    events::pricing::PriceEntry,
    good::{Good, Lineages},
    ids::{CategoryId, ProductId, TenantId, VariantId},
    product_page::{CatalogPart, ProductStatus},
    topics::Context,
};
use serde::de::DeserializeOwned;
use sqlx::{PgPool, Row, postgres::PgRow};
use std::collections::{BTreeSet, HashMap, HashSet};

/// A variant and what it may cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The variant.
    pub good: Good,
    /// The version of its price sheet; 0 if it never had one.
    pub prices_version: u64,
    /// Its price sheet, whoever the entries are for.
    pub prices: Vec<PriceEntry>,
}

/// What is known of some variants.
#[derive(Debug, Default)]
struct Found {
    products: HashMap<ProductId, (u64, CatalogPart)>,
    sheets: HashMap<VariantId, (u64, Vec<PriceEntry>)>,
}

/// The offers of these variants, in two queries. A variant that is not there is left out.
///
/// `products` are those that are known to have some of the variants. Without its product, a variant is found by its price
/// sheet or its stock: one that has never had either can't be bought, and is left out.
///
/// # Errors
/// The database's.
pub async fn offers(
    pool: &PgPool,
    tenant: TenantId,
    variants: &[VariantId],
    products: &[ProductId],
) -> Result<HashMap<VariantId, Offer>, sqlx::Error> {
    let mut found = find(pool, tenant, variants, products).await?;
    let lineages = lineages(pool, tenant, &found).await?;
    let wanted: HashSet<VariantId> = variants.iter().copied().collect();
    let mut offers = HashMap::with_capacity(wanted.len());
    for (product, (version, part)) in &found.products {
        let is_published = part.status == ProductStatus::Published;
        for variant in part.content.variants.iter().map(|variant| variant.id).filter(|id| wanted.contains(id)) {
            let good = Good::of((*product, *version), is_published, &part.content, variant, &lineages);
            let (prices_version, prices) = found.sheets.remove(&variant).unwrap_or_default();
            offers.extend(good.map(|good| (variant, Offer { good, prices_version, prices })));
        }
    }
    Ok(offers)
}

/// Price sheets and stock items name the product of their variant.
async fn find(
    pool: &PgPool,
    tenant: TenantId,
    variants: &[VariantId],
    products: &[ProductId],
) -> Result<Found, sqlx::Error> {
    let rows = sqlx::query(
        "WITH known AS (
           SELECT context, aggregate_id, product_id, version, body FROM sources
           WHERE tenant_id = $1 AND context IN ('pricing', 'inventory') AND aggregate_id = ANY($2) AND product_id IS NOT NULL)
         SELECT context, aggregate_id, version, body FROM known WHERE context = 'pricing'
         UNION ALL
         SELECT context, aggregate_id, version, body FROM sources
         WHERE tenant_id = $1 AND context = 'catalog' AND aggregate = 'product' AND NOT deleted
           AND aggregate_id = ANY($3::uuid[] || ARRAY(SELECT product_id FROM known))",
    )
    .bind(tenant.uuid())
    .bind(variants.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .bind(products.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    let mut found = Found::default();
    for row in rows {
        let id: Uuid = row.try_get("aggregate_id")?;
        let version = u64::try_from(row.try_get::<i64, _>("version")?).unwrap_or_default();
        let context: String = row.try_get("context")?;
        if context == Context::Catalog.name() {
            found.products.insert(ProductId(id), (version, body(&row)?));
        } else {
            found.sheets.insert(VariantId(id), (version, body(&row)?));
        }
    }
    Ok(found)
}

/// The categories of the products with all that are above them.
async fn lineages(pool: &PgPool, tenant: TenantId, found: &Found) -> Result<Lineages, sqlx::Error> {
    let ids: BTreeSet<Uuid> =
        found.products.values().flat_map(|(_, part)| &part.content.category_ids).map(|id| id.uuid()).collect();
    if ids.is_empty() {
        return Ok(Lineages::new());
    }
    let rows: Vec<(Uuid, Vec<Uuid>)> =
        sqlx::query_as("SELECT category_id, path_ids FROM categories WHERE tenant_id = $1 AND category_id = ANY($2)")
            .bind(tenant.uuid())
            .bind(ids.into_iter().collect::<Vec<_>>())
            .fetch_all(pool)
            .await?;
    let path = |(id, path): (Uuid, Vec<Uuid>)| (CategoryId(id), path.into_iter().map(CategoryId).collect());
    Ok(rows.into_iter().map(path).collect())
}

fn body<T: DeserializeOwned>(row: &PgRow) -> Result<T, sqlx::Error> {
    let text: String = row.try_get("body")?;
    serde_json::from_str(&text).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
