//! How long a leader is believed to be at work.

use crate::database;
use sqlx::PgConnection;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::MissedTickBehavior,
};

/// Seconds that a lease lasts. A leader that hangs is replaced this long after its last renewal, and a moment.
const LASTS: f64 = 8.0;
/// How often it is renewed. The last renewal of a leader that hears nothing any more may still arrive after its cable was
/// cut: this is added to what [`LASTS`] says.
const RENEWED: Duration = Duration::from_secs(1);
/// How long a renewal may take.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

/// A lease that was taken: name and term.
type Taken = (String, i64);

/// Who renews the leases of this process, by the URL of the database they are in.
static RENEWERS: LazyLock<Mutex<HashMap<String, UnboundedSender<Taken>>>> = LazyLock::new(Mutex::default);

/// Takes lock and lease of `name`, unless another has the lock; gives the term, which grows with every leader.
///
/// The lock's number is the first eight bytes of the name's hash in PostgreSQL (`hashtextextended`).
pub async fn take(connection: &mut PgConnection, name: &str) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "WITH locked AS MATERIALIZED (SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS leads), lease AS (
           INSERT INTO leases AS l (name, term, until) SELECT $1, 1, now() + make_interval(secs => $2) FROM locked WHERE leads
           ON CONFLICT (name) DO UPDATE SET term = l.term + 1, until = excluded.until RETURNING term)
         SELECT term FROM lease",
    )
    .bind(name)
    .bind(LASTS)
    .fetch_optional(connection)
    .await
}

/// Ends the session that has the lock of `name` if its lease has run out; gives whether there was one to end.
pub async fn end_expired(connection: &mut PgConnection, name: &str) -> Result<bool, sqlx::Error> {
    let expired: Option<bool> = sqlx::query_scalar("SELECT until < clock_timestamp() FROM leases WHERE name = $1")
        .bind(name)
        .fetch_optional(&mut *connection)
        .await?;
    if expired != Some(true) {
        return Ok(false);
    }
    let ended: Vec<bool> = sqlx::query_scalar(
        "SELECT pg_terminate_backend(l.pid) FROM pg_locks AS l
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended($1, 0)",
    )
    .bind(name)
    .fetch_all(connection)
    .await?;
    Ok(!ended.is_empty())
}

/// Renews a lease for as long as this process runs and nobody else has taken it.
pub fn keep(url: &str, name: &str, term: i64) {
    let mut renewers = RENEWERS.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = (name.to_owned(), term);
    let Some(taken) = (match renewers.get(url) {
        Some(renewer) => renewer.send(taken).err().map(|unsent| unsent.0),
        None => Some(taken),
    }) else {
        return;
    };
    let (renewer, inbox) = unbounded_channel();
    // It can't be closed: the task has the other end.
    let _ = renewer.send(taken);
    renewers.insert(url.to_owned(), renewer);
    tokio::spawn(renew(url.to_owned(), inbox));
}

async fn renew(url: String, mut inbox: UnboundedReceiver<Taken>) {
    let mut held: BTreeMap<String, i64> = BTreeMap::new();
    let mut connection = None;
    let mut ticks = tokio::time::interval(RENEWED);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            taken = inbox.recv() => {
                let Some((name, term)) = taken else { return };
                held.insert(name, term);
            }
            _ = ticks.tick(), if !held.is_empty() => {
                let renewed = tokio::time::timeout(ANSWERED_WITHIN, renew_all(&url, &mut connection, &held)).await;
                match renewed {
                    // What is not there any more has another leader.
                    Ok(Ok(renewed)) => held.retain(|name, _| renewed.contains(name)),
                    Ok(Err(error)) => {
                        tracing::warn!(%error, "leases could not be renewed");
                        connection = None;
                    }
                    Err(_) => connection = None,
                }
            }
        }
    }
}

/// Renews leases whose term is still ours; gives their names.
async fn renew_all(
    url: &str,
    connection: &mut Option<PgConnection>,
    held: &BTreeMap<String, i64>,
) -> Result<Vec<String>, sqlx::Error> {
    if connection.is_none() {
        *connection = Some(database::connect(url).await?);
    }
    let Some(connection) = connection else { return Ok(Vec::new()) };
    sqlx::query_scalar(
        "UPDATE leases AS l SET until = now() + make_interval(secs => $3)
         FROM unnest($1::text[], $2::bigint[]) AS held(name, term) WHERE l.name = held.name AND l.term = held.term RETURNING l.name",
    )
    .bind(held.keys().cloned().collect::<Vec<_>>())
    .bind(held.values().copied().collect::<Vec<_>>())
    .bind(LASTS)
    .fetch_all(connection)
    .await
}

#[cfg(test)]
mod tests {
    use super::{LASTS, RENEWED};
    use std::time::Duration;

    #[test]
    fn a_leader_that_hears_nothing_any_more_is_replaced_within_ten_seconds() {
        let until_another_begins = Duration::from_millis(500);
        let worst = RENEWED + Duration::from_secs_f64(LASTS) + super::super::STANDBY_INTERVAL + until_another_begins;
        assert!(worst < Duration::from_secs(10), "{worst:?}");
    }
}
