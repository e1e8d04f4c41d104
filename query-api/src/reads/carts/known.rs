//! What has to be looked up to show and to price a cart: goods, stock, settings, promotions, and who buys.

use crate::{
    app::App,
    goods::{self, Offer},
    problem::Refusal,
    promotions::{Applicable, ForCart},
    request::ReadContext,
};
use schemas::{
    Timestamp, Uuid,
    buyer::BuyerKind,
    cart::Cart,
    contexts::Context,
    ids::{ProductId, TenantId, VariantId},
    settings::ShopSettings,
};
use sqlx::PgPool;
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// What is known around a cart.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The moment that spans are compared with.
    pub(super) now: Timestamp,
    pub(super) settings: Arc<ShopSettings>,
    pub(super) offers: HashMap<VariantId, Offer>,
    /// Pieces that can be had, of variants that have a page.
    pub(super) pieces: HashMap<VariantId, Pieces>,
    pub(super) promotions: ForCart,
    /// Whoever has signed in.
    pub(super) customer: Option<KnownCustomer>,
}

/// A customer, as far as it counts for the price.
#[derive(Debug, Default)]
pub(super) struct KnownCustomer {
    pub(super) groups: BTreeSet<String>,
    /// Whether an order was made of a cart of theirs.
    pub(super) has_ordered: bool,
}

/// How many pieces can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pieces {
    /// So many.
    Left(i64),
    /// More than have to be counted.
    Plenty,
}

impl Known {
    /// Looks up what concerns a cart at a moment.
    pub(super) async fn of(app: &App, context: &ReadContext, cart: &Cart, now: Timestamp) -> Result<Self, Refusal> {
        let tenant = context.tenant;
        let settings = settings(app, context).await?;
        let promotions = promotions(app, tenant, cart, now).await?;
        let mut variants: BTreeSet<VariantId> = cart.lines.iter().map(|line| line.variant_id).collect();
        variants.extend(gifts(&promotions.applicable));
        let variants: Vec<VariantId> = variants.into_iter().collect();
        let products: BTreeSet<ProductId> = cart.lines.iter().map(|line| line.product_id).collect();
        let products: Vec<ProductId> = products.into_iter().collect();
        let offers = goods::offers(&app.pool, tenant, &variants, &products).await?;
        let pieces = pieces(&app.pool, tenant, &offers).await?;
        let customer = match cart.owner_kind {
            BuyerKind::Guest => None,
            BuyerKind::Customer => Some(customer(&app.pool, tenant, cart.owner_id).await?),
        };
        Ok(Self { now, settings, offers, pieces, promotions, customer })
    }
}

/// What the shop has decided.
async fn settings(app: &App, context: &ReadContext) -> Result<Arc<ShopSettings>, Refusal> {
    Ok(app.settings.of(context.tenant, context.names(Context::Settings)).await?)
}

/// What may count for the cart. A guest is known by the address of the order, which no cart has.
async fn promotions(app: &App, tenant: TenantId, cart: &Cart, now: Timestamp) -> Result<ForCart, Refusal> {
    let customer = match cart.owner_kind {
        BuyerKind::Customer => Some(cart.owner_id.to_string()),
        BuyerKind::Guest => None,
    };
    Ok(app.promotions.for_cart(tenant, &cart.coupons, customer.as_deref(), now).await?)
}

/// The variants that promotions may add.
pub(super) fn gifts(applicable: &[Applicable]) -> BTreeSet<VariantId> {
    quote::facts::gifts(applicable.iter().map(|one| &one.promotion.content))
}

/// How many pieces of some variants can be had, as the product pages say it.
async fn pieces(
    pool: &PgPool,
    tenant: TenantId,
    offers: &HashMap<VariantId, Offer>,
) -> Result<HashMap<VariantId, Pieces>, sqlx::Error> {
    let products: BTreeSet<Uuid> = offers.values().map(|offer| offer.good.product_id.uuid()).collect();
    if products.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(Uuid, i64, Option<String>, Option<i64>)> = sqlx::query_as(
        "SELECT (v ->> 'id')::uuid, (v ->> 'on_hand')::bigint, v -> 'availability' ->> 'level',
                (v -> 'availability' ->> 'left')::bigint
         FROM product_pages AS p CROSS JOIN LATERAL jsonb_array_elements(p.page::jsonb -> 'variants') AS v
         WHERE p.tenant_id = $1 AND p.product_id = ANY($2) AND (v ->> 'id')::uuid = ANY($3)",
    )
    .bind(tenant.uuid())
    .bind(products.into_iter().collect::<Vec<_>>())
    .bind(offers.keys().map(|variant| variant.uuid()).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    let read = |(variant, on_hand, level, left): (Uuid, i64, Option<String>, Option<i64>)| {
        (VariantId(variant), Pieces::read(on_hand, level.as_deref(), left))
    };
    Ok(rows.into_iter().map(read).collect())
}

impl Pieces {
    /// Pieces of which no more can be asked for than there are.
    pub(super) fn most(known: Option<&Self>) -> u32 {
        match known {
            Some(Self::Plenty) => u32::MAX,
            Some(Self::Left(left)) => u32::try_from((*left).max(0)).unwrap_or(u32::MAX),
            None => 0,
        }
    }

    /// A page that tells what can be sold goes by that, any other by what is on hand.
    fn read(on_hand: i64, level: Option<&str>, left: Option<i64>) -> Self {
        match (level, left) {
            (None, _) => Self::Left(on_hand),
            (Some("none"), _) => Self::Left(0),
            (Some(_), Some(left)) => Self::Left(left),
            (Some(_), None) => Self::Plenty,
        }
    }
}

/// Somebody's groups, and whether an order was made of a cart of theirs.
async fn customer(pool: &PgPool, tenant: TenantId, user: Uuid) -> Result<KnownCustomer, sqlx::Error> {
    let (groups, has_ordered): (Vec<String>, bool) = sqlx::query_as(
        "SELECT coalesce((SELECT groups FROM users WHERE tenant_id = $1 AND user_id = $2), '{}'),
                EXISTS (SELECT FROM carts WHERE tenant_id = $1 AND owner_kind = 'customer' AND owner_id = $2 AND phase = 'checked_out')",
    )
    .bind(tenant.uuid())
    .bind(user)
    .fetch_one(pool)
    .await?;
    Ok(KnownCustomer { groups: groups.into_iter().collect(), has_ordered })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_had_is_what_the_page_tells() {
        assert_eq!(Pieces::read(7, None, None), Pieces::Left(7));
        assert_eq!(Pieces::read(7, Some("none"), None), Pieces::Left(0));
        assert_eq!(Pieces::read(7, Some("low"), Some(2)), Pieces::Left(2));
        assert_eq!(Pieces::read(70, Some("in_stock"), None), Pieces::Plenty);
    }
}
