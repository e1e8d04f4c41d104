//! The products of a category, page by page: each page starts after the last row of the one before, so
//! that nothing is skipped or doubled while products come and go.

use schemas::{Timestamp, Uuid, ids::TenantId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::{PgPool, Row, types::Json};

/// The order of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// By title, A to Z.
    Title,
    /// Newest first.
    Newest,
    /// Cheapest first in a currency; without a price last.
    Price,
}

/// The last row of a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// The order it belongs to.
    pub order: Order,
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The release date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
    /// The price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<i64>,
    /// The product.
    pub product_id: Uuid,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The category.
    pub category: Uuid,
    /// The order.
    pub order: Order,
    /// The currency of prices.
    pub currency: String,
    /// Products on the page.
    pub limit: i64,
    /// Where it begins.
    pub after: Option<Cursor>,
}

/// A page of cards, and where the next begins.
///
/// # Errors
/// The database's.
pub async fn page(
    pool: &PgPool,
    tenant: TenantId,
    ask: &Listing,
) -> Result<(Vec<Box<RawValue>>, Option<Cursor>), sqlx::Error> {
    const TITLE: &str = "SELECT product_id, title, released_at, NULL::bigint AS price, card FROM listing
        WHERE tenant_id = $1 AND category_id = $2 AND ($3::uuid IS NULL OR (title, product_id) > ($4, $3))
          AND $5::timestamptz IS NULL AND $6::bigint IS NULL AND $7::text IS NOT NULL
        ORDER BY title, product_id LIMIT $8";
    const NEWEST: &str = "SELECT product_id, title, released_at, NULL::bigint AS price, card FROM listing
        WHERE tenant_id = $1 AND category_id = $2 AND $4::text IS NULL AND $6::bigint IS NULL AND $7::text IS NOT NULL
          AND ($3::uuid IS NULL
               OR CASE WHEN $5::timestamptz IS NULL THEN released_at IS NULL AND product_id > $3
                       ELSE released_at < $5 OR (released_at = $5 AND product_id > $3) OR released_at IS NULL END)
        ORDER BY released_at DESC NULLS LAST, product_id LIMIT $8";
    const PRICE: &str = "SELECT * FROM (SELECT product_id, title, released_at, (card->'prices'->$7->>'min')::bigint AS price, card
          FROM listing WHERE tenant_id = $1 AND category_id = $2 AND $4::text IS NULL AND $5::timestamptz IS NULL) AS priced
        WHERE $3::uuid IS NULL
           OR CASE WHEN $6::bigint IS NULL THEN price IS NULL AND product_id > $3
                   ELSE price > $6 OR (price = $6 AND product_id > $3) OR price IS NULL END
        ORDER BY price NULLS LAST, product_id LIMIT $8";
    let statement = match ask.order {
        Order::Title => TITLE,
        Order::Newest => NEWEST,
        Order::Price => PRICE,
    };
    let after = ask.after.as_ref();
    let rows = sqlx::query(statement)
        .bind(tenant.uuid())
        .bind(ask.category)
        .bind(after.map(|cursor| cursor.product_id))
        .bind(after.and_then(|cursor| cursor.title.clone()))
        .bind(after.and_then(|cursor| cursor.released_at))
        .bind(after.and_then(|cursor| cursor.price))
        .bind(&ask.currency)
        .bind(ask.limit + 1)
        .fetch_all(pool)
        .await?;
    let limit = usize::try_from(ask.limit).unwrap_or_default();
    let next = match rows.get(limit.saturating_sub(1)) {
        Some(last) if rows.len() > limit => Some(Cursor {
            order: ask.order,
            title: (ask.order == Order::Title).then(|| last.try_get("title")).transpose()?,
            released_at: if ask.order == Order::Newest { last.try_get("released_at")? } else { None },
            price: last.try_get("price")?,
            product_id: last.try_get("product_id")?,
        }),
        _ => None,
    };
    let cards = rows.iter().take(limit).map(|row| row.try_get("card").map(|Json(card)| card));
    Ok((cards.collect::<Result<_, _>>()?, next))
}

/// Products in a category and below.
///
/// # Errors
/// The database's.
pub async fn count(pool: &PgPool, tenant: TenantId, category: Uuid) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM listing WHERE tenant_id = $1 AND category_id = $2")
        .bind(tenant.uuid())
        .bind(category)
        .fetch_one(pool)
        .await
}
