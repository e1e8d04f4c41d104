//! How long a leader is believed to be at work: the statements about leases. Who renews them is [`super::keeper`].

use sqlx::PgConnection;
use std::collections::BTreeMap;

/// Seconds that a lease lasts. A leader that hangs is replaced this long after its last renewal, and a moment.
pub const LASTS: f64 = 8.0;

/// Most seats at one name.
pub const MOST_SEATS: i32 = 64;

/// The name of a seat at what several share.
pub fn seat_of(name: &str, seat: i32) -> String {
    format!("{name}:seat:{seat}")
}

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

/// Takes lock and lease of `name` together with others that do so, unless somebody has the lock alone; gives the term, which
/// is that of all who share. A release that knows only leaders waits for them, since their lease is renewed.
pub async fn take_shared(connection: &mut PgConnection, name: &str) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "WITH locked AS MATERIALIZED (SELECT pg_try_advisory_lock_shared(hashtextextended($1, 0)) AS shares), lease AS (
           INSERT INTO leases AS l (name, term, until) SELECT $1, 1, now() + make_interval(secs => $2) FROM locked WHERE shares
           ON CONFLICT (name) DO UPDATE SET until = greatest(l.until, excluded.until) RETURNING term)
         SELECT term FROM lease",
    )
    .bind(name)
    .bind(LASTS)
    .fetch_optional(connection)
    .await
}

/// Ends the sessions that have the lock of `name`, or a seat at it, and whose lease has run out; gives whether there was one.
pub async fn end_expired(connection: &mut PgConnection, name: &str) -> Result<bool, sqlx::Error> {
    let expired: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM leases WHERE until < clock_timestamp() AND (name = $1 OR starts_with(name, $1 || ':seat:'))",
    )
    .bind(name)
    .fetch_all(&mut *connection)
    .await?;
    if expired.is_empty() {
        return Ok(false);
    }
    let ended: Vec<bool> = sqlx::query_scalar(
        "SELECT pg_terminate_backend(l.pid) FROM pg_locks AS l
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND (l.classid::bigint << 32 | l.objid::bigint) IN (SELECT hashtextextended(n, 0) FROM unnest($1::text[]) AS names(n))",
    )
    .bind(expired)
    .fetch_all(connection)
    .await?;
    Ok(!ended.is_empty())
}

/// The seats that are taken, by the names they are at, each with whether its lease has run out.
pub async fn taken_seats(
    connection: &mut PgConnection,
    names: &[&str],
) -> Result<Vec<(String, i32, bool)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT s.name, s.seat, coalesce(lease.until < clock_timestamp(), false)
         FROM (SELECT n AS name, seat, n || ':seat:' || seat AS lock FROM unnest($1::text[]) AS names(n), generate_series(0, $2 - 1) AS seat) AS s
         JOIN pg_locks AS l ON (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended(s.lock, 0)
           AND l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
         LEFT JOIN leases AS lease ON lease.name = s.lock",
    )
    .bind(names)
    .bind(MOST_SEATS)
    .fetch_all(connection)
    .await
}

/// Renews leases whose term is still ours; gives their names.
pub async fn renew(connection: &mut PgConnection, held: &BTreeMap<String, i64>) -> Result<Vec<String>, sqlx::Error> {
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
