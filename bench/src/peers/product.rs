//! The products that every engine gets, from the composed documents of a shop.

use crate::BenchError;
use schemas::money::Currency;
use search::document::{SearchDocument, SearchProduct};
use serde::Serialize;
use sqlx::PgPool;
use std::collections::BTreeSet;

/// A product, as flat as the flattest of the engines wants it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) brand: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) part_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) product_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// Slugs of every category above it.
    pub(crate) category: Vec<String>,
    /// The lowest amount in US cents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) price: Option<i64>,
    pub(crate) available: bool,
}

impl Product {
    fn of(id: String, product: SearchProduct) -> Self {
        let slugs: BTreeSet<String> = product.categories.into_iter().flat_map(|category| category.path_slugs).collect();
        Self {
            id,
            title: product.title,
            brand: product.brand,
            part_number: product.part_number,
            product_type: product.product_type,
            description: product.description,
            category: slugs.into_iter().collect(),
            price: product.prices.get(&Currency::USD).map(|span| span.min),
            available: product.available,
        }
    }
}

/// Everything a shop has published.
///
/// # Errors
/// [`BenchError::Database`], or [`BenchError::Nothing`] for an empty shop.
pub(crate) async fn read(pool: &PgPool, tenant: &str) -> Result<Vec<Product>, BenchError> {
    let bodies: Vec<String> = sqlx::query_scalar(
        "SELECT d.body FROM documents d JOIN tenants t ON t.id = d.tenant_id
         WHERE t.slug = $1 AND NOT d.deleted ORDER BY d.product_id",
    )
    .bind(tenant)
    .fetch_all(pool)
    .await?;
    let mut products = Vec::with_capacity(bodies.len());
    for body in bodies {
        let document: SearchDocument =
            serde_json::from_str(&body).map_err(|error| BenchError::Broken(error.to_string()))?;
        let id = document.product_id.to_string();
        products.extend(document.product.map(|product| Product::of(id, product)));
    }
    if products.is_empty() {
        return Err(BenchError::Nothing(format!("the shop {tenant} has no products; `souk demo` makes some")));
    }
    Ok(products)
}
