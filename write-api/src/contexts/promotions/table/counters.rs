//! How often something limited is used. A counter moves by one statement that has the limit in its condition, and is locked
//! until the transaction ends: what is used never exceeds what may be.

use super::super::domain::counting::{Counter, Counts, Move};
use crate::pipeline::Failure;
use schemas::{
    Uuid,
    ids::{PromotionId, TenantId},
};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// Counters as columns.
struct Columns<'a> {
    promotions: Vec<Uuid>,
    counts: Vec<&'static str>,
    keys: Vec<&'a str>,
}

fn columns<'a>(counters: impl IntoIterator<Item = &'a Counter>) -> Columns<'a> {
    let mut columns = Columns { promotions: Vec::new(), counts: Vec::new(), keys: Vec::new() };
    for Counter { promotion_id, counts, key } in counters {
        columns.promotions.push(promotion_id.uuid());
        columns.counts.push(counts.as_str());
        columns.keys.push(key);
    }
    columns
}

/// What counters have, each with what is reserved and consumed; those that nobody has used are missing. Nothing is locked.
pub(in super::super) async fn used(
    conn: &mut PgConnection,
    tenant: TenantId,
    counters: &BTreeSet<Counter>,
) -> Result<BTreeMap<Counter, i64>, Failure> {
    if counters.is_empty() {
        return Ok(BTreeMap::new());
    }
    let Columns { promotions, counts, keys } = columns(counters);
    let rows: Vec<(Uuid, String, String, i64)> = sqlx::query_as(
        "SELECT c.promotion_id, c.counts, c.key, c.reserved + c.consumed
         FROM unnest($2::uuid[], $3::text[], $4::text[]) AS asked(promotion_id, counts, key)
         JOIN promotions.counters AS c ON c.tenant_id = $1 AND c.promotion_id = asked.promotion_id
           AND c.counts = asked.counts AND c.key = asked.key",
    )
    .bind(tenant.uuid())
    .bind(promotions)
    .bind(counts)
    .bind(keys)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().filter_map(|(id, counts, key, used)| Some((counter(id, &counts, key)?, used))).collect())
}

fn counter(id: Uuid, counts: &str, key: String) -> Option<Counter> {
    let counts = Counts::ALL.into_iter().find(|known| known.as_str() == counts)?;
    Some(Counter { promotion_id: PromotionId(id), counts, key })
}

/// Reserves uses, in the order of the counters; gives the first of those that have not enough left, if there is one. The
/// transaction has to be rolled back then.
pub(in super::super) async fn reserve(
    conn: &mut PgConnection,
    tenant: TenantId,
    moves: &BTreeMap<Counter, Move>,
) -> Result<Option<Counter>, Failure> {
    // A counter that is not there yet has nothing used of it, and may still be asked for more than there is.
    if let Some((counter, _)) = moves.iter().find(|(_, moved)| moved.by.reserved > moved.most) {
        return Ok(Some(counter.clone()));
    }
    if moves.is_empty() {
        return Ok(None);
    }
    let Columns { promotions, counts, keys } = columns(moves.keys());
    let taken: Vec<(Uuid, String, String)> = sqlx::query_as(
        "INSERT INTO promotions.counters AS c (tenant_id, promotion_id, counts, key, reserved, consumed, most)
         SELECT $1::uuid, asked.promotion_id, asked.counts, asked.key, asked.uses, 0, asked.most
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::int8[], $6::int8[]) WITH ORDINALITY
           AS asked(promotion_id, counts, key, uses, most, turn) ORDER BY asked.turn
         ON CONFLICT (tenant_id, promotion_id, counts, key) DO UPDATE
         SET reserved = c.reserved + excluded.reserved, most = excluded.most
         WHERE c.reserved + c.consumed + excluded.reserved <= excluded.most
         RETURNING c.promotion_id, c.counts, c.key",
    )
    .bind(tenant.uuid())
    .bind(promotions)
    .bind(counts)
    .bind(keys)
    .bind(moves.values().map(|moved| moved.by.reserved).collect::<Vec<_>>())
    .bind(moves.values().map(|moved| moved.most).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let taken: BTreeSet<Counter> =
        taken.into_iter().filter_map(|(id, counts, key)| counter(id, &counts, key)).collect();
    Ok(moves.keys().find(|counter| !taken.contains(counter)).cloned())
}

/// Moves counters of uses that are consumed or released, which makes none of them larger.
pub(in super::super) async fn settle(
    conn: &mut PgConnection,
    tenant: TenantId,
    moves: &BTreeMap<Counter, Move>,
) -> Result<(), Failure> {
    if moves.is_empty() {
        return Ok(());
    }
    lock(conn, tenant, moves).await?;
    let Columns { promotions, counts, keys } = columns(moves.keys());
    sqlx::query(
        "UPDATE promotions.counters AS c SET reserved = c.reserved + asked.reserved, consumed = c.consumed + asked.consumed
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::int8[], $6::int8[])
           AS asked(promotion_id, counts, key, reserved, consumed)
         WHERE c.tenant_id = $1 AND c.promotion_id = asked.promotion_id AND c.counts = asked.counts AND c.key = asked.key",
    )
    .bind(tenant.uuid())
    .bind(promotions)
    .bind(counts)
    .bind(keys)
    .bind(moves.values().map(|moved| moved.by.reserved).collect::<Vec<_>>())
    .bind(moves.values().map(|moved| moved.by.consumed).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks counters in their order, which an UPDATE of several alone does not.
async fn lock(conn: &mut PgConnection, tenant: TenantId, moves: &BTreeMap<Counter, Move>) -> Result<(), Failure> {
    let Columns { promotions, counts, keys } = columns(moves.keys());
    sqlx::query(
        "SELECT FROM promotions.counters AS c
         JOIN unnest($2::uuid[], $3::text[], $4::text[]) WITH ORDINALITY AS asked(promotion_id, counts, key, turn)
           ON c.promotion_id = asked.promotion_id AND c.counts = asked.counts AND c.key = asked.key
         WHERE c.tenant_id = $1 ORDER BY asked.turn FOR UPDATE OF c",
    )
    .bind(tenant.uuid())
    .bind(promotions)
    .bind(counts)
    .bind(keys)
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes the counters of what is limited from now on, from the uses there are. Nobody else uses the promotion meanwhile.
pub(super) async fn count_anew(
    conn: &mut PgConnection,
    tenant: TenantId,
    promotion: PromotionId,
    counts: Counts,
    most: i64,
) -> Result<(), Failure> {
    sqlx::query("DELETE FROM promotions.counters WHERE tenant_id = $1 AND promotion_id = $2 AND counts = $3")
        .bind(tenant.uuid())
        .bind(promotion.uuid())
        .bind(counts.as_str())
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "INSERT INTO promotions.counters (tenant_id, promotion_id, counts, key, reserved, consumed, most)
         SELECT $1::uuid, $2::uuid, $3::text, counted.key, counted.reserved, counted.consumed, greatest($4::int8, counted.reserved + counted.consumed)
         FROM (SELECT CASE $3::text WHEN 'customer' THEN customer WHEN 'code' THEN code ELSE '' END AS key,
                      count(*) FILTER (WHERE stage = 'reserved') AS reserved, count(*) FILTER (WHERE stage = 'consumed') AS consumed
               FROM promotions.usages WHERE tenant_id = $1 AND promotion_id = $2 AND stage <> 'released' GROUP BY 1) AS counted
         WHERE counted.key IS NOT NULL",
    )
    .bind(tenant.uuid())
    .bind(promotion.uuid())
    .bind(counts.as_str())
    .bind(most)
    .execute(conn)
    .await?;
    Ok(())
}
