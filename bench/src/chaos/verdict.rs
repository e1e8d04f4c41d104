//! The end of a run: what was acknowledged beside what the write side, the views and both indexes hold.

use super::{
    fleet::{Fleet, NODES},
    ledger::Fact,
    load::{Load, older, page, search},
};
use crate::BenchError;
use schemas::{
    Uuid,
    ids::{ProductId, TenantId},
    topics::Context,
};
use search::{background::Throttle, digest, reader::IndexHandle};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::time::{Duration, Instant};

/// How long the read side may take to catch up.
const WITHIN: Duration = Duration::from_secs(120);

/// Compares, once the load has ended; gives a sentence for everything that is wrong, and how many commands were lost.
///
/// # Errors
/// If a database or an index can't be read.
pub async fn compare(fleet: &Fleet, load: &Load) -> Result<(u64, Vec<String>), BenchError> {
    let mut wrong = Vec::new();
    let client = load.client_of(0)?;
    for (product, shown) in load.ledger.shown() {
        let price = shown.price.iter().map(|(_, token)| (page(product), token.clone()));
        let reads = [page(product), search(&shown.word)].map(|path| (path, shown.title_token.clone()));
        for (path, token) in reads.into_iter().chain(price) {
            for node in 0..NODES {
                match client.until_fresh(node, &path, &token, WITHIN).await {
                    Ok(answer) => wrong.extend(
                        older(&answer, product, &shown, &token).map(|it| format!("node {}: {path}: {it}", node + 1)),
                    ),
                    Err(error) => wrong.push(format!("node {}: {error}", node + 1)),
                }
            }
        }
    }
    let mut write = PgConnection::connect(&fleet.stack.settings.write_url()).await?;
    let mut read = PgConnection::connect(&fleet.stack.settings.read_url()).await?;
    let lost = lost(&mut write, &load.ledger.facts()).await?;
    wrong.extend(lost.iter().map(|fact| format!("lost: {fact:?}")));
    wrong.extend(gaps(&mut write).await?);
    let began = Instant::now();
    loop {
        let apart = apart(fleet, &mut write, &mut read).await?;
        if apart.is_empty() || began.elapsed() > WITHIN {
            wrong.extend(apart);
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok((lost.len() as u64, wrong))
}

/// The facts that the outboxes lack.
async fn lost(write: &mut PgConnection, facts: &[Fact]) -> Result<Vec<Fact>, BenchError> {
    let mut lost = Vec::new();
    for context in [Context::Catalog, Context::Pricing] {
        let of: Vec<&Fact> = facts.iter().filter(|fact| fact.context == context).collect();
        let sql = format!(
            "SELECT f.place FROM unnest($1::uuid[], $2::bigint[], $3::text[]) WITH ORDINALITY AS f(id, version, mark, place)
             WHERE NOT EXISTS (SELECT FROM {context}.outbox AS o WHERE o.aggregate_id = f.id AND o.version = f.version
                               AND position(f.mark IN o.payload) > 0)"
        );
        let places: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(of.iter().map(|fact| fact.aggregate).collect::<Vec<_>>())
            .bind(of.iter().map(|fact| i64::try_from(fact.version).unwrap_or(i64::MAX)).collect::<Vec<_>>())
            .bind(of.iter().map(|fact| fact.mark.clone()).collect::<Vec<_>>())
            .fetch_all(&mut *write)
            .await?;
        let places = places.into_iter().filter_map(|place| usize::try_from(place - 1).ok());
        lost.extend(places.filter_map(|place| of.get(place).map(|fact| (*fact).clone())));
    }
    Ok(lost)
}

/// Contexts with an aggregate whose versions are not 1, 2, 3, ...
async fn gaps(write: &mut PgConnection) -> Result<Vec<String>, BenchError> {
    let mut found = Vec::new();
    for context in Context::ALL {
        let sql = format!(
            "SELECT count(*) FROM (SELECT FROM {context}.outbox GROUP BY tenant_id, aggregate_id
             HAVING max(version) <> count(*) OR min(version) <> 1) AS broken"
        );
        let broken: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *write).await?;
        if broken > 0 {
            found.push(format!("{broken} aggregates of {context} have versions that are not 1, 2, 3, ..."));
        }
    }
    Ok(found)
}

/// In what write side, views and indexes differ, now.
async fn apart(fleet: &Fleet, write: &mut PgConnection, read: &mut PgConnection) -> Result<Vec<String>, BenchError> {
    let mut found = Vec::new();
    for context in [Context::Catalog, Context::Pricing] {
        let sql = format!("SELECT aggregate_id, max(version) FROM {context}.outbox GROUP BY 1 ORDER BY 1");
        let written: Vec<(Uuid, i64)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut *write).await?;
        let seen: Vec<(Uuid, i64)> =
            sqlx::query_as("SELECT aggregate_id, version FROM sources WHERE context = $1 ORDER BY 1")
                .bind(context.name())
                .fetch_all(&mut *read)
                .await?;
        let missed: Vec<_> = written.iter().filter(|one| !seen.contains(one)).take(3).collect();
        if written != seen {
            found.push(format!("the views differ from what {context} wrote, as in {missed:?}"));
        }
    }
    let dead: i64 = sqlx::query_scalar("SELECT count(*) FROM dead_letters").fetch_one(&mut *read).await?;
    if dead > 0 {
        found.push(format!("{dead} events became dead letters"));
    }
    let documents = sqlx::query("SELECT tenant_id, product_id, doc_version FROM documents WHERE NOT deleted")
        .fetch_all(&mut *read)
        .await?;
    let active: String = sqlx::query_scalar("SELECT generation FROM index_generations WHERE state = 'active'")
        .fetch_one(&mut *read)
        .await?;
    let mut digests = Vec::new();
    for node in 0..NODES {
        let snapshot = IndexHandle::open(&fleet.index_dir(node), &active)?.snapshot();
        let mut behind = 0;
        for row in &documents {
            let (tenant, product) = (TenantId(row.try_get("tenant_id")?), ProductId(row.try_get("product_id")?));
            let wanted: i64 = row.try_get("doc_version")?;
            behind += u32::from(snapshot.version_of(tenant, product)? != u64::try_from(wanted).ok());
        }
        if behind > 0 {
            found.push(format!("the index of node {} has {behind} documents at another version", node + 1));
        }
        let digest = digest::digest_set(&snapshot, &[], &Throttle::default())?;
        digests.push((digest.live(), digest.digest()));
    }
    if digests.windows(2).any(|pair| pair[0] != pair[1]) {
        found.push(format!("the indexes of the nodes differ: {digests:?}"));
    }
    Ok(found)
}
