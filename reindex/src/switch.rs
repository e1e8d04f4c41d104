//! The switch of queries to another generation: one row in the database, which every query-api follows.

use crate::{
    context::CommandContext,
    failure::Failure,
    generations::{self, Generation, State},
};
use search::generation::Format;
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgConnection};
use std::{
    fmt,
    time::{Duration, Instant},
};

/// How often it is looked who has followed.
const LOOK: Duration = Duration::from_millis(50);
/// How long a query-api may take to open a generation.
const OPENS_WITHIN: Duration = Duration::from_secs(15);

/// A switch, as it was followed.
#[derive(Debug, Clone, Serialize)]
pub struct Switched {
    /// The generation that answers now.
    pub generation: String,
    /// The one that did.
    pub previous: String,
    /// The switch's number; none for a canary.
    pub epoch: Option<i64>,
    /// Share of the searches it answers, in percent.
    pub share: i16,
    /// The query-api processes that have followed: address and node of each.
    pub followed: Vec<String>,
    /// Seconds until the last of them had.
    pub seconds: f64,
}

impl fmt::Display for Switched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { generation, previous, followed, seconds, share, .. } = self;
        if self.epoch.is_none() {
            return writeln!(f, "{generation} answers {share} % of the searches; {previous} answers the others");
        }
        writeln!(f, "{generation} is active; {} query-api processes switched within {seconds:.2} s", followed.len())
    }
}

/// Makes a generation the active one; gives the switch's number.
///
/// # Errors
/// A refusal if another operator has moved the generation meanwhile.
pub async fn activate(
    context: &CommandContext,
    transaction: &mut PgConnection,
    next: &Generation,
    previous: &Generation,
    kind: &str,
    reason: &str,
) -> Result<i64, Failure> {
    generations::step(context, transaction, next, State::Active, reason).await?;
    sqlx::query("UPDATE index_generations SET activated_at = now(), canary = 0, paused = false, stop_at = NULL WHERE generation = $1")
        .bind(&next.generation)
        .execute(&mut *transaction)
        .await?;
    let epoch = sqlx::query_scalar(
        "INSERT INTO index_switches (generation, previous, kind, actor, reason) VALUES ($1, $2, $3, $4, $5) RETURNING epoch",
    )
    .bind(&next.generation)
    .bind(&previous.generation)
    .bind(kind)
    .bind(&context.actor)
    .bind(reason)
    .fetch_one(transaction)
    .await?;
    Ok(epoch)
}

/// A query-api of a release that can't read the generation `$1`: the index writer of its node is at work and keeps no copy.
/// It goes on with what it has until it is updated, so nobody waits for it where the formats differ (`$2`).
const OF_ANOTHER_RELEASE: &str = "$2
    AND EXISTS (SELECT FROM index_nodes AS n WHERE n.node = q.node AND n.heartbeat_at > now() - interval '5 seconds')
    AND NOT EXISTS (SELECT FROM generation_copies AS c
                    WHERE c.generation = $1 AND c.node = q.node AND c.heartbeat_at > now() - interval '5 seconds')";

/// Whether a release that reads one of them may not read the other.
fn formats_differ(next: &Generation, active: &Generation) -> bool {
    Format::of(&next.manifest) != Format::of(&active.manifest)
}

/// Waits until every query-api that is alive, and can, has opened the generation that is to follow the active one.
///
/// # Errors
/// A refusal that names those that have not.
pub async fn opened(context: &CommandContext, next: &Generation, active: &Generation) -> Result<(), Failure> {
    let name = &next.generation;
    let sql = format!(
        "SELECT address || ' on node ' || node FROM query_nodes AS q
         WHERE heartbeat_at > now() - interval '5 seconds' AND NOT $1 = ANY(opened) AND NOT ({OF_ANOTHER_RELEASE})
         ORDER BY node, address"
    );
    let began = Instant::now();
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        let without: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql.clone()))
            .bind(name)
            .bind(formats_differ(next, active))
            .fetch_all(&context.pool)
            .await?;
        if without.is_empty() {
            return Ok(());
        }
        if began.elapsed() > OPENS_WITHIN {
            let detail = format!("{name} is not open at {}; nothing was promoted", without.join(", "));
            return Err(Failure::refused("not_opened", detail));
        }
    }
}

/// Waits until every query-api that is alive, and can, has followed a switch.
///
/// # Errors
/// [`Failure::TimedOut`] with those that have not.
pub async fn followed(
    context: &CommandContext,
    next: &Generation,
    previous: &Generation,
    epoch: i64,
    wait: u64,
) -> Result<Switched, Failure> {
    let (name, crosses) = (&next.generation, formats_differ(next, previous));
    let sql = format!(
        "SELECT address || ' on node ' || node, epoch, waiting FROM query_nodes AS q
         WHERE heartbeat_at > now() - interval '5 seconds' AND NOT ({OF_ANOTHER_RELEASE}) ORDER BY node, address, reader"
    );
    let began = Instant::now();
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        let nodes: Vec<(String, i64, String)> =
            sqlx::query_as(AssertSqlSafe(sql.clone())).bind(name).bind(crosses).fetch_all(&context.pool).await?;
        let late: Vec<&(String, i64, String)> = nodes.iter().filter(|(_, seen, _)| *seen < epoch).collect();
        // Where none is of a release that reads it, those that will be started follow.
        if late.is_empty() && (crosses || !nodes.is_empty()) {
            return Ok(Switched {
                generation: name.clone(),
                previous: previous.generation.clone(),
                epoch: Some(epoch),
                share: 100,
                followed: nodes.into_iter().map(|(reader, ..)| reader).collect(),
                seconds: began.elapsed().as_secs_f64(),
            });
        }
        if began.elapsed() > Duration::from_secs(wait) {
            let why: Vec<String> = late.iter().map(|(reader, _, waiting)| format!("{reader} ({waiting})")).collect();
            let who = if nodes.is_empty() { "no query-api reports".to_owned() } else { why.join(", ") };
            return Err(Failure::TimedOut(format!(
                "{name} is active, but not everybody has followed within {wait} s: {who}. Each follows by itself as soon as it can"
            )));
        }
    }
}
