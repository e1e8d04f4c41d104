//! The write side against the views: the last version of each aggregate, in every context.

use super::{hop::Hop, options::Args};
use crate::failure::Failure;
use projector::{projection::Versioned, projections::sources::KEPT, registry};
use schemas::{Uuid, topics::Context};
use sqlx::{AssertSqlSafe, PgPool, Row, postgres::PgRow};
use std::collections::BTreeMap;

/// The versions of all aggregates that the feeds have read.
const SOURCES: Versioned = Versioned {
    name: "sources",
    joined_by: "sources v ON v.tenant_id = k.t AND v.context = k.c AND v.aggregate_id = k.a",
    name_of: None,
};

/// The tables that must hold the last version of every aggregate of a context: [`SOURCES`], and those of the projections.
/// Of what is composed of several contexts, `downstream` compares the content.
fn views_of(context: Context) -> Vec<Versioned> {
    let own = registry::projections().filter(|one| one.reads.contains(&context)).filter_map(|one| one.versioned);
    [SOURCES].into_iter().chain(own).collect()
}

/// SQL of the name that staff gave to what an outbox row `last` is about; NULL where no table is keyed by it.
fn name_of(context: Context) -> &'static str {
    views_of(context).iter().find_map(|view| view.name_of).unwrap_or("NULL::text")
}

/// Compares every context, and has published again what the views lack.
pub async fn views(read: &PgPool, write: &PgPool, args: &Args, tenant: Option<Uuid>) -> Result<Hop, Failure> {
    let mut hop = Hop::default();
    for context in Context::ALL {
        let rows = newest(write, context, args, tenant).await?;
        for chunk in rows.chunks(1_000) {
            let written: Vec<Written> = chunk.iter().map(Written::read).collect::<Result<_, _>>()?;
            compare(&Sides { read, write, context }, &written, args.dry_run, &mut hop).await?;
        }
    }
    Ok(hop)
}

/// Both databases, and the context that is compared.
struct Sides<'a> {
    read: &'a PgPool,
    write: &'a PgPool,
    context: Context,
}

/// The last event of an aggregate.
struct Written {
    tenant: Uuid,
    id: Uuid,
    version: i64,
    aggregate: String,
    name: Option<String>,
}

impl Written {
    fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            tenant: row.try_get("tenant_id")?,
            id: row.try_get("aggregate_id")?,
            version: row.try_get("version")?,
            aggregate: row.try_get("aggregate")?,
            name: row.try_get("name")?,
        })
    }
}

/// The last event of some aggregates, of those that nothing was written of in the last seconds.
///
/// Each step of a sample goes by an index: this runs beside writes, every minute.
async fn newest(write: &PgPool, context: Context, args: &Args, tenant: Option<Uuid>) -> Result<Vec<PgRow>, Failure> {
    // What is there of a deleted shop goes from both sides.
    let there = if KEPT.contains(&context) {
        "true"
    } else {
        "NOT EXISTS (SELECT FROM tenants.deleted AS gone WHERE gone.tenant_id = o.tenant_id)"
    };
    let settled = "occurred_at < now() - make_interval(secs => $1) AND published_at IS NOT NULL";
    let columns =
        format!("last.tenant_id, last.aggregate_id, last.version, last.aggregate, {} AS name", name_of(context));
    if args.all || tenant.is_some() {
        let text = format!(
            "SELECT {columns} FROM (
               SELECT DISTINCT ON (tenant_id, aggregate_id) * FROM {context}.outbox AS o WHERE ($2::uuid IS NULL OR tenant_id = $2) AND {there}
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
        "SELECT {columns}
         FROM (SELECT DISTINCT tenant_id, aggregate_id FROM (
                 SELECT tenant_id, aggregate_id FROM {context}.outbox AS o WHERE id >= $2 AND {there} ORDER BY id LIMIT $3) some_of) picked
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

/// The versions that a view has of some aggregates.
async fn versions(sides: &Sides<'_>, view: &Versioned, written: &[Written]) -> Result<Versions, Failure> {
    let text = format!(
        "SELECT k.t, k.a, v.version FROM (
           SELECT $1::text AS c, t, a, aggregate, name
           FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[]) AS one(t, a, aggregate, name)) AS k
         JOIN {}",
        view.joined_by
    );
    let known: Vec<(Uuid, Uuid, i64)> = sqlx::query_as(AssertSqlSafe(text))
        .bind(sides.context.name())
        .bind(written.iter().map(|one| one.tenant).collect::<Vec<_>>())
        .bind(written.iter().map(|one| one.id).collect::<Vec<_>>())
        .bind(written.iter().map(|one| one.aggregate.as_str()).collect::<Vec<_>>())
        .bind(written.iter().map(|one| one.name.as_deref()).collect::<Vec<_>>())
        .fetch_all(sides.read)
        .await?;
    Ok(known.into_iter().map(|(tenant, id, version)| ((tenant, id), version)).collect())
}

type Versions = BTreeMap<(Uuid, Uuid), i64>;

async fn compare(sides: &Sides<'_>, written: &[Written], dry_run: bool, hop: &mut Hop) -> Result<(), Failure> {
    let mut known = Vec::new();
    for view in views_of(sides.context) {
        known.push((view.name, versions(sides, &view, written).await?));
    }
    let Sides { read, write, context } = sides;
    hop.checked += written.len() as u64;
    for Written { tenant, id, version, .. } in written {
        let held = known.iter().map(|(view, of)| (of.get(&(*tenant, *id)).copied().unwrap_or_default(), *view));
        let Some((has, view)) = held.min() else { continue };
        // A dead letter is known to be missing, and waits for an operator.
        if has >= *version || is_parked(read, *tenant, *id).await? {
            continue;
        }
        hop.found(|| format!("{context}/{id}: {view} has version {has} of {version}"));
        if !dry_run {
            forget(read, *context, *tenant, *id, has).await?;
            let text = format!(
                "UPDATE {context}.outbox SET published_at = NULL WHERE tenant_id = $1 AND aggregate_id = $2 AND version > $3
                   AND EXISTS (SELECT FROM {context}.outbox WHERE tenant_id = $1 AND aggregate_id = $2 AND version = $3 + 1)"
            );
            let again = sqlx::query(AssertSqlSafe(text)).bind(tenant).bind(id).bind(has).execute(*write).await?;
            if again.rows_affected() == 0 {
                // Later versions without it would be taken for all there is.
                tracing::warn!(
                    context = context.name(),
                    aggregate.id = %id,
                    aggregate.version = has + 1,
                    "the version that the views lack is archived; `souk recover` takes it back"
                );
            }
            hop.mended += u64::from(again.rows_affected() > 0);
        }
    }
    Ok(())
}

/// Has a feed take the events after a version again: it skips what it has in `sources`, also where another of its tables
/// lost what came of them. The tables' own versions make it harmless where they did not.
async fn forget(read: &PgPool, context: Context, tenant: Uuid, id: Uuid, version: i64) -> Result<(), sqlx::Error> {
    let statement = if version == 0 {
        "DELETE FROM sources WHERE tenant_id = $1 AND context = $2 AND aggregate_id = $3 AND version > $4"
    } else {
        "UPDATE sources SET version = $4 WHERE tenant_id = $1 AND context = $2 AND aggregate_id = $3 AND version > $4"
    };
    sqlx::query(statement).bind(tenant).bind(context.name()).bind(id).bind(version).execute(read).await.map(|_| ())
}

/// Whether an event of the aggregate, or one before it, is a dead letter.
async fn is_parked(read: &PgPool, tenant: Uuid, aggregate: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM dead_letters WHERE state IN ('parked', 'queued', 'retrying') AND tenant_id = $1
           AND (aggregate_key LIKE '%' || $2 OR headers ->> 'ce_subject' LIKE '%' || $2))",
    )
    .bind(tenant)
    .bind(aggregate.to_string())
    .fetch_one(read)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_that_keep_versions_are_compared_besides_what_was_read() {
        let names = |context| views_of(context).iter().map(|view| view.name).collect::<Vec<_>>();
        assert_eq!(names(Context::Tenants), ["sources", "tenants"]);
        assert_eq!(names(Context::Merchandising), ["sources", "merchandising"]);
        assert_eq!(names(Context::Settings), ["sources", "settings"]);
        assert_eq!(names(Context::Insights), ["sources"]);
    }
}
