//! `reindex verify`: the proof that a generation holds what the active one holds, and differs only where its plan
//! says so.
//!
//! Both stand at the same offsets while they are read: the candidate stands still, the active one is taken as it is
//! at this moment, the candidate is let run to exactly there, and goes on as soon as it has been opened. Nothing that
//! is written waits for this. Copies on other nodes stand at these offsets, too, and their digests have to be the same.

use crate::{
    context::CommandContext,
    failure::{Failure, Refusal},
    generations::{self, Generation, State},
    vectors,
};
use certificate::Certificate;
use schemas::Utc;
use search::{
    background::{self, Throttle},
    bundle::{Change, changes},
    digest,
    generation::Manifest,
    offsets::{self, Offsets, covers},
    reader::{IndexHandle, Snapshot},
};
use serde::Serialize;
use std::{
    fmt,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

pub mod certificate;
pub mod differences;
mod others;

use certificate::NodeProof;
use differences::Differences;
use others::Others;

/// How long the candidate may take to the active one's offsets.
const CATCH_UP: Duration = Duration::from_secs(120);

/// Verify that a generation differs from the active one only where its bundle says so
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  reindex verify g2\n  reindex verify g2 --accept description     # this field may lose words\n\nThe settings of a bundle declare what it changes; those differences are counted. A field that loses documents or many\nof its words is refused all the same, unless you accept it by name."
)]
pub struct Args {
    /// The generation
    pub generation: String,
    /// A field of the index that may lose documents or words
    #[arg(long, value_name = "FIELD")]
    pub accept: Vec<String>,
    /// Don't slow down for shoppers
    #[arg(long)]
    pub at_once: bool,
}

/// The outcome of a verification that was not refused.
#[derive(Debug, Clone, Serialize)]
pub struct Verified {
    /// The certificate, as it is kept with the generation.
    pub certificate: Certificate,
    /// Seconds it took.
    pub took_seconds: f64,
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.certificate)?;
        writeln!(
            f,
            "verified in {:.1} s; `reindex promote {}` puts it live",
            self.took_seconds, self.certificate.generation
        )
    }
}

/// Verifies a generation and keeps the certificate with it.
///
/// # Errors
/// A refusal with what was found, if anything differs that was not declared.
pub async fn run(context: &CommandContext, args: &Args) -> Result<Verified, Failure> {
    let began = Instant::now();
    let (candidate, active) =
        (generations::named(context, &args.generation).await?, generations::active(context).await?);
    if !matches!(
        candidate.state,
        State::CatchingUp | State::Ready | State::Retired | State::RolledBack | State::Verifying
    ) {
        return Err(Failure::refused(
            "not_verifiable",
            format!(
                "{} is {}; it is verified once it is built and follows the topic",
                args.generation, candidate.state
            ),
        ));
    }
    // A verification that was interrupted left its state behind; it is taken up again.
    let before = if candidate.state == State::Verifying { State::CatchingUp } else { candidate.state };
    let mut transaction = context.pool.begin().await?;
    generations::step(context, &mut transaction, &candidate, State::Verifying, "").await?;
    transaction.commit().await?;
    let outcome = proof(context, &candidate, &active, args).await;
    release(context, &args.generation).await?;
    let seen = generations::named(context, &args.generation).await?;
    let mut transaction = context.pool.begin().await?;
    match outcome {
        Ok(certificate) => {
            sqlx::query("UPDATE index_generations SET certificate = $2 WHERE generation = $1")
                .bind(&args.generation)
                .bind(serde_json::to_value(&certificate)?)
                .execute(&mut *transaction)
                .await?;
            let to = if before == State::CatchingUp { State::Ready } else { before };
            generations::step(context, &mut transaction, &seen, to, "").await?;
            transaction.commit().await?;
            Ok(Verified { certificate, took_seconds: began.elapsed().as_secs_f64() })
        }
        Err(failure) => {
            let to = if before == State::Ready { State::CatchingUp } else { before };
            generations::step(context, &mut transaction, &seen, to, &failure.to_string()).await?;
            sqlx::query("UPDATE index_generations SET certificate = NULL WHERE generation = $1")
                .bind(&args.generation)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Err(failure)
        }
    }
}

async fn proof(
    context: &CommandContext,
    candidate: &Generation,
    active: &Generation,
    args: &Args,
) -> Result<Certificate, Failure> {
    let (new, old) = (candidate.manifest()?, active.manifest()?);
    let declared = changes(&old.bundle, &new.bundle);
    // Where the set is the one in use, searches prove it every day.
    let model = &new.bundle.model;
    let vectors = if *model == old.bundle.model { None } else { vectors::prove(context, model).await? };
    let bar = context.bar(5, &format!("verifying {}", candidate.generation));
    let except: Vec<String> = declared.iter().flat_map(|change: &Change| change.fields.clone()).collect();
    let mut others = Others::of(context, &candidate.generation, except.clone(), args.at_once).await?;
    let (standing, moved, at) = at_the_same_offsets(context, &old, &new, &mut others).await?;
    bar.inc(1);
    let (taken, marks, throttle) = (declared.clone(), args.accept.clone(), Throttle::beside(&context.index_dir));
    throttle.hurry(args.at_once);
    let steps = bar.clone();
    let (done, outcome) = oneshot::channel();
    background::spawn("proof", move || {
        let compared = || {
            let old = digest::digest_set(&standing, &except, &throttle)?;
            steps.inc(1);
            let new = digest::digest_set(&moved, &except, &throttle)?;
            steps.inc(1);
            let found = Differences::between((&old, &standing), (&new, &moved), &taken, &marks)?;
            steps.inc(1);
            Ok::<_, Failure>((found, new))
        };
        // Nobody waits any more if the command was interrupted.
        let _ = done.send(compared());
    })
    .map_err(|error| Failure::Other(error.to_string()))?;
    let (found, set) = outcome.await.map_err(|_| Failure::Other("the proof broke off".to_owned()))??;
    let own = NodeProof { documents: set.live(), digest: set.digest() };
    let nodes = others.proved(context, own).await?;
    bar.finish_and_clear();
    if !found.undeclared.is_empty() {
        return Err(Failure::Refused(Refusal {
            code: "undeclared_differences",
            detail: format!(
                "{} would not show what {} shows; nothing was promoted",
                candidate.generation, active.generation
            ),
            findings: found.undeclared,
        }));
    }
    let unsigned = Certificate {
        generation: new.generation,
        bundle: new.bundle.name.clone(),
        bundle_hash: new.bundle_hash,
        basis: old.generation,
        basis_bundle_hash: old.bundle_hash,
        offsets: serde_json::from_str(&offsets::to_json(&at))?,
        documents: set.live(),
        tenants: set.counts().into_iter().map(|(tenant, count)| (tenant.to_owned(), count)).collect(),
        digest: set.digest(),
        fields: set.tenants,
        changes: declared,
        declared: found.declared,
        vectors,
        nodes,
        left_out: others.left_out,
        accepted: args.accept.clone(),
        by: context.actor.clone(),
        at: Utc::now(),
        signature: String::new(),
    };
    unsigned.signed(&context.signing_key)
}

/// The active generation as it is now, and the candidate at the very same offsets, here and on every other node.
async fn at_the_same_offsets(
    context: &CommandContext,
    old: &Manifest,
    new: &Manifest,
    others: &mut Others,
) -> Result<(Snapshot, Snapshot, Offsets), Failure> {
    let open = |name: &str| IndexHandle::open(&context.index_dir, name);
    let (live, next) = (open(&old.generation)?, open(&new.generation)?);
    let deadline = Instant::now() + CATCH_UP;
    // While it stands still, what it has read can't run ahead of the active one.
    hold(context, &new.generation, None).await?;
    wait_for_phase(context, &new.generation, &["paused", "held"], deadline).await?;
    let mut reached = offsets::of_topics(&next.snapshot().next_offsets());
    // No copy goes back: the active one has to come to where the furthest of them is.
    for (at, next) in others.paused(context, deadline).await? {
        let known = reached.entry(at).or_default();
        *known = (*known).max(next);
    }
    let mut commits = live.subscribe();
    while !covers(&offsets::of_topics(&commits.borrow_and_update().next_offsets()), &reached) {
        until(deadline, commits.changed(), "the active generation doesn't move on").await?;
    }
    let standing = live.snapshot();
    let at = offsets::of_topics(&standing.next_offsets());
    others.ask(context, &at).await?;
    hold(context, &new.generation, Some(&at)).await?;
    let mut commits = next.subscribe();
    loop {
        let snapshot = commits.borrow_and_update().clone();
        let there = offsets::of_topics(&snapshot.next_offsets());
        if covers(&there, &at) {
            others.standing(context, deadline).await?;
            release(context, &new.generation).await?;
            if there != at {
                return Err(Failure::Other(format!(
                    "{} went past the offsets it was held at; run the command again",
                    new.generation
                )));
            }
            return Ok((standing, snapshot, at));
        }
        until(deadline, commits.changed(), "the candidate doesn't reach the active one's offsets").await?;
    }
}

async fn until<T>(deadline: Instant, signal: impl Future<Output = T>, otherwise: &str) -> Result<(), Failure> {
    let left = deadline.saturating_duration_since(Instant::now());
    tokio::time::timeout(left, signal).await.map_err(|_| {
        Failure::TimedOut(format!(
            "{otherwise} within {} s; is the index writer of this node running?",
            CATCH_UP.as_secs()
        ))
    })?;
    Ok(())
}

/// Has the candidate stand still, or run to given offsets and stand there.
async fn hold(context: &CommandContext, name: &str, at: Option<&Offsets>) -> Result<(), Failure> {
    let stop = at.map(|at| serde_json::from_str::<serde_json::Value>(&offsets::to_json(at))).transpose()?;
    sqlx::query("UPDATE index_generations SET paused = $2, stop_at = $3 WHERE generation = $1")
        .bind(name)
        .bind(at.is_none())
        .bind(stop)
        .execute(&context.pool)
        .await?;
    Ok(())
}

async fn release(context: &CommandContext, name: &str) -> Result<(), Failure> {
    sqlx::query("UPDATE index_generations SET paused = false, stop_at = NULL WHERE generation = $1")
        .bind(name)
        .execute(&context.pool)
        .await?;
    Ok(())
}

async fn wait_for_phase(
    context: &CommandContext,
    name: &str,
    phases: &[&str],
    deadline: Instant,
) -> Result<(), Failure> {
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let found: Option<bool> = sqlx::query_scalar(
            "SELECT phase = ANY($3) FROM generation_copies WHERE generation = $1 AND node = $2 AND heartbeat_at > now() - interval '10 seconds'",
        )
        .bind(name)
        .bind(&context.node)
        .bind(phases)
        .fetch_optional(&context.pool)
        .await?;
        if found == Some(true) {
            return Ok(());
        }
        if Instant::now() > deadline {
            let detail = format!(
                "the copy of {name} on node {} does not answer; is its projector running, and is --node right?",
                context.node
            );
            return Err(Failure::TimedOut(detail));
        }
    }
}
