//! The write side against the views: each aggregate's last version.

use super::{Args, Hop};
use crate::{Desk, Failure};
use schemas::{Uuid, topics::Context};
use sqlx::{AssertSqlSafe, PgPool, Row};
use std::collections::BTreeMap;

/// The contexts whose aggregates have a row in `sources`.
const CONTEXTS: [Context; 4] = [Context::Tenants, Context::Catalog, Context::Pricing, Context::Inventory];

/// Compares, and has published again what the views lack.
pub async fn views(desk: &Desk, write: &PgPool, args: &Args, tenant: Option<Uuid>) -> Result<Hop, Failure> {
    let mut hop = Hop::default();
    for context in CONTEXTS {
        // The last version of some aggregates, of those that nothing was written of in the last seconds.
        let newest = format!(
            "SELECT tenant_id, aggregate_id, max(version) AS version FROM {context}.outbox
             WHERE ($4::uuid IS NULL OR tenant_id = $4) AND ($1 OR aggregate_id IN (
               SELECT aggregate_id FROM {context}.outbox
               WHERE id >= (SELECT coalesce(floor(random() * max(id)), 0) FROM {context}.outbox) ORDER BY id LIMIT $2))
             GROUP BY tenant_id, aggregate_id
             HAVING max(occurred_at) < now() - make_interval(secs => $3) AND bool_and(published_at IS NOT NULL)"
        );
        let rows = sqlx::query(AssertSqlSafe(newest))
            .bind(args.all)
            .bind(args.sample)
            .bind(args.settle)
            .bind(tenant)
            .fetch_all(write)
            .await?;
        for chunk in rows.chunks(1_000) {
            compare(desk, write, context, chunk, args.dry_run, &mut hop).await?;
        }
    }
    Ok(hop)
}

async fn compare(
    desk: &Desk,
    write: &PgPool,
    context: Context,
    rows: &[sqlx::postgres::PgRow],
    dry_run: bool,
    hop: &mut Hop,
) -> Result<(), Failure> {
    let mut wanted: BTreeMap<(Uuid, Uuid), i64> = BTreeMap::new();
    for row in rows {
        wanted.insert((row.try_get("tenant_id")?, row.try_get("aggregate_id")?), row.try_get("version")?);
    }
    let known: Vec<(Uuid, Uuid, i64)> = sqlx::query_as(
        "SELECT s.tenant_id, s.aggregate_id, s.version FROM unnest($2::uuid[], $3::uuid[]) AS k(t, a)
         JOIN sources s ON s.tenant_id = k.t AND s.context = $1 AND s.aggregate_id = k.a",
    )
    .bind(context.name())
    .bind(wanted.keys().map(|(tenant, _)| *tenant).collect::<Vec<_>>())
    .bind(wanted.keys().map(|(_, aggregate)| *aggregate).collect::<Vec<_>>())
    .fetch_all(&desk.pool)
    .await?;
    let known: BTreeMap<(Uuid, Uuid), i64> = known.into_iter().map(|(t, a, version)| ((t, a), version)).collect();
    hop.checked += wanted.len() as u64;
    for ((tenant, aggregate), version) in wanted {
        let has = known.get(&(tenant, aggregate)).copied().unwrap_or_default();
        // A dead letter is known to be missing, and waits for somebody.
        if has >= version || is_parked(desk, tenant, aggregate).await? {
            continue;
        }
        hop.found(|| format!("{context}/{aggregate}: the views have version {has} of {version}"));
        if !dry_run {
            let text = format!(
                "UPDATE {context}.outbox SET published_at = NULL WHERE tenant_id = $1 AND aggregate_id = $2 AND version > $3"
            );
            let again = sqlx::query(AssertSqlSafe(text)).bind(tenant).bind(aggregate).bind(has).execute(write).await?;
            hop.mended += u64::from(again.rows_affected() > 0);
        }
    }
    Ok(())
}

/// Whether an event of the aggregate, or one before it, is a dead letter.
async fn is_parked(desk: &Desk, tenant: Uuid, aggregate: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM dead_letters WHERE state IN ('parked', 'queued', 'retrying') AND tenant_id = $1
           AND (aggregate_key LIKE '%' || $2 OR headers ->> 'ce_subject' LIKE '%' || $2))",
    )
    .bind(tenant)
    .bind(aggregate.to_string())
    .fetch_one(&desk.pool)
    .await
}
