//! The write side against the views: each aggregate's last version.

use super::{Args, Hop};
use crate::{context::CommandContext, failure::Failure};
use schemas::{Uuid, topics::Context};
use sqlx::{AssertSqlSafe, PgPool, Row, postgres::PgRow};
use std::collections::BTreeMap;

/// The contexts whose aggregates have a row in `sources`.
const CONTEXTS: [Context; 4] = [Context::Tenants, Context::Catalog, Context::Pricing, Context::Inventory];

/// Compares, and has published again what the views lack.
pub async fn views(
    context: &CommandContext,
    write: &PgPool,
    args: &Args,
    tenant: Option<Uuid>,
) -> Result<Hop, Failure> {
    let mut hop = Hop::default();
    for context in CONTEXTS {
        let rows = newest(write, context, args, tenant).await?;
        for chunk in rows.chunks(1_000) {
            compare(context, write, context, chunk, args.dry_run, &mut hop).await?;
        }
    }
    Ok(hop)
}

/// The last version of some aggregates, of those that nothing was written of in the last seconds.
///
/// Each step of a sample goes by an index: this runs beside writes, every minute.
async fn newest(write: &PgPool, context: Context, args: &Args, tenant: Option<Uuid>) -> Result<Vec<PgRow>, Failure> {
    let settled = "occurred_at < now() - make_interval(secs => $1) AND published_at IS NOT NULL";
    if args.all || tenant.is_some() {
        let text = format!(
            "SELECT tenant_id, aggregate_id, version FROM (
               SELECT DISTINCT ON (tenant_id, aggregate_id) * FROM {context}.outbox WHERE ($2::uuid IS NULL OR tenant_id = $2)
               ORDER BY tenant_id, aggregate_id, version DESC) last
             WHERE {settled} ORDER BY CASE WHEN $3 THEN 0 ELSE random() END LIMIT CASE WHEN $3 THEN NULL ELSE $4 END"
        );
        let query = sqlx::query(AssertSqlSafe(text)).bind(args.settle).bind(tenant).bind(args.all).bind(args.sample);
        return Ok(query.fetch_all(write).await?);
    }
    let (first, last): (Option<i64>, Option<i64>) =
        sqlx::query_as(AssertSqlSafe(format!("SELECT min(id), max(id) FROM {context}.outbox")))
            .fetch_one(write)
            .await?;
    let (Some(first), Some(last)) = (first, last) else { return Ok(Vec::new()) };
    let text = format!(
        "SELECT last.tenant_id, last.aggregate_id, last.version
         FROM (SELECT DISTINCT tenant_id, aggregate_id FROM (
                 SELECT tenant_id, aggregate_id FROM {context}.outbox WHERE id >= $2 ORDER BY id LIMIT $3) some_of) picked
         CROSS JOIN LATERAL (
           SELECT * FROM {context}.outbox o WHERE o.tenant_id = picked.tenant_id AND o.aggregate_id = picked.aggregate_id
           ORDER BY o.version DESC LIMIT 1) last
         WHERE {settled}"
    );
    // The rows after the one that is drawn are taken, at least half as many as are wanted.
    let until = (last - args.sample / 2).max(first);
    let from = rand::random_range(first..=until);
    Ok(sqlx::query(AssertSqlSafe(text)).bind(args.settle).bind(from).bind(args.sample).fetch_all(write).await?)
}

async fn compare(
    context: &CommandContext,
    write: &PgPool,
    context: Context,
    rows: &[PgRow],
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
    .fetch_all(&context.pool)
    .await?;
    let known: BTreeMap<(Uuid, Uuid), i64> = known.into_iter().map(|(t, a, version)| ((t, a), version)).collect();
    hop.checked += wanted.len() as u64;
    for ((tenant, aggregate), version) in wanted {
        let has = known.get(&(tenant, aggregate)).copied().unwrap_or_default();
        // A dead letter is known to be missing, and waits for somebody.
        if has >= version || is_parked(context, tenant, aggregate).await? {
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
async fn is_parked(context: &CommandContext, tenant: Uuid, aggregate: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM dead_letters WHERE state IN ('parked', 'queued', 'retrying') AND tenant_id = $1
           AND (aggregate_key LIKE '%' || $2 OR headers ->> 'ce_subject' LIKE '%' || $2))",
    )
    .bind(tenant)
    .bind(aggregate.to_string())
    .fetch_one(&context.pool)
    .await
}
