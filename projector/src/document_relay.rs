//! The second outbox: composed documents to the compacted topic. Several changes of one product that
//! wait together become one record.

use crate::{
    ahead::Ahead,
    deps::{Deps, RoleError},
    metrics::of,
    turns::{Sent, Turns},
    unsent,
};
use chrono::SecondsFormat;
use eventlog::{
    database::Plans,
    leader, log,
    producer::{self, Outgoing, headers},
};
use schemas::{
    Timestamp, Uuid,
    ids::{ProductId, TenantId},
    signals::{Changed, VIEWS_CHANGED},
    topics::{self, partition_key},
};
use sqlx::{AssertSqlSafe, PgConnection, Row, postgres::PgRow};
use std::time::Duration;

pub mod waiting;

/// The name in metrics and health.
pub const NAME: &str = unsent::DOCUMENTS;
/// The lock of the one process that publishes documents.
pub const LOCK: &str = "souk:documents";
/// The CloudEvents type of document records.
pub const DOCUMENT_TYPE: &str = "souk.documents.document.composed.v1";
/// How often the outbox is looked at when no signal comes.
const POLL: Duration = Duration::from_millis(200);
/// The outbox in its order by its index, and each document by its key, whatever the statistics say: they are of the moment
/// of a vacuum, and the outbox, thousands of gone rows for each that waits, would be read whole and hashed with all documents.
pub const BY_INDEX: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";

/// Relays documents until something fails.
///
/// # Errors
/// The database's or the broker's; what was not acknowledged stays in the outbox.
pub async fn run(deps: Deps) -> Result<(), RoleError> {
    deps.is_fit(NAME);
    let mut connection = leader::lead(&deps.config.read_database_url, LOCK).await?;
    sqlx::raw_sql(BY_INDEX).execute(&mut connection).await?;
    tokio::select! {
        outcome = relay(&deps, &mut connection) => outcome,
        outcome = hear(&deps) => outcome,
    }
}

/// Wakes the relay when views have changed, whichever process has changed them.
async fn hear(deps: &Deps) -> Result<(), RoleError> {
    let mut signals = service::database::listener(&deps.config.read_database_url).await?;
    signals.listen(VIEWS_CHANGED).await?;
    loop {
        if Changed::of(signals.recv().await?.payload()) != Changed::Figures {
            deps.documents_written.notify_one();
        }
    }
}

async fn relay(deps: &Deps, connection: &mut PgConnection) -> Result<(), RoleError> {
    let topic = deps.log.topic(topics::DOCUMENTS);
    let mut plans = Plans::default();
    let mut ahead = Ahead::of_index(&topic, &deps.config.read_database_url);
    let mut turns = Turns::default();
    loop {
        let room = ahead.room().await;
        let query = if turns.are_on() { waiting::in_turn(room) } else { waiting::in_order(room) };
        let sent = round(deps, connection, &mut plans, &topic, query).await?;
        deps.metrics.relayed.get_or_create(&of(NAME)).inc_by(sent.rows);
        let more_may_wait = turns.after(&sent, room);
        ahead.note(sent);
        if !more_may_wait {
            // A signal that came during the round is kept; a timeout is the poll falling due.
            let _ = tokio::time::timeout(POLL, deps.documents_written.notified()).await;
        }
    }
}

async fn round(
    deps: &Deps,
    connection: &mut PgConnection,
    plans: &mut Plans,
    topic: &str,
    query: String,
) -> Result<Sent, RoleError> {
    let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(&mut *connection).await?;
    if rows.is_empty() {
        return Ok(Sent::default());
    }
    plans.suit(connection, rows.len()).await?;
    let shops = rows.iter().map(|row| row.try_get("tenant_id").map(TenantId)).collect::<Result<Vec<_>, _>>()?;
    let sent = rows.iter().map(|row| outgoing(row, topic)).collect::<Result<Vec<_>, _>>()?;
    let (acknowledged, error) = producer::send_in_order(&deps.producer, &sent).await;
    let mut taken = acknowledged.len();
    let refused = error.as_ref().filter(|error| log::refuses_for_ever(error)).zip(sent.get(taken));
    if let Some((error, record)) = refused {
        unsent::keep(deps, NAME, record, rows[taken].try_get("doc_version")?, error).await?;
        taken += 1;
    }
    settle(connection, &rows[..taken]).await?;
    match error {
        Some(error) => Err(format!("Kafka took {taken} of {} documents: {error}", sent.len()).into()),
        None => Ok(Sent::of(&sent, acknowledged.into_iter().map(Some), &shops)),
    }
}

fn outgoing(row: &PgRow, topic: &str) -> Result<Outgoing, sqlx::Error> {
    let (tenant, product) = (TenantId(row.try_get("tenant_id")?), ProductId(row.try_get("product_id")?));
    let version: i64 = row.try_get("doc_version")?;
    let time: Timestamp = row.try_get("event_time")?;
    let mut attributes = vec![
        ("ce_specversion", "1.0".to_owned()),
        ("ce_id", format!("{tenant}:{product}@{version}")),
        ("ce_type", DOCUMENT_TYPE.to_owned()),
        ("ce_source", "/souk/projector/documents".to_owned()),
        ("ce_subject", format!("product/{product}")),
        ("ce_time", time.to_rfc3339_opts(SecondsFormat::Micros, true)),
        ("content-type", "application/json".to_owned()),
        ("ce_souktenant", tenant.to_string()),
        ("ce_soukversion", version.to_string()),
        ("ce_soukcorrelation", row.try_get("correlation_id")?),
    ];
    if let Some(traceparent) = row.try_get::<Option<String>, _>("traceparent")? {
        attributes.push(("ce_traceparent", traceparent));
    }
    Ok(Outgoing {
        topic: topic.to_owned(),
        key: partition_key(tenant, product.uuid()),
        payload: row.try_get("body")?,
        headers: headers(&attributes),
    })
}

/// Takes what was acknowledged out of the outbox, unless it has changed again since.
async fn settle(connection: &mut PgConnection, rows: &[PgRow]) -> Result<(), sqlx::Error> {
    let column =
        |name: &'static str| rows.iter().map(move |row| row.try_get::<Uuid, _>(name)).collect::<Result<Vec<_>, _>>();
    let versions = rows.iter().map(|row| row.try_get::<i64, _>("doc_version")).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "DELETE FROM document_outbox AS o USING unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS sent(t, p, v)
         WHERE o.tenant_id = sent.t AND o.product_id = sent.p AND o.doc_version = sent.v",
    )
    .bind(column("tenant_id")?)
    .bind(column("product_id")?)
    .bind(versions)
    .execute(connection)
    .await?;
    Ok(())
}
