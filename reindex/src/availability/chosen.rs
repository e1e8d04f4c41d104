//! Which variants a round looks at: those whose stock has changed last, and of all shops some by turns, so that each is seen
//! in the end.

use crate::failure::Failure;
use schemas::Uuid;
use sqlx::PgPool;
use std::{collections::HashMap, fmt};

/// Events of stock that are looked through for what has changed last.
const RECENT_EVENTS: i64 = 500;

/// A variant of a shop.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Variant {
    /// The shop.
    pub shop: Uuid,
    /// Its name in addresses.
    pub slug: String,
    /// The variant.
    pub id: Uuid,
    /// Its product.
    pub product: Uuid,
    /// Its SKU.
    pub sku: String,
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.slug, self.sku)
    }
}

/// How far the turns have come.
#[derive(Debug, Default)]
pub struct Turns {
    /// The shop whose turn it was last.
    shop: Uuid,
    /// The variant after which each shop goes on.
    after: HashMap<Uuid, Uuid>,
}

impl Turns {
    /// The next variants of the next shop that has any. A shop that was seen to its end begins again.
    pub async fn next(&mut self, read: &PgPool, most: i64) -> Result<Vec<Variant>, Failure> {
        let shop: Option<Uuid> = sqlx::query_scalar(
            "SELECT id FROM tenants AS t WHERE NOT deleted AND suspended IS NULL
               AND EXISTS (SELECT FROM stock_skus AS s WHERE s.tenant_id = t.id)
             ORDER BY id <= $1, id LIMIT 1",
        )
        .bind(self.shop)
        .fetch_optional(read)
        .await?;
        let Some(shop) = shop else { return Ok(Vec::new()) };
        self.shop = shop;
        let variants: Vec<Variant> = sqlx::query_as(
            "SELECT t.id AS shop, t.slug, s.variant_id AS id, s.product_id AS product, s.sku
             FROM stock_skus AS s JOIN tenants AS t ON t.id = s.tenant_id
             WHERE s.tenant_id = $1 AND s.variant_id > $2 ORDER BY s.variant_id LIMIT $3",
        )
        .bind(shop)
        .bind(self.after.get(&shop).copied().unwrap_or_default())
        .bind(most)
        .fetch_all(read)
        .await?;
        let is_full = i64::try_from(variants.len()) == Ok(most);
        match variants.last().filter(|_| is_full) {
            Some(last) => self.after.insert(shop, last.id),
            None => self.after.remove(&shop),
        };
        Ok(variants)
    }
}

/// The variants whose stock has changed last, the newest first, as far as the views know them.
pub async fn newest(read: &PgPool, write: &PgPool, most: i64) -> Result<Vec<Variant>, Failure> {
    let changed: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT tenant_id, aggregate_id FROM (
           SELECT tenant_id, aggregate_id, id FROM inventory.outbox ORDER BY id DESC LIMIT $1) AS recent
         GROUP BY tenant_id, aggregate_id ORDER BY max(id) DESC LIMIT $2",
    )
    .bind(RECENT_EVENTS)
    .bind(most)
    .fetch_all(write)
    .await?;
    let (shops, variants): (Vec<Uuid>, Vec<Uuid>) = changed.into_iter().unzip();
    let known = sqlx::query_as(
        "SELECT t.id AS shop, t.slug, s.variant_id AS id, s.product_id AS product, s.sku
         FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS k(t, v, n)
         JOIN stock_skus AS s ON s.tenant_id = k.t AND s.variant_id = k.v
         JOIN tenants AS t ON t.id = k.t AND NOT t.deleted AND t.suspended IS NULL ORDER BY k.n",
    )
    .bind(shops)
    .bind(variants)
    .fetch_all(read)
    .await?;
    Ok(known)
}
