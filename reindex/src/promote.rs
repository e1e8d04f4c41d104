//! `reindex promote`: which generation answers is one row in the database. Every query-api follows it by itself and
//! reports that it has.

use crate::{
    context::CommandContext,
    control,
    failure::Failure,
    generations::{self, Generation, State},
    switch::{self, Switched},
    verify::certificate::Certificate,
    watch,
};
use serde::Serialize;
use std::fmt;

/// Make a verified generation the active one
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  reindex promote g2\n  reindex promote g2 --canary 10        # a tenth of the searches first\n  reindex promote g2 --watch 300        # rolls back if it does worse within five minutes\n\nThe former generation stays up to date. `reindex rollback` goes back to it within seconds and loses nothing."
)]
pub struct Args {
    /// The generation
    pub generation: String,
    /// Answer only this share of the searches, in percent. 0 ends the trial, and so does a promotion
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(i16).range(0..=100))]
    pub canary: Option<i16>,
    /// Watch it for this many seconds, and roll back if it does worse
    #[arg(long, value_name = "SECONDS", conflicts_with = "canary")]
    pub watch: Option<u64>,
    /// The limits of the watch
    #[command(flatten)]
    pub limits: watch::Limits,
    /// Retired generations to keep for a rollback; older ones are deleted
    #[arg(long, default_value_t = 1)]
    pub keep: usize,
    /// Seconds in which every query-api has to switch
    #[arg(long, default_value_t = 60)]
    pub wait: u64,
}

/// A promotion, and what watching it found.
#[derive(Debug, Clone, Serialize)]
pub struct Promoted {
    /// The switch.
    #[serde(flatten)]
    pub switched: Switched,
    /// What watching it found, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watched: Option<watch::Watched>,
}

impl fmt::Display for Promoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.switched)?;
        match &self.watched {
            Some(watched) => write!(f, "{watched}"),
            None if self.switched.epoch.is_none() => Ok(()),
            None => {
                let previous = &self.switched.previous;
                writeln!(f, "{previous} stays up to date; `reindex rollback` goes back to it")
            }
        }
    }
}

/// Promotes a generation.
///
/// # Errors
/// A refusal if it has no genuine certificate for its bundle, or a query-api that is alive doesn't follow.
pub async fn run(context: &CommandContext, args: &Args) -> Result<Promoted, Failure> {
    let (next, active) = (generations::named(context, &args.generation).await?, generations::active(context).await?);
    if next.state == State::Active {
        return Err(Failure::refused("active", format!("{} answers queries already", args.generation)));
    }
    if !matches!(next.state, State::Ready | State::Retired | State::RolledBack) {
        return Err(Failure::refused(
            "not_ready",
            format!("{} is {}: it has to be built and verified first", args.generation, next.state),
        ));
    }
    prove(context, &next).await?;
    if let Some(share) = args.canary {
        let switched = canary(context, &next, &active, share, &args.limits).await?;
        return Ok(Promoted { switched, watched: None });
    }
    // Those who are to follow are waited for until they have it open: none is left behind half way.
    switch::opened(context, &next, &active).await?;
    let before = watch::figures(context, &active.generation).await?;
    let mut transaction = context.pool.begin().await?;
    generations::step(context, &mut transaction, &active, State::Retired, "").await?;
    let epoch = switch::activate(context, &mut transaction, &next, &active, "promote", "").await?;
    if let Some(seconds) = args.watch {
        watch::begin(context, &mut transaction, &args.generation, &before, seconds, &args.limits).await?;
    }
    transaction.commit().await?;
    let switched = switch::followed(context, &next, &active, epoch, args.wait).await?;
    control::prune(context, &control::PruneArgs { keep: args.keep, dry_run: false }).await?;
    let watched = match args.watch {
        Some(seconds) => Some(watch::follow(context, &args.generation, seconds).await?),
        None => None,
    };
    Ok(Promoted { switched, watched })
}

/// Whether a generation carries a genuine certificate of itself, and of its copy on every node that serves.
async fn prove(context: &CommandContext, next: &Generation) -> Result<(), Failure> {
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
    if !matches || own.bundle.hash()? != own.bundle_hash || !certificate.is_genuine(&context.signing_key)? {
        return Err(Failure::refused(
            "false_certificate",
            format!(
                "the certificate of {name} is not as it was signed, or of another bundle: `reindex verify {name}` again"
            ),
        ));
    }
    // Certificates of earlier releases are of one copy: with them, what has answered before may answer again.
    if certificate.nodes.is_empty() && next.activated_at.is_some() {
        return Ok(());
    }
    proved_everywhere(context, name, &certificate).await
}

/// Whether the copy of every node that answers queries now was proved, and is still the one that was.
async fn proved_everywhere(context: &CommandContext, name: &str, certificate: &Certificate) -> Result<(), Failure> {
    let serving: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT DISTINCT q.node, p.digest FROM query_nodes AS q
         LEFT JOIN generation_proofs AS p ON p.generation = $1 AND p.node = q.node AND p.state = 'proved'
         WHERE q.heartbeat_at > now() - interval '5 seconds' ORDER BY q.node",
    )
    .bind(name)
    .fetch_all(&context.pool)
    .await?;
    let is_proved = |(node, digest): &&(String, Option<String>)| {
        certificate.nodes.get(node).is_some_and(|proof| digest.as_ref() == Some(&proof.digest))
    };
    let unproved: Vec<String> = serving.iter().filter(|node| !is_proved(node)).map(|(node, _)| node.clone()).collect();
    if unproved.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "the copy of {name} on {} is not proved: `reindex verify {name}`; nothing was promoted",
        unproved.join(", ")
    );
    Err(Failure::refused("not_proved_everywhere", detail))
}

async fn canary(
    context: &CommandContext,
    next: &Generation,
    active: &Generation,
    share: i16,
    limits: &watch::Limits,
) -> Result<Switched, Failure> {
    let mut transaction = context.pool.begin().await?;
    sqlx::query("UPDATE index_generations SET canary = CASE WHEN generation = $1 THEN $2 ELSE 0 END, revision = revision + 1 WHERE generation = $1 OR canary > 0")
        .bind(&next.generation)
        .bind(share)
        .execute(&mut *transaction)
        .await?;
    context
        .record(&mut *transaction, "generation.canary", &next.generation, serde_json::json!({"percent": share}))
        .await?;
    if share > 0 {
        watch::begin_trial(context, &mut transaction, &next.generation, limits).await?;
    }
    transaction.commit().await?;
    Ok(Switched {
        generation: next.generation.clone(),
        previous: active.generation.clone(),
        epoch: None,
        share,
        followed: Vec::new(),
        seconds: 0.0,
    })
}
