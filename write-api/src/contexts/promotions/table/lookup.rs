//! Promotions that are looked up, and the locks between those who use one and those who change it.

use super::super::domain::Promotion;
use crate::pipeline::{Failure, identity};
use schemas::{
    Timestamp, Uuid,
    ids::{PromotionId, TenantId},
};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// What the name of a promotion leads to.
pub(in super::super) fn promotion_id(tenant: TenantId, name: &str) -> PromotionId {
    PromotionId(identity::named(tenant, &["promotion", name]))
}

/// A promotion with its version.
type Versioned = (u64, Promotion);

/// Keeps those who change these promotions away until the transaction ends; who uses them goes on beside. What is read from
/// here on stays true.
pub(in super::super) async fn use_of(
    conn: &mut PgConnection,
    promotions: &BTreeSet<PromotionId>,
) -> Result<(), Failure> {
    let ids: Vec<Uuid> = promotions.iter().map(|id| id.uuid()).collect();
    sqlx::query(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended('souk:promotion:' || asked.id::text, 0))
         FROM unnest($1::uuid[]) WITH ORDINALITY AS asked(id, turn) ORDER BY asked.turn",
    )
    .bind(ids)
    .execute(conn)
    .await?;
    Ok(())
}

/// Waits for those who use the promotion, and keeps others away until the transaction ends.
pub(in super::super) async fn change_of(conn: &mut PgConnection, promotion: Uuid) -> Result<(), Failure> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('souk:promotion:' || $1::uuid::text, 0))")
        .bind(promotion)
        .execute(conn)
        .await?;
    Ok(())
}

/// How many promotions of the shop have not ended. Who asks waits for others who ask, since they may add one.
pub(in super::super) async fn open(conn: &mut PgConnection, tenant: TenantId) -> Result<i64, Failure> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('souk:promotions:' || $1::uuid::text, 0))")
        .bind(tenant.uuid())
        .execute(&mut *conn)
        .await?;
    let open = sqlx::query_scalar("SELECT count(*) FROM promotions.promotions WHERE tenant_id = $1 AND NOT is_ended")
        .bind(tenant.uuid())
        .fetch_one(conn)
        .await?;
    Ok(open)
}

/// Promotions by id, those that have ended, too.
pub(in super::super) async fn by_id(
    conn: &mut PgConnection,
    tenant: TenantId,
    promotions: &BTreeSet<PromotionId>,
) -> Result<BTreeMap<PromotionId, Versioned>, Failure> {
    if promotions.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<Uuid> = promotions.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "SELECT version, state FROM promotions.promotions WHERE tenant_id = $1 AND promotion_id = ANY($2)",
    )
    .bind(tenant.uuid())
    .bind(ids)
    .fetch_all(conn)
    .await?;
    read(rows)
}

/// Those that count without a code and have not ended.
pub(in super::super) async fn automatic(
    conn: &mut PgConnection,
    tenant: TenantId,
) -> Result<BTreeMap<PromotionId, Versioned>, Failure> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "SELECT version, state FROM promotions.promotions WHERE tenant_id = $1 AND NOT needs_code AND NOT is_ended",
    )
    .bind(tenant.uuid())
    .fetch_all(conn)
    .await?;
    read(rows)
}

fn read(rows: Vec<(i64, String)>) -> Result<BTreeMap<PromotionId, Versioned>, Failure> {
    let read = |(version, state): (i64, String)| -> Result<_, serde_json::Error> {
        let promotion: Promotion = serde_json::from_str(&state)?;
        Ok((promotion.promotion_id, (u64::try_from(version).unwrap_or_default(), promotion)))
    };
    let promotions: Result<_, serde_json::Error> = rows.into_iter().map(read).collect();
    promotions.map_err(|error| Failure::Unreadable("promotion", error.to_string()))
}

/// The promotions of which uses of a checkout were counted.
pub(in super::super) async fn of_checkout(
    conn: &mut PgConnection,
    tenant: TenantId,
    checkout: Uuid,
) -> Result<BTreeMap<Uuid, PromotionId>, Failure> {
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT usage_id, promotion_id FROM promotions.usages WHERE tenant_id = $1 AND checkout_id = $2",
    )
    .bind(tenant.uuid())
    .bind(checkout)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(usage, promotion)| (usage, PromotionId(promotion))).collect())
}

/// Promotions whose span was over at a moment and that have not ended, with their shops. For the job: of all shops.
pub(in super::super) async fn over(
    conn: &mut PgConnection,
    now: Timestamp,
    most: i64,
) -> Result<Vec<(TenantId, Uuid)>, Failure> {
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT p.tenant_id, p.promotion_id FROM promotions.promotions AS p
         WHERE NOT p.is_ended AND p.ends_at <= $1
           AND EXISTS (SELECT FROM tenants.tenants AS t WHERE t.tenant_id = p.tenant_id AND NOT t.deleted)
         ORDER BY p.ends_at LIMIT $2",
    )
    .bind(now)
    .bind(most)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(tenant, promotion)| (TenantId(tenant), promotion)).collect())
}
