//! The rows of processes.

use crate::pipeline::Failure;
use schemas::{Timestamp, Uuid, ids::TenantId};
use sqlx::PgConnection;

/// When the process `p` is due: by its steps, by its timers.
macro_rules! due {
    () => {
        "(SELECT min(s.next_try_at) FROM processes.steps AS s
          WHERE s.tenant_id = p.tenant_id AND s.name = p.name AND s.process_id = p.process_id),
         (SELECT min(t.due_at) FROM processes.timers AS t
          WHERE t.tenant_id = p.tenant_id AND t.name = p.name AND t.process_id = p.process_id)"
    };
}

/// A process that this node works on, until its lease ends.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(super) tenant: TenantId,
    pub(super) name: String,
    pub(super) process: Uuid,
    /// Whose the lease is.
    pub(super) owner: Uuid,
    pub(super) correlation_id: String,
    pub(super) traceparent: Option<String>,
}

type ClaimRow = (Uuid, String, Uuid, String, Option<String>);

/// Claims some that are due or were told something, and that nobody else works on.
pub(super) async fn claim(
    conn: &mut PgConnection,
    now: Timestamp,
    owner: Uuid,
    until: Timestamp,
    names: &[&str],
    most: i64,
) -> Result<Vec<Claim>, sqlx::Error> {
    let rows: Vec<ClaimRow> = sqlx::query_as(
        "UPDATE processes.processes AS p SET owner = $2, lease_until = $3
         FROM (SELECT c.tenant_id, c.name, c.process_id FROM processes.processes AS c
           WHERE (c.tenant_id, c.name, c.process_id) IN (
               (SELECT d.tenant_id, d.name, d.process_id FROM processes.processes AS d
                WHERE d.wake_at <= $1 AND d.parked_at IS NULL AND (d.lease_until IS NULL OR d.lease_until <= $1) AND d.name = ANY($4)
                ORDER BY d.wake_at LIMIT $5)
               UNION
               (SELECT t.tenant_id, t.name, t.process_id FROM processes.triggers AS t
                JOIN processes.processes AS d ON d.tenant_id = t.tenant_id AND d.name = t.name AND d.process_id = t.process_id
                WHERE d.parked_at IS NULL AND (d.lease_until IS NULL OR d.lease_until <= $1) AND t.name = ANY($4)
                ORDER BY t.id LIMIT $5))
             AND c.parked_at IS NULL AND (c.lease_until IS NULL OR c.lease_until <= $1)
             AND NOT EXISTS (SELECT FROM tenants.deleted AS gone WHERE gone.tenant_id = c.tenant_id)
           LIMIT $5 FOR UPDATE OF c SKIP LOCKED) AS due
         WHERE p.tenant_id = due.tenant_id AND p.name = due.name AND p.process_id = due.process_id
         RETURNING p.tenant_id, p.name, p.process_id, p.correlation_id, p.traceparent",
    )
    .bind(now)
    .bind(owner)
    .bind(until)
    .bind(names)
    .bind(most)
    .fetch_all(conn)
    .await?;
    let claim = |(tenant, name, process, correlation_id, traceparent)| Claim {
        tenant: TenantId(tenant),
        name,
        process,
        owner,
        correlation_id,
        traceparent,
    };
    Ok(rows.into_iter().map(claim).collect())
}

/// What is kept of a process.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Kept {
    pub(super) state: Option<String>,
    pub(super) seen: String,
}

/// Locks a claimed process and holds it for longer; none if it is claimed no more.
pub(super) async fn hold(
    conn: &mut PgConnection,
    claim: &Claim,
    until: Timestamp,
) -> Result<Option<Kept>, sqlx::Error> {
    sqlx::query_as(
        "UPDATE processes.processes SET lease_until = $5
         WHERE tenant_id = $1 AND name = $2 AND process_id = $3 AND owner = $4 AND parked_at IS NULL
         RETURNING state, seen",
    )
    .bind(claim.tenant.uuid())
    .bind(&claim.name)
    .bind(claim.process)
    .bind(claim.owner)
    .bind(until)
    .fetch_optional(conn)
    .await
}

/// Lets others have a process after a moment: what was done last could not be kept.
pub(super) async fn postpone(conn: &mut PgConnection, claim: &Claim, until: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE processes.processes SET lease_until = $5
         WHERE tenant_id = $1 AND name = $2 AND process_id = $3 AND owner = $4",
    )
    .bind(claim.tenant.uuid())
    .bind(&claim.name)
    .bind(claim.process)
    .bind(claim.owner)
    .bind(until)
    .execute(conn)
    .await?;
    Ok(())
}

/// Lets go of a process; its next step or deadline says when it is due.
pub(super) async fn release(conn: &mut PgConnection, claim: &Claim) -> Result<(), sqlx::Error> {
    wake(&mut *conn, claim).await?;
    sqlx::query(
        "UPDATE processes.processes SET owner = NULL, lease_until = NULL
         WHERE tenant_id = $1 AND name = $2 AND process_id = $3 AND owner = $4",
    )
    .bind(claim.tenant.uuid())
    .bind(&claim.name)
    .bind(claim.process)
    .bind(claim.owner)
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets when the process is due, by its steps and timers.
async fn wake(conn: &mut PgConnection, claim: &Claim) -> Result<(), sqlx::Error> {
    sqlx::query(concat!(
        "UPDATE processes.processes AS p SET wake_at = least(",
        due!(),
        ") WHERE p.tenant_id = $1 AND p.name = $2 AND p.process_id = $3"
    ))
    .bind(claim.tenant.uuid())
    .bind(&claim.name)
    .bind(claim.process)
    .execute(conn)
    .await?;
    Ok(())
}

/// A step that is to be carried out.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct StepRow {
    pub(super) step: String,
    pub(super) command: String,
    pub(super) cause: Option<String>,
    pub(super) tries: i32,
}

/// The first step that is due, unless the process was told something, which comes before it. Steps behind it wait, even if it is not
/// due yet.
pub(super) async fn next_step(
    conn: &mut PgConnection,
    claim: &Claim,
    now: Timestamp,
) -> Result<Option<StepRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT step, command, cause, tries FROM (
           SELECT * FROM processes.steps WHERE tenant_id = $1 AND name = $2 AND process_id = $3 ORDER BY number LIMIT 1) AS first
         WHERE next_try_at <= $4 AND NOT EXISTS (SELECT FROM processes.triggers
           WHERE tenant_id = $1 AND name = $2 AND process_id = $3)",
    )
    .bind(claim.tenant.uuid())
    .bind(&claim.name)
    .bind(claim.process)
    .bind(now)
    .fetch_optional(conn)
    .await
}

/// Notes that a step was tried in vain.
pub(super) async fn failed(
    conn: &mut PgConnection,
    claim: &Claim,
    step: &str,
    error: &str,
    again_at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE processes.steps SET tries = tries + 1, last_error = $5, next_try_at = $6
         WHERE tenant_id = $1 AND name = $2 AND process_id = $3 AND step = $4",
    )
    .bind(claim.tenant.uuid())
    .bind(&claim.name)
    .bind(claim.process)
    .bind(step)
    .bind(error)
    .bind(again_at)
    .execute(&mut *conn)
    .await?;
    wake(conn, claim).await
}

/// Parks a process: nobody works on it until staff say so.
pub(super) async fn park(
    conn: &mut PgConnection,
    claim: &Claim,
    step: Option<&str>,
    reason: &str,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE processes.processes SET parked_at = $4, parked_step = $5, parked_reason = $6, owner = NULL, lease_until = NULL
         WHERE tenant_id = $1 AND name = $2 AND process_id = $3",
    )
    .bind(claim.tenant.uuid())
    .bind(&claim.name)
    .bind(claim.process)
    .bind(now)
    .bind(step)
    .bind(reason)
    .execute(conn)
    .await?;
    Ok(())
}

/// Something that a process was told.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct TriggerRow {
    pub(super) id: i64,
    pub(super) kind: String,
    pub(super) event_id: Option<Uuid>,
    pub(super) context: Option<String>,
    pub(super) event_type: Option<String>,
    pub(super) aggregate_id: Option<Uuid>,
    pub(super) version: Option<i64>,
    pub(super) payload: String,
    pub(super) occurred_at: Timestamp,
}

/// What it was told first of what it has not taken in.
pub(super) async fn next_trigger(conn: &mut PgConnection, claim: &Claim) -> Result<Option<TriggerRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT id, kind, event_id, context, event_type, aggregate_id, version, payload, occurred_at FROM processes.triggers
         WHERE tenant_id = $1 AND name = $2 AND process_id = $3 ORDER BY id LIMIT 1",
    )
    .bind(claim.tenant.uuid())
    .bind(&claim.name)
    .bind(claim.process)
    .fetch_optional(conn)
    .await
}

/// A timer whose time has come, with that time.
pub(super) async fn next_timer(
    conn: &mut PgConnection,
    claim: &Claim,
    now: Timestamp,
) -> Result<Option<(String, Timestamp)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT timer, due_at FROM processes.timers
         WHERE tenant_id = $1 AND name = $2 AND process_id = $3 AND due_at <= $4 ORDER BY due_at LIMIT 1",
    )
    .bind(claim.tenant.uuid())
    .bind(&claim.name)
    .bind(claim.process)
    .bind(now)
    .fetch_optional(conn)
    .await
}

/// What has been taken in, and is told no more.
#[derive(Debug, Clone)]
pub(super) enum Taken {
    Trigger(i64),
    Timer(String),
    Step(String),
}

/// Deletes it. When the process is due follows once it has reacted, or is let go of; until then it is due no later than before.
pub(super) async fn took(conn: &mut PgConnection, claim: &Claim, taken: &Taken) -> Result<(), sqlx::Error> {
    let query = match taken {
        Taken::Trigger(id) => sqlx::query(
            "DELETE FROM processes.triggers WHERE tenant_id = $1 AND name = $2 AND process_id = $3 AND id = $4",
        )
        .bind(claim.tenant.uuid())
        .bind(&claim.name)
        .bind(claim.process)
        .bind(*id),
        Taken::Timer(timer) => sqlx::query(
            "DELETE FROM processes.timers WHERE tenant_id = $1 AND name = $2 AND process_id = $3 AND timer = $4",
        )
        .bind(claim.tenant.uuid())
        .bind(&claim.name)
        .bind(claim.process)
        .bind(timer),
        Taken::Step(step) => sqlx::query(
            "DELETE FROM processes.steps WHERE tenant_id = $1 AND name = $2 AND process_id = $3 AND step = $4",
        )
        .bind(claim.tenant.uuid())
        .bind(&claim.name)
        .bind(claim.process)
        .bind(step),
    };
    query.execute(conn).await?;
    Ok(())
}

/// What is to be kept of a process that has reacted.
pub(super) struct Next<'a> {
    pub(super) state: &'a str,
    /// Up to which versions it knows aggregates.
    pub(super) seen: &'a str,
    /// Steps with their commands, in their order.
    pub(super) steps: &'a [(String, String)],
    pub(super) timers: &'a [(&'static str, Timestamp)],
    pub(super) no_timers: &'a [&'static str],
    pub(super) links: &'a [Uuid],
    pub(super) ends: bool,
    pub(super) cause: Option<&'a str>,
}

/// One statement, since a checkout has a dozen of them. It does not see the steps that it adds itself: those are due now. A step that
/// waits already is the same one.
const KEEP: &str = concat!(
    "WITH added AS (
      INSERT INTO processes.steps (tenant_id, name, process_id, step, command, cause, next_try_at)
      SELECT $1::uuid, $2::text, $3::uuid, new.step, new.command, $9::text, $5::timestamptz
      FROM UNNEST($7::text[], $8::text[]) WITH ORDINALITY AS new (step, command, n) ORDER BY n
      ON CONFLICT DO NOTHING)
    UPDATE processes.processes AS p SET version = version + 1, state = $4, seen = $10, changed_at = $5,
      ended_at = CASE WHEN $6 THEN $5 WHEN cardinality($7) > 0 THEN NULL ELSE ended_at END,
      wake_at = least(",
    due!(),
    ",
        CASE WHEN cardinality($7) > 0 THEN $5 END)
    WHERE p.tenant_id = $1 AND p.name = $2 AND p.process_id = $3"
);

/// Keeps its state, its steps and its timers, and when it is due by them.
pub(super) async fn keep(
    conn: &mut PgConnection,
    claim: &Claim,
    next: &Next<'_>,
    now: Timestamp,
) -> Result<(), Failure> {
    // Most reactions have a step alone.
    if !next.timers.is_empty() || !next.no_timers.is_empty() || next.ends {
        keep_timers(&mut *conn, claim, next).await?;
    }
    if !next.links.is_empty() {
        keep_links(&mut *conn, claim, next.links).await?;
    }
    let (names, commands): (Vec<&str>, Vec<&str>) =
        next.steps.iter().map(|(name, command)| (name.as_str(), command.as_str())).unzip();
    sqlx::query(KEEP)
        .bind(claim.tenant.uuid())
        .bind(&claim.name)
        .bind(claim.process)
        .bind(next.state)
        .bind(now)
        .bind(next.ends)
        .bind(names)
        .bind(commands)
        .bind(next.cause)
        .bind(next.seen)
        .execute(conn)
        .await?;
    Ok(())
}

async fn keep_links(conn: &mut PgConnection, claim: &Claim, links: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO processes.links (tenant_id, name, process_id, linked)
         SELECT $1::uuid, $2::text, $3::uuid, linked FROM UNNEST($4::uuid[]) AS linked ON CONFLICT DO NOTHING",
    )
    .bind(claim.tenant.uuid())
    .bind(&claim.name)
    .bind(claim.process)
    .bind(links)
    .execute(conn)
    .await?;
    Ok(())
}

async fn keep_timers(conn: &mut PgConnection, claim: &Claim, next: &Next<'_>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM processes.timers
         WHERE tenant_id = $1 AND name = $2 AND process_id = $3 AND (timer = ANY($4) OR $5)",
    )
    .bind(claim.tenant.uuid())
    .bind(&claim.name)
    .bind(claim.process)
    .bind(next.no_timers)
    .bind(next.ends)
    .execute(&mut *conn)
    .await?;
    let (names, due): (Vec<&str>, Vec<Timestamp>) = next.timers.iter().copied().unzip();
    sqlx::query(
        "INSERT INTO processes.timers (tenant_id, name, process_id, timer, due_at)
         SELECT $1::uuid, $2::text, $3::uuid, new.timer, new.due_at
         FROM UNNEST($4::text[], $5::timestamptz[]) AS new (timer, due_at)
         ON CONFLICT (tenant_id, name, process_id, timer) DO UPDATE SET due_at = excluded.due_at",
    )
    .bind(claim.tenant.uuid())
    .bind(&claim.name)
    .bind(claim.process)
    .bind(names)
    .bind(due)
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps up to which versions it knows aggregates.
pub(super) async fn keep_seen(conn: &mut PgConnection, claim: &Claim, seen: &str) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE processes.processes SET seen = $4 WHERE tenant_id = $1 AND name = $2 AND process_id = $3")
        .bind(claim.tenant.uuid())
        .bind(&claim.name)
        .bind(claim.process)
        .bind(seen)
        .execute(conn)
        .await?;
    Ok(())
}
