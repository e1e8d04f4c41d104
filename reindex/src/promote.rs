//! `reindex promote` and `reindex rollback`: which generation answers, by one row; every query-api follows by itself
//! and says so.

use crate::{
    Desk, Failure, control,
    generations::{self, Generation, State},
    verify::certificate::Certificate,
    watch,
};
use serde::Serialize;
use sqlx::PgConnection;
use std::{
    fmt,
    time::{Duration, Instant},
};

/// How often it is looked who has followed.
const LOOK: Duration = Duration::from_millis(50);
/// How long a query-api may take to open a generation.
const OPENS_WITHIN: Duration = Duration::from_secs(15);

/// Have queries answered by a generation that was verified
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  reindex promote g2\n  reindex promote g2 --canary 10        # a tenth of the searches first\n  reindex promote g2 --watch 300        # and back by itself if it does worse in five minutes\n\nThe generation in use stays warm and caught up: `reindex rollback` goes back within seconds and loses nothing."
)]
pub struct PromoteArgs {
    /// The generation
    pub generation: String,
    /// Only a share of the searches, in percent; 0 takes it back, and a promotion without it ends it
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(i16).range(0..=100))]
    pub canary: Option<i16>,
    /// Watch it for this many seconds afterwards, and roll back if it does worse
    #[arg(long, value_name = "SECONDS", conflicts_with = "canary")]
    pub watch: Option<u64>,
    /// What is worse
    #[command(flatten)]
    pub limits: watch::Limits,
    /// Retired generations that stay, for the way back; older ones are forgotten
    #[arg(long, default_value_t = 1)]
    pub keep: usize,
    /// Seconds in which every query-api has to follow
    #[arg(long, default_value_t = 60)]
    pub wait: u64,
}

/// Go back to the generation that answered before
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  reindex rollback\n  reindex rollback --reason 'too many searches without a hit'")]
pub struct RollbackArgs {
    /// Why, for the record
    #[arg(long, default_value = "")]
    pub reason: String,
    /// Seconds in which every query-api has to follow
    #[arg(long, default_value_t = 60)]
    pub wait: u64,
}

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
    /// The query-api processes that have followed.
    pub followed: Vec<String>,
    /// Seconds until the last of them had.
    pub seconds: f64,
    /// What watching it found, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watched: Option<watch::Watched>,
}

impl fmt::Display for Switched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { generation, previous, followed, seconds, share, .. } = self;
        if self.epoch.is_none() {
            return writeln!(f, "{generation} answers {share} % of the searches; {previous} the others");
        }
        writeln!(f, "{generation} answers; {} query-api followed within {seconds:.2} s", followed.len())?;
        match &self.watched {
            Some(watched) => write!(f, "{watched}"),
            None => writeln!(f, "{previous} stays caught up: `reindex rollback` goes back to it"),
        }
    }
}

/// Promotes a generation.
///
/// # Errors
/// A refusal if it has no genuine certificate for its bundle, or a query-api that is alive doesn't follow.
pub async fn promote(desk: &Desk, args: &PromoteArgs) -> Result<Switched, Failure> {
    let (next, active) = (generations::named(desk, &args.generation).await?, generations::active(desk).await?);
    if next.state == State::Active {
        return Err(Failure::refused("active", format!("{} answers queries already", args.generation)));
    }
    if !matches!(next.state, State::Ready | State::Retired | State::RolledBack) {
        return Err(Failure::refused(
            "not_ready",
            format!("{} is {}: it has to be built and verified first", args.generation, next.state),
        ));
    }
    prove(desk, &next)?;
    if let Some(share) = args.canary {
        return canary(desk, &next, &active, share).await;
    }
    // Those who are to follow are waited for until they have it open: none is left behind half way.
    opened(desk, &args.generation).await?;
    let before = watch::figures(desk, &active.generation).await?;
    let mut transaction = desk.pool.begin().await?;
    generations::step(desk, &mut transaction, &active, State::Retired, "").await?;
    let epoch = activate(desk, &mut transaction, &next, &active, "promote", "").await?;
    transaction.commit().await?;
    let mut switched = followed(desk, &args.generation, &active.generation, epoch, args.wait).await?;
    control::prune(desk, &control::PruneArgs { keep: args.keep, dry_run: false }).await?;
    if let Some(seconds) = args.watch {
        let watched = watch::after(desk, &args.generation, before, seconds, &args.limits).await?;
        switched.watched = Some(watched);
    }
    Ok(switched)
}

/// Goes back to the generation before the newest switch.
///
/// # Errors
/// A refusal if there is none that is kept caught up.
pub async fn rollback(desk: &Desk, args: &RollbackArgs) -> Result<Switched, Failure> {
    let active = generations::active(desk).await?;
    let previous: Option<String> = sqlx::query_scalar(
        "SELECT g.generation FROM index_generations g WHERE g.state = 'retired'
         ORDER BY g.generation = (SELECT previous FROM index_switches ORDER BY epoch DESC LIMIT 1) DESC, g.activated_at DESC NULLS LAST LIMIT 1",
    )
    .fetch_optional(&desk.pool)
    .await?;
    let previous = previous.ok_or_else(|| {
        Failure::refused("nowhere_to_go", "no generation before this one is kept; promote another that was verified")
    })?;
    let target = generations::named(desk, &previous).await?;
    target.manifest()?;
    let mut transaction = desk.pool.begin().await?;
    generations::step(desk, &mut transaction, &active, State::RolledBack, &args.reason).await?;
    let epoch = activate(desk, &mut transaction, &target, &active, "rollback", &args.reason).await?;
    transaction.commit().await?;
    followed(desk, &previous, &active.generation, epoch, args.wait).await
}

/// Whether a generation carries a genuine certificate of itself.
fn prove(desk: &Desk, next: &Generation) -> Result<(), Failure> {
    let name = &next.generation;
    // What has answered before needs no other proof than that it was kept caught up.
    if next.certificate.is_none() && next.activated_at.is_some() {
        return Ok(());
    }
    let Some(kept) = &next.certificate else {
        return Err(Failure::refused("no_certificate", format!("{name} has no certificate: `reindex verify {name}`")));
    };
    let certificate: Certificate = serde_json::from_value(kept.clone())?;
    let own = next.manifest()?;
    let matches = certificate.generation == *name && certificate.bundle_hash == own.bundle_hash;
    if !matches || own.bundle.hash()? != own.bundle_hash || !certificate.is_genuine(&desk.signing_key)? {
        return Err(Failure::refused(
            "false_certificate",
            format!(
                "the certificate of {name} is not as it was signed, or of another bundle: `reindex verify {name}` again"
            ),
        ));
    }
    Ok(())
}

async fn canary(desk: &Desk, next: &Generation, active: &Generation, share: i16) -> Result<Switched, Failure> {
    let mut transaction = desk.pool.begin().await?;
    sqlx::query("UPDATE index_generations SET canary = CASE WHEN generation = $1 THEN $2 ELSE 0 END, revision = revision + 1 WHERE generation = $1 OR canary > 0")
        .bind(&next.generation)
        .bind(share)
        .execute(&mut *transaction)
        .await?;
    desk.record(&mut *transaction, "generation.canary", &next.generation, serde_json::json!({"percent": share}))
        .await?;
    transaction.commit().await?;
    Ok(Switched {
        generation: next.generation.clone(),
        previous: active.generation.clone(),
        epoch: None,
        share,
        followed: Vec::new(),
        seconds: 0.0,
        watched: None,
    })
}

/// Makes a generation the active one; gives the switch's number.
async fn activate(
    desk: &Desk,
    transaction: &mut PgConnection,
    next: &Generation,
    previous: &Generation,
    kind: &str,
    reason: &str,
) -> Result<i64, Failure> {
    generations::step(desk, transaction, next, State::Active, reason).await?;
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
    .bind(&desk.actor)
    .bind(reason)
    .fetch_one(transaction)
    .await?;
    Ok(epoch)
}

/// Waits until every query-api that is alive has opened the generation; refuses if one doesn't.
async fn opened(desk: &Desk, name: &str) -> Result<(), Failure> {
    let began = Instant::now();
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        let without: Vec<String> = sqlx::query_scalar(
            "SELECT reader FROM query_nodes WHERE heartbeat_at > now() - interval '5 seconds' AND NOT $1 = ANY(opened)",
        )
        .bind(name)
        .fetch_all(&desk.pool)
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

/// Waits until every query-api that is alive has followed a switch.
async fn followed(desk: &Desk, name: &str, previous: &str, epoch: i64, wait: u64) -> Result<Switched, Failure> {
    let began = Instant::now();
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        let nodes: Vec<(String, i64, String)> = sqlx::query_as(
            "SELECT reader, epoch, waiting FROM query_nodes WHERE heartbeat_at > now() - interval '5 seconds' ORDER BY reader",
        )
        .fetch_all(&desk.pool)
        .await?;
        let late: Vec<&(String, i64, String)> = nodes.iter().filter(|(_, seen, _)| *seen < epoch).collect();
        if late.is_empty() && !nodes.is_empty() {
            return Ok(Switched {
                generation: name.to_owned(),
                previous: previous.to_owned(),
                epoch: Some(epoch),
                share: 100,
                followed: nodes.into_iter().map(|(reader, ..)| reader).collect(),
                seconds: began.elapsed().as_secs_f64(),
                watched: None,
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
