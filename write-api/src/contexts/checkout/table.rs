//! The table of checkouts, and prices that were offered.

use super::domain::Checkout;
use crate::pipeline::{Column, Failure, Table, TableSpec};
use schemas::{Timestamp, Uuid, ids::TenantId, quote::Quote};
use sqlx::PgConnection;

impl Table for Checkout {
    const SPEC: TableSpec = TableSpec {
        name: "checkouts",
        id: "checkout_id",
        of_tenant: true,
        columns: &[Column::Text("cart_id", "uuid"), Column::Plain("is_over", "bool"), Column::Json("state")],
    };
}

/// A checkout, not locked.
pub(super) async fn checkout(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<(u64, Checkout)>, Failure> {
    let row: Option<(i64, String)> =
        sqlx::query_as("SELECT version, state FROM checkout.checkouts WHERE tenant_id = $1 AND checkout_id = $2")
            .bind(tenant.uuid())
            .bind(id)
            .fetch_optional(conn)
            .await?;
    let read = |(version, state): (i64, String)| Ok((version.unsigned_abs(), serde_json::from_str(&state)?));
    row.map(read).transpose().map_err(|error: serde_json::Error| Failure::Unreadable("checkout", error.to_string()))
}

/// The checkout of a cart that has not ended.
pub(super) async fn open_of_cart(
    conn: &mut PgConnection,
    tenant: TenantId,
    cart: Uuid,
) -> Result<Option<Uuid>, Failure> {
    let found = sqlx::query_scalar(
        "SELECT checkout_id FROM checkout.checkouts WHERE tenant_id = $1 AND cart_id = $2 AND NOT is_over",
    );
    Ok(found.bind(tenant.uuid()).bind(cart).fetch_optional(conn).await?)
}

/// For which cart, in which version and with what besides, a price was offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OfferedFor {
    pub(super) cart: Uuid,
    pub(super) cart_version: u64,
    /// Where it goes, how, and how it is paid, as JSON.
    pub(super) besides: String,
}

/// A price that was offered and still holds.
pub(super) async fn offer(
    conn: &mut PgConnection,
    tenant: TenantId,
    offered: &OfferedFor,
    digest: &str,
    now: Timestamp,
) -> Result<Option<Quote>, Failure> {
    let row: Option<String> = sqlx::query_scalar(
        "SELECT quote FROM checkout.offers
         WHERE tenant_id = $1 AND cart_id = $2 AND digest = $3 AND cart_version = $4 AND priced_for = $5 AND expires_at > $6",
    )
    .bind(tenant.uuid())
    .bind(offered.cart)
    .bind(digest)
    .bind(i64::try_from(offered.cart_version).unwrap_or(i64::MAX))
    .bind(&offered.besides)
    .bind(now)
    .fetch_optional(conn)
    .await?;
    let read = |text: String| serde_json::from_str(&text);
    row.map(read).transpose().map_err(|error| Failure::Unreadable("offer", error.to_string()))
}

/// A price that was offered for a cart at some time, whether it still holds or not: by it is told what has changed.
pub(super) async fn offered_before(
    conn: &mut PgConnection,
    tenant: TenantId,
    cart: Uuid,
    digest: &str,
) -> Result<Option<Quote>, Failure> {
    let row: Option<String> =
        sqlx::query_scalar("SELECT quote FROM checkout.offers WHERE tenant_id = $1 AND cart_id = $2 AND digest = $3")
            .bind(tenant.uuid())
            .bind(cart)
            .bind(digest)
            .fetch_optional(conn)
            .await?;
    let read = |text: String| serde_json::from_str(&text);
    row.map(read).transpose().map_err(|error| Failure::Unreadable("offer", error.to_string()))
}

/// Offers a price until then.
pub(super) async fn keep_offer(
    conn: &mut PgConnection,
    tenant: TenantId,
    offered: &OfferedFor,
    quote: &Quote,
    until: Timestamp,
) -> Result<(), Failure> {
    let text = serde_json::to_string(quote).map_err(|error| Failure::NoJson("offer", error))?;
    sqlx::query(
        "INSERT INTO checkout.offers (tenant_id, cart_id, digest, cart_version, priced_for, quote, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_id, cart_id, digest) DO UPDATE
         SET cart_version = excluded.cart_version, priced_for = excluded.priced_for, quote = excluded.quote, expires_at = excluded.expires_at",
    )
    .bind(tenant.uuid())
    .bind(offered.cart)
    .bind(&quote.digest)
    .bind(i64::try_from(offered.cart_version).unwrap_or(i64::MAX))
    .bind(&offered.besides)
    .bind(text)
    .bind(until)
    .execute(conn)
    .await?;
    Ok(())
}
