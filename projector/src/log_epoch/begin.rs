//! Beginning the log anew: every step can be done again, so where a process dies on the way, the
//! next one begins the epoch again.

use super::realign::realign;
use crate::{
    config::Config,
    deps::RoleError,
    document_relay, outboxes, readers, rebuild,
    registry::{FEEDS, Feed},
    retention,
};
use eventlog::{Log, leader};
use schemas::{
    signals::Changed,
    topics::{self, Context},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Rows of an outbox in one transaction.
const CHUNK: i64 = 20_000;

/// Begins an epoch: brings the read side in line with the write side, lets everything wait for publication
/// again, and tells the others.
///
/// # Errors
/// The databases' or the broker's; beginning again is right.
pub async fn begin(
    config: &Config,
    log: &Log,
    write: &mut PgConnection,
    read: &mut PgConnection,
    reason: &str,
) -> Result<(), RoleError> {
    let epoch = log.epoch.name.as_str();
    tracing::warn!(log.epoch = epoch, reason, "the log begins anew");
    sqlx::query(
        "INSERT INTO log_epoch (epoch, beginning) VALUES ('', $1) ON CONFLICT (one) DO UPDATE SET beginning = $1",
    )
    .bind(epoch)
    .execute(&mut *read)
    .await?;
    // Whoever worked in the epoch before lets go once it has seen the line above, or is gone.
    let publishers = Context::ALL.map(outboxes::lock);
    let projections: Vec<String> = FEEDS.iter().map(Feed::lock).chain([document_relay::LOCK.to_owned()]).collect();
    let fences = [
        leader::lead_all(&config.write_database_url, &publishers).await?,
        leader::lead_all(&config.read_database_url, &projections).await?,
        // A month that is archived from here on would be missing in what is told.
        leader::lead(&config.write_database_url, retention::LOCK).await?,
    ];
    log.ensure_topics().await?;
    // Before anything is compared with the outboxes: they have to hold the whole history.
    let mut waiting = retention::restore(write, &config.archive_dir).await?;
    for context in Context::ALL {
        waiting += publish_again(write, context).await?;
    }
    let cut = realign(write, read).await?;
    settle(log, read).await?;
    // Whatever was asked for before has come with it.
    sqlx::query(
        "UPDATE log_epochs SET begun_at = now(), partitions = coalesce(partitions, $1)
         WHERE begun_at IS NULL AND refused IS NULL",
    )
    .bind(log.epoch.partitions)
    .execute(write)
    .await?;
    drop(fences);
    tracing::warn!(log.epoch = epoch, events.waiting = waiting, aggregates.cut = cut, "the log has begun anew");
    Ok(())
}

/// Lets a context's whole history wait for publication; gives the number of rows that had been published.
async fn publish_again(write: &mut PgConnection, context: Context) -> Result<u64, sqlx::Error> {
    let mut rows = 0;
    let mut after = 0_i64;
    loop {
        let (last, count): (Option<i64>, i64) = sqlx::query_as(AssertSqlSafe(format!(
            "WITH chunk AS (SELECT id FROM {context}.outbox WHERE id > $1 AND published_at IS NOT NULL ORDER BY id LIMIT {CHUNK}),
                  marked AS (UPDATE {context}.outbox AS o SET published_at = NULL FROM chunk WHERE o.id = chunk.id)
             SELECT max(id), count(*) FROM chunk"
        )))
        .bind(after)
        .fetch_one(&mut *write)
        .await?;
        let Some(last) = last else { return Ok(rows) };
        after = last;
        rows += count.unsigned_abs();
    }
}

/// The read side's part of the switch, in one transaction: documents wait for publication, positions in other
/// logs are forgotten, and what was parked comes again with its event.
async fn settle(log: &Log, read: &mut PgConnection) -> Result<(), sqlx::Error> {
    let names: Vec<String> = topics::all().into_iter().map(|topic| log.topic(topic)).collect();
    let mut transaction = read.begin().await?;
    sqlx::query(
        "INSERT INTO document_outbox (tenant_id, product_id, doc_version, event_time, correlation_id)
         SELECT tenant_id, product_id, doc_version, now(), 'log-epoch' FROM documents ON CONFLICT DO NOTHING",
    )
    .execute(&mut *transaction)
    .await?;
    for table in ["checkpoints", "projection_status"] {
        let sql = format!("DELETE FROM {table} WHERE projection NOT LIKE 'relay:%' AND topic <> ALL($1)");
        sqlx::query(AssertSqlSafe(sql)).bind(&names).execute(&mut *transaction).await?;
    }
    sqlx::query(
        "UPDATE dead_letters SET state = 'discarded', updated_at = now(),
                error = error || E'\\nthe log began anew: the event comes again'
         WHERE state IN ('parked', 'queued', 'retrying')",
    )
    .execute(&mut *transaction)
    .await?;
    // It was not compared with the write side, and its place is one in the log before.
    rebuild::give_up(&mut transaction, "the log began anew").await?;
    sqlx::query("UPDATE log_epoch SET epoch = $1, partitions = $2, beginning = NULL, since = now()")
        .bind(&log.epoch.name)
        .bind(log.epoch.partitions)
        .execute(&mut *transaction)
        .await?;
    readers::tell(&mut transaction, Changed::Anything).await?;
    transaction.commit().await
}
