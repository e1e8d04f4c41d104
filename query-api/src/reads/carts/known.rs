//! What has to be looked up to show and to price a cart: goods, stock, settings, promotions, and who buys.

use super::asked::StoredCart;
use crate::{
    app::App,
    goods::{self, Offer},
    pieces::{Pieces, pieces},
    problem::Refusal,
    promotions::{Applicable, Asking, ForCart},
    reads::stock::levels_of,
    request::ReadContext,
};
use quote::facts::{Levels, has_a_choice};
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

/// What is known around a cart. Of several carts that are looked up together, each has the goods of all.
#[derive(Debug, Clone, Default)]
pub(in crate::reads) struct Known {
    /// The moment that spans are compared with.
    pub(super) now: Timestamp,
    pub(super) settings: Arc<ShopSettings>,
    pub(super) offers: Arc<HashMap<VariantId, Offer>>,
    /// Pieces that can be ordered, of variants that have a page.
    pub(super) pieces: Arc<HashMap<VariantId, Pieces>>,
    /// What lies where, in a shop that sends goods from several locations.
    pub(super) levels: Arc<Levels>,
    pub(super) promotions: ForCart,
    /// Whoever has signed in.
    pub(super) customer: Option<KnownCustomer>,
}

/// A customer, as far as it counts for the price.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownCustomer {
    pub(super) groups: BTreeSet<String>,
    /// Whether an order was made of another cart of theirs.
    pub(super) has_ordered: bool,
}

impl Known {
    /// Looks up what concerns a cart at a moment.
    pub(super) async fn of(
        app: &App,
        context: &ReadContext,
        cart: &StoredCart,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let known = Self::of_all(app, context, std::slice::from_ref(cart), BTreeSet::new(), now).await?;
        Ok(known.into_iter().next().unwrap_or_default())
    }

    /// The same of several carts in as many queries as of one, and of other goods that may be added to them as a gift.
    pub(in crate::reads) async fn of_all(
        app: &App,
        context: &ReadContext,
        carts: &[StoredCart],
        mut variants: BTreeSet<VariantId>,
        now: Timestamp,
    ) -> Result<Vec<Self>, Refusal> {
        let tenant = context.tenant;
        let settings = settings(app, context).await?;
        let asking: Vec<Asking<'_>> = carts.iter().map(|stored| asking(&stored.cart)).collect();
        let promotions = app.promotions.for_carts(tenant, &asking, now).await?;
        let lines = || carts.iter().flat_map(|stored| &stored.cart.lines);
        variants.extend(lines().map(|line| line.variant_id));
        variants.extend(gifts(promotions.iter().flat_map(|found| &found.applicable)));
        let variants: Vec<VariantId> = variants.into_iter().collect();
        let products: BTreeSet<ProductId> = lines().map(|line| line.product_id).collect();
        let products: Vec<ProductId> = products.into_iter().collect();
        let offers = Arc::new(goods::offers(&app.pool, tenant, &variants, &products).await?);
        let pieces = Arc::new(pieces(&app.pool, tenant, &offers).await?);
        let has_choice = has_a_choice(&settings);
        let levels = if has_choice { levels_of(&app.pool, tenant, &variants).await? } else { Levels::new() };
        let levels = Arc::new(levels);
        let customers = customers(&app.pool, tenant, carts).await?;
        let known = |(stored, promotions): (&StoredCart, ForCart)| Self {
            now,
            settings: Arc::clone(&settings),
            offers: Arc::clone(&offers),
            pieces: Arc::clone(&pieces),
            levels: Arc::clone(&levels),
            promotions,
            customer: known_customer(stored, &customers),
        };
        Ok(carts.iter().zip(promotions).map(known).collect())
    }
}

/// What the shop has decided.
async fn settings(app: &App, context: &ReadContext) -> Result<Arc<ShopSettings>, Refusal> {
    Ok(app.settings.of(context.tenant, context.names(Context::Settings)).await?)
}

/// By what promotions are looked up. A guest is known by the address of the order, which no cart has.
fn asking(cart: &Cart) -> Asking<'_> {
    let customer = match cart.owner_kind {
        BuyerKind::Customer => Some(cart.owner_id.to_string()),
        BuyerKind::Guest => None,
    };
    Asking { codes: &cart.coupons, customer }
}

/// The variants that promotions may add.
pub(super) fn gifts<'a>(applicable: impl IntoIterator<Item = &'a Applicable>) -> BTreeSet<VariantId> {
    quote::facts::gifts(applicable.into_iter().map(|one| &one.promotion.content))
}

/// Groups of customers, and the first cart that an order was made of, by customer.
type Customers = HashMap<Uuid, (Vec<String>, Option<Uuid>)>;

/// What is known of the customers whose carts these are.
async fn customers(pool: &PgPool, tenant: TenantId, carts: &[StoredCart]) -> Result<Customers, sqlx::Error> {
    let owners = carts.iter().map(|stored| stored.cart.owner()).filter(|owner| owner.kind == BuyerKind::Customer);
    let owners: BTreeSet<Uuid> = owners.map(|owner| owner.id).collect();
    if owners.is_empty() {
        return Ok(Customers::new());
    }
    let rows: Vec<(Uuid, Vec<String>, Option<Uuid>)> = sqlx::query_as(
        "SELECT asked.id, coalesce(u.groups, '{}'),
                (SELECT c.cart_id FROM carts AS c
                 WHERE c.tenant_id = $1 AND c.owner_kind = 'customer' AND c.owner_id = asked.id AND c.phase = 'checked_out'
                 ORDER BY c.touched_at, c.cart_id LIMIT 1)
         FROM unnest($2::uuid[]) AS asked (id) LEFT JOIN users AS u ON u.tenant_id = $1 AND u.user_id = asked.id",
    )
    .bind(tenant.uuid())
    .bind(owners.into_iter().collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|(id, groups, first)| (id, (groups, first))).collect())
}

/// The owner of a cart, if they have signed in. The cart of their first order was that of a first order.
fn known_customer(stored: &StoredCart, customers: &Customers) -> Option<KnownCustomer> {
    match stored.cart.owner_kind {
        BuyerKind::Guest => None,
        BuyerKind::Customer => {
            let (groups, first) = customers.get(&stored.cart.owner_id).cloned().unwrap_or_default();
            let has_ordered = first.is_some_and(|first| first != stored.id);
            Some(KnownCustomer { groups: groups.into_iter().collect(), has_ordered })
        }
    }
}
