//! Who asks, and the cart that is meant.

use crate::{app::App, problem::Refusal};
use access::Caller;
use axum::{extract::FromRequestParts, http::request::Parts};
use schemas::{
    Timestamp, Uuid,
    buyer::Buyer,
    cart::Cart,
    ids::TenantId,
    problem::{Code, Problem},
};
use sqlx::PgPool;

/// Whoever has a cart, in the shop in which they have it.
#[derive(Debug)]
pub struct Buying(TenantId, Buyer);

impl FromRequestParts<App> for Buying {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let found = parts.extensions.get().and_then(Caller::buyer);
        found.map(|(shop, buyer)| Self(shop, buyer)).ok_or_else(|| Problem::new(Code::Unauthorized).into())
    }
}

impl Buying {
    /// Who it is in a shop; administrators, whom all shops are open to, buy in their own.
    pub(super) fn of(&self, shop: TenantId) -> Option<Buyer> {
        (self.0 == shop).then_some(self.1)
    }

    /// Whether it is the owner of something in a shop.
    pub(super) fn is(&self, shop: TenantId, owner: Buyer) -> bool {
        self.of(shop) == Some(owner)
    }
}

/// A cart as the view has it.
#[derive(Debug, Clone)]
pub(in crate::reads) struct StoredCart {
    pub(in crate::reads) id: Uuid,
    pub(in crate::reads) version: i64,
    pub(in crate::reads) cart: Cart,
    pub(in crate::reads) begun_at: Timestamp,
    pub(in crate::reads) touched_at: Timestamp,
}

type Row = (Uuid, i64, String, Timestamp, Timestamp);

impl StoredCart {
    pub(super) async fn find(pool: &PgPool, tenant: TenantId, id: Uuid) -> Result<Option<Self>, sqlx::Error> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT cart_id, version, state, begun_at, touched_at FROM carts WHERE tenant_id = $1 AND cart_id = $2",
        )
        .bind(tenant.uuid())
        .bind(id)
        .fetch_optional(pool)
        .await?;
        row.map(Self::read).transpose()
    }

    /// The one that somebody has now. Of two, where the end of the one is still on its way, the newer.
    pub(super) async fn current(pool: &PgPool, tenant: TenantId, owner: Buyer) -> Result<Option<Self>, sqlx::Error> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT cart_id, version, state, begun_at, touched_at FROM carts
             WHERE tenant_id = $1 AND owner_kind = $2 AND owner_id = $3 AND phase IN ('open', 'locked')
             ORDER BY begun_at DESC, cart_id DESC LIMIT 1",
        )
        .bind(tenant.uuid())
        .bind(owner.kind.as_str())
        .bind(owner.id)
        .fetch_optional(pool)
        .await?;
        row.map(Self::read).transpose()
    }

    fn read((id, version, state, begun_at, touched_at): Row) -> Result<Self, sqlx::Error> {
        let cart = serde_json::from_str(&state).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        Ok(Self { id, version, cart, begun_at, touched_at })
    }
}
