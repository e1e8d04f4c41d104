//! How many pieces of variants can be ordered, as the views have it: for those who put them in a cart. Not a route.

use crate::goods::Offer;
use schemas::{
    Uuid,
    ids::{TenantId, VariantId},
};
use sqlx::PgPool;
use std::collections::{BTreeSet, HashMap};

/// How many pieces can be ordered, those included that may be promised beyond what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pieces {
    /// So many.
    Left(i64),
    /// More than have to be counted.
    Plenty,
}

impl Pieces {
    /// Pieces of which no more can be asked for than there are.
    #[must_use]
    pub fn most(known: Option<&Self>) -> u32 {
        match known {
            Some(Self::Plenty) => u32::MAX,
            Some(Self::Left(left)) => u32::try_from((*left).max(0)).unwrap_or(u32::MAX),
            None => 0,
        }
    }

    /// A page that tells what can be sold goes by that, any other by what is on hand.
    fn read(on_hand: i64, level: Option<&str>, left: Option<i64>, promised: i64) -> Self {
        let there = match (level, left) {
            (None, _) => on_hand.max(0),
            (Some("none"), _) => 0,
            (Some(_), Some(left)) => left,
            (Some(_), None) => return Self::Plenty,
        };
        Self::Left(there.saturating_add(promised))
    }
}

/// Whether a cart takes a variant: it is for sale, and a piece is there or may be promised.
#[must_use]
pub fn is_orderable(offer: &Offer, pieces: Option<&Pieces>) -> bool {
    offer.good.is_published && Pieces::most(pieces) > 0
}

/// A variant with what its page says of it, and the pieces that may be promised.
type Row = (Uuid, i64, Option<String>, Option<i64>, i64);

/// How many pieces of some variants can be ordered: what is there as the product pages say it, and what may be promised.
///
/// # Errors
/// The database's.
pub async fn pieces(
    pool: &PgPool,
    tenant: TenantId,
    offers: &HashMap<VariantId, Offer>,
) -> Result<HashMap<VariantId, Pieces>, sqlx::Error> {
    let products: BTreeSet<Uuid> = offers.values().map(|offer| offer.good.product_id.uuid()).collect();
    if products.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT (v ->> 'id')::uuid, (v ->> 'on_hand')::bigint, v -> 'availability' ->> 'level',
                (v -> 'availability' ->> 'left')::bigint, s.promised
         FROM product_pages AS p CROSS JOIN LATERAL jsonb_array_elements(p.page::jsonb -> 'variants') AS v
         CROSS JOIN LATERAL (
           SELECT coalesce(sum(greatest(0, least(0, l.on_hand - l.reserved - l.committed) + l.backorder_limit)), 0)::bigint AS promised
           FROM stock_levels AS l WHERE l.tenant_id = p.tenant_id AND l.variant_id = (v ->> 'id')::uuid) AS s
         WHERE p.tenant_id = $1 AND p.product_id = ANY($2) AND (v ->> 'id')::uuid = ANY($3)",
    )
    .bind(tenant.uuid())
    .bind(products.into_iter().collect::<Vec<_>>())
    .bind(offers.keys().map(|variant| variant.uuid()).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    let read = |(variant, on_hand, level, left, promised): Row| {
        (VariantId(variant), Pieces::read(on_hand, level.as_deref(), left, promised))
    };
    Ok(rows.into_iter().map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_ordered_is_what_the_page_tells_and_what_may_be_promised() {
        assert_eq!(Pieces::read(7, None, None, 0), Pieces::Left(7));
        assert_eq!(Pieces::read(-1, None, None, 0), Pieces::Left(0));
        assert_eq!(Pieces::read(7, Some("none"), None, 0), Pieces::Left(0));
        assert_eq!(Pieces::read(7, Some("none"), None, 4), Pieces::Left(4));
        assert_eq!(Pieces::read(7, Some("low"), Some(2), 4), Pieces::Left(6));
        assert_eq!(Pieces::read(70, Some("in_stock"), None, 0), Pieces::Plenty);
    }
}
