//! Whether product pages and search say of each variant what can be sold of it.

use super::Offenders;
use futures::TryStreamExt;
use schemas::{Uuid, product_page::Availability};
use serde::Deserialize;
use sqlx::PgConnection;
use std::collections::HashMap;

/// What differs from the stock.
pub(super) struct Told {
    pub(super) pages: Offenders,
    pub(super) documents: Offenders,
}

/// Pages and documents have their variants in the same way.
#[derive(Deserialize)]
struct Product {
    variants: Vec<Variant>,
}

#[derive(Deserialize)]
struct Variant {
    id: Uuid,
    on_hand: i64,
    availability: Option<Availability>,
}

pub(super) async fn compare(snapshot: &mut PgConnection, read: &mut PgConnection) -> Result<Told, sqlx::Error> {
    let sql =
        "SELECT variant_id, sum(on_hand - reserved - committed)::bigint FROM inventory.levels GROUP BY variant_id";
    let left: HashMap<Uuid, i64> =
        sqlx::query_as::<_, (Uuid, i64)>(sql).fetch_all(snapshot).await?.into_iter().collect();
    let pages = differing(read, &left, "SELECT product_id, page FROM product_pages").await?;
    let documents =
        differing(read, &left, "SELECT product_id, (body::jsonb -> 'product')::text FROM documents WHERE NOT deleted")
            .await?;
    Ok(Told { pages, documents })
}

async fn differing(
    read: &mut PgConnection,
    left: &HashMap<Uuid, i64>,
    sql: &'static str,
) -> Result<Offenders, sqlx::Error> {
    let mut rows = sqlx::query_as::<_, (Uuid, String)>(sql).fetch(read);
    let mut found = Vec::new();
    while let Some((product, body)) = rows.try_next().await? {
        let Ok(Product { variants }) = serde_json::from_str(&body) else {
            found.push(format!("product {product} can't be read"));
            continue;
        };
        found.extend(variants.iter().filter_map(|variant| variant.differs(left)));
    }
    Ok(Offenders::of(found))
}

impl Variant {
    fn differs(&self, left: &HashMap<Uuid, i64>) -> Option<String> {
        let there = left.get(&self.id).copied().unwrap_or_default();
        let told = self.availability.unwrap_or_else(|| Availability::of(self.on_hand));
        let word = |availability: Availability| format!("{:?}", availability.level).to_lowercase();
        (told != Availability::of(there))
            .then(|| format!("variant {}: told as {}, and {there} can be sold", self.id, word(told)))
    }
}
