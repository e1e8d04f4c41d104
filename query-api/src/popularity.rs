//! How popular products are, from what shoppers did, and what they search for.

use crate::renewed::Renewed;
use schemas::{
    Uuid,
    ids::{ProductId, TenantId},
};
use sqlx::PgPool;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// How often popularity is read; it changes slowly.
const EVERY: Duration = Duration::from_secs(10);
/// Tenants that are remembered.
const TENANTS: u64 = 1_000;
/// Searches that found something after which a query is suggested.
const LEAST_SEARCHES: i64 = 2;

/// Popularity by product, 0 to 1, and what tells one state from another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Popular {
    /// By product.
    pub products: Arc<HashMap<ProductId, f32>>,
    /// Differs when anything of it differs; part of cache keys.
    pub stamp: String,
}

/// Popularity by tenant.
#[derive(Debug, Clone)]
pub struct Popularity {
    pool: PgPool,
    known: Renewed<TenantId, Popular>,
}

impl Popularity {
    /// Nothing read yet.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, known: Renewed::new(TENANTS, EVERY) }
    }

    /// A tenant's thousand most popular products. A click counts 1, a cart 3, a purchase 8, half as much for every
    /// 14 days since; the logarithm of the sum, against that of the most popular. `newest`: as of this moment, for who
    /// has reported something and waited for it; else as of some seconds ago.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(&self, tenant: TenantId, newest: bool) -> Result<Popular, sqlx::Error> {
        if newest {
            return Ok(read(self.pool.clone(), tenant).await?.unwrap_or_default());
        }
        let known = self.known.get(&tenant, || read(self.pool.clone(), tenant)).await?;
        Ok(known.unwrap_or_default())
    }
}

async fn read(pool: PgPool, tenant: TenantId) -> Result<Option<Popular>, sqlx::Error> {
    let rows: Vec<(Uuid, f64)> = sqlx::query_as(
        "SELECT product_id, sum((clicks + 3 * carts + 8 * purchases) * power(0.5, (current_date - day) / 14.0))::float8 AS weight
         FROM insight_products WHERE tenant_id = $1 AND day > current_date - 120
         GROUP BY product_id HAVING sum(clicks + carts + purchases) > 0
         ORDER BY weight DESC, product_id LIMIT 1000",
    )
    .bind(tenant.uuid())
    .fetch_all(&pool)
    .await?;
    let most = rows.first().map_or(1.0, |(_, weight)| weight.ln_1p()).max(f64::MIN_POSITIVE);
    #[expect(clippy::cast_possible_truncation, reason = "a share")]
    let share = |weight: f64| (weight.ln_1p() / most) as f32;
    let stamp = format!("{}-{:.3}", rows.len(), rows.iter().map(|(_, weight)| weight).sum::<f64>());
    let products = rows.into_iter().map(|(id, weight)| (ProductId(id), share(weight))).collect();
    Ok(Some(Popular { products: Arc::new(products), stamp }))
}

/// Queries of the last 90 days that begin so and found something, the most frequent first.
///
/// # Errors
/// The database's.
pub async fn queries(pool: &PgPool, tenant: TenantId, begun: &str, limit: usize) -> Result<Vec<String>, sqlx::Error> {
    let begun = search::analyzer::small_letters(&begun.split_whitespace().collect::<Vec<_>>().join(" "));
    if begun.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar(
        "SELECT query FROM insight_queries
         WHERE tenant_id = $1 AND day > current_date - 90 AND starts_with(query, $2) AND query <> $2
         GROUP BY query HAVING sum(searches - no_results) >= $3
         ORDER BY sum(searches - no_results) DESC, query LIMIT $4",
    )
    .bind(tenant.uuid())
    .bind(begun)
    .bind(LEAST_SEARCHES)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await
}
