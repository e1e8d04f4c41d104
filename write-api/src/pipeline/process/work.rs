//! One process, as far as it goes at the moment.

use super::{
    Answered, Call, Note, Process, Step, Trigger, What,
    metrics::ProcessMetrics,
    store::{self, Claim, Kept, Next, StepRow, Taken, TriggerRow},
};
use crate::pipeline::{App, Audited, Error, Failure, Scope, idempotency::Key};
use futures::FutureExt;
use schemas::{TimeDelta, Timestamp, Uuid, contexts::Context, events::DomainEvent};
use serde::Serialize;
use service::RequestContext;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, panic::AssertUnwindSafe, time::Duration};

/// How long a process belongs to the node that works on it, unless that extends it.
pub(super) const LEASE: TimeDelta = TimeDelta::seconds(10);
/// How often it is extended while a step is under way.
const EXTENDED: Duration = Duration::from_secs(3);
/// How long a step may take.
const STEP: Duration = Duration::from_secs(60);
/// Tries of a step before its process is parked.
const TRIES: i32 = 12;
/// The longest pause between two tries, in seconds.
const LONGEST_PAUSE_S: i64 = 60;
/// How much one process does before others have their turn.
const TURNS: u32 = 200;

/// Lets a claimed process take in what it was told and carry out its steps until there is nothing left to do now.
pub(super) async fn work<P: Process>(app: &App, claim: &Claim, metrics: &ProcessMetrics) -> Result<(), Failure> {
    let worker = Worker { app, claim, metrics };
    let mut turn = Turn::Took;
    for _ in 0..TURNS {
        turn = match turn {
            Turn::Took => worker.turn::<P>().await?,
            Turn::Step(step) => worker.carry_out::<P>(&step).await?,
            Turn::Over => return Ok(()),
        };
    }
    let mut transaction = app.database.of_shop(claim.tenant).await?;
    store::release(&mut transaction, claim).await?;
    Ok(transaction.commit().await?)
}

enum Turn {
    /// There may be more to do.
    Took,
    /// This step is next, and the process was told nothing that comes before it.
    Step(StepRow),
    /// There is nothing to do now, or somebody else does it.
    Over,
}

struct Worker<'a> {
    app: &'a App,
    claim: &'a Claim,
    metrics: &'a ProcessMetrics,
}

/// What is told to a process, and what goes with it.
struct Told<A> {
    trigger: Trigger<A>,
    taken: Taken,
    cause: Option<String>,
    seen: Vec<(Uuid, u64)>,
}

impl Worker<'_> {
    fn scope(&self, cause: Option<String>) -> Scope {
        let claim = self.claim;
        let request =
            RequestContext { correlation_id: claim.correlation_id.clone(), traceparent: claim.traceparent.clone() };
        Scope { cause, ..self.app.scope(claim.tenant, request, Audited::default()) }
    }

    async fn turn<P: Process>(&self) -> Result<Turn, Failure> {
        let (claim, now) = (self.claim, self.app.clock.now());
        let mut transaction = self.app.database.of_shop(claim.tenant).await?;
        let Some(kept) = store::hold(&mut transaction, claim, now + LEASE).await? else { return Ok(Turn::Over) };
        if let Some(row) = store::next_trigger(&mut transaction, claim).await? {
            let told = match read(row) {
                Ok(told) => told,
                Err(reason) => {
                    transaction.rollback().await?;
                    return self.park::<P>(None, &reason).await;
                }
            };
            let reaction = self.react::<P>(&mut transaction, &kept, told, now).await;
            return self.ended::<P>(transaction, None, reaction).await;
        }
        if let Some(step) = store::next_step(&mut transaction, claim, now).await? {
            transaction.commit().await?;
            return Ok(Turn::Step(step));
        }
        if let Some((timer, due_at)) = store::next_timer(&mut transaction, claim, now).await? {
            let trigger = Trigger { at: due_at.max(now), what: What::Timer(timer.clone()) };
            let told = Told { trigger, taken: Taken::Timer(timer), cause: None, seen: Vec::new() };
            let reaction = self.react::<P>(&mut transaction, &kept, told, now).await;
            return self.ended::<P>(transaction, None, reaction).await;
        }
        store::release(&mut transaction, claim).await?;
        transaction.commit().await?;
        Ok(Turn::Over)
    }

    /// Keeps what a reaction led to; one that can't be kept parks the process.
    async fn ended<P: Process>(
        &self,
        transaction: sqlx::PgTransaction<'static>,
        step: Option<&str>,
        reaction: Result<Option<StepRow>, Failure>,
    ) -> Result<Turn, Failure> {
        match reaction {
            Ok(next) => {
                transaction.commit().await?;
                Ok(next.map_or(Turn::Took, Turn::Step))
            }
            Err(failure @ (Failure::Unreadable(..) | Failure::NoJson(..) | Failure::Unwritable(_))) => {
                transaction.rollback().await?;
                self.park::<P>(step, &failure.to_string()).await
            }
            Err(failure) => Err(failure),
        }
    }

    /// Tells the process, and keeps what it makes of it; gives the step that is next, if it can be carried out at once.
    async fn react<P: Process>(
        &self,
        conn: &mut sqlx::PgConnection,
        kept: &Kept,
        told: Told<P::Answer>,
        now: Timestamp,
    ) -> Result<Option<StepRow>, Failure> {
        let unreadable = |error: serde_json::Error| Failure::Unreadable("process", error.to_string());
        let mut seen: BTreeMap<Uuid, u64> = serde_json::from_str(&kept.seen).map_err(unreadable)?;
        // What a process knows already is told again by the event of its own command.
        let is_known = matches!(told.trigger.what, What::Event(..))
            && told.seen.iter().all(|(id, version)| seen.get(id).is_some_and(|known| known >= version));
        store::took(conn, self.claim, &told.taken).await?;
        if is_known {
            return Ok(None);
        }
        for (id, version) in told.seen {
            let known = seen.entry(id).or_default();
            *known = (*known).max(version);
        }
        let seen = json(&seen)?;
        let state: Option<P::State> =
            kept.state.as_deref().map(serde_json::from_str).transpose().map_err(unreadable)?;
        let Some((state, steps)) = P::react(state.as_ref(), &told.trigger) else {
            store::keep_seen(conn, self.claim, &seen).await?;
            return Ok(None);
        };
        let plan = Plan::of(steps)?;
        let next = Next {
            state: &json(&state)?,
            seen: &seen,
            steps: &plan.commands,
            timers: &plan.timers,
            no_timers: &plan.no_timers,
            links: &plan.links,
            ends: plan.ends,
            cause: told.cause.as_deref(),
        };
        store::keep(conn, self.claim, &next, now).await?;
        Ok(store::next_step(conn, self.claim, now).await?)
    }

    async fn carry_out<P: Process>(&self, step: &StepRow) -> Result<Turn, Failure> {
        let command = match serde_json::from_str(&step.command) {
            Ok(command) => command,
            Err(error) => return self.park::<P>(Some(&step.step), &format!("the step can't be read: {error}")).await,
        };
        let key = Key {
            // No key that is sent has a space, so that nobody takes it before.
            key: format!("process {}:{}:{}", P::NAME, self.claim.process, step.step),
            request_hash: Sha256::digest(step.command.as_bytes()).to_vec(),
        };
        let call = Call { process: self.claim.process, command: &command, key };
        let scope = self.scope(step.cause.clone());
        let performed = AssertUnwindSafe(P::perform(self.app, &scope, &call)).catch_unwind();
        let Some(performed) = self.while_held(tokio::time::timeout(STEP, performed)).await else {
            return Ok(Turn::Over);
        };
        match performed {
            Ok(Ok(Ok(answered))) => {
                self.metrics.tried(P::NAME, &step.step, "done");
                self.answered::<P>(step, answered).await
            }
            // What can't be had at the moment, such as the outcome of an attempt at a provider.
            Ok(Ok(Err(Error::Rejected(rejection)))) if rejection.problem().status >= 500 => {
                let problem = rejection.problem();
                let detail = problem.detail.as_deref().unwrap_or(&problem.title);
                self.failed::<P>(step, &format!("{}: {detail}", problem.code)).await
            }
            Ok(Ok(Err(Error::Rejected(rejection)))) => {
                self.metrics.tried(P::NAME, &step.step, "rejected");
                let problem = rejection.problem();
                let detail = problem.detail.as_deref().unwrap_or(&problem.title);
                self.park::<P>(Some(&step.step), &format!("{}: {detail}", problem.code)).await
            }
            Ok(Ok(Err(Error::KeyReused))) => {
                self.metrics.tried(P::NAME, &step.step, "rejected");
                self.park::<P>(Some(&step.step), "the key of the step was used for another command").await
            }
            Ok(Ok(Err(Error::Failed(failure)))) => self.failed::<P>(step, &failure.to_string()).await,
            Ok(Err(_)) => self.failed::<P>(step, "it panicked; the log has more").await,
            Err(_) => self.failed::<P>(step, "it took too long").await,
        }
    }

    /// Waits for something and holds the process meanwhile; none once it belongs to another node, which does the same under the
    /// same key.
    async fn while_held<T>(&self, step: impl Future<Output = T>) -> Option<T> {
        let mut step = std::pin::pin!(step);
        loop {
            tokio::select! {
                done = &mut step => return Some(done),
                () = tokio::time::sleep(EXTENDED) => match self.extend().await {
                    Ok(true) => {}
                    Ok(false) => return None,
                    // It is held for as long as it was; the step ends where it can't be kept.
                    Err(error) => tracing::warn!(%error, process.id = %self.claim.process, "a process can't be held for longer"),
                },
            }
        }
    }

    /// Holds the process for longer; whether it is still ours.
    async fn extend(&self) -> Result<bool, Failure> {
        let mut transaction = self.app.database.of_shop(self.claim.tenant).await?;
        let kept = store::hold(&mut transaction, self.claim, self.app.clock.now() + LEASE).await?;
        transaction.commit().await?;
        Ok(kept.is_some())
    }

    async fn answered<P: Process>(&self, step: &StepRow, answered: Answered<P::Answer>) -> Result<Turn, Failure> {
        let now = self.app.clock.now();
        let mut transaction = self.app.database.of_shop(self.claim.tenant).await?;
        let Some(kept) = store::hold(&mut transaction, self.claim, now + LEASE).await? else { return Ok(Turn::Over) };
        let what = What::Answer { step: step.step.clone(), answer: answered.answer };
        let told = Told {
            trigger: Trigger { at: now, what },
            taken: Taken::Step(step.step.clone()),
            cause: step.cause.clone(),
            seen: answered.seen,
        };
        let reaction = self.react::<P>(&mut transaction, &kept, told, now).await;
        self.ended::<P>(transaction, Some(&step.step), reaction).await
    }

    /// Notes that a step could not be carried out: it is tried again, or the process is parked.
    async fn failed<P: Process>(&self, step: &StepRow, error: &str) -> Result<Turn, Failure> {
        self.metrics.tried(P::NAME, &step.step, "failed");
        let (claim, now) = (self.claim, self.app.clock.now());
        tracing::warn!(
            process.name = P::NAME, process.id = %claim.process, process.step = %step.step, step.tries = step.tries, error,
            "a step of a process could not be carried out"
        );
        let mut transaction = self.app.database.of_shop(claim.tenant).await?;
        if store::hold(&mut transaction, claim, now + LEASE).await?.is_none() {
            return Ok(Turn::Over);
        }
        store::failed(&mut transaction, claim, &step.step, error, now + pause(step.tries)).await?;
        transaction.commit().await?;
        if step.tries + 1 < TRIES {
            return Ok(Turn::Took);
        }
        self.park::<P>(Some(&step.step), error).await
    }

    /// Parks the process and tells staff of it.
    async fn park<P: Process>(&self, step: Option<&str>, reason: &str) -> Result<Turn, Failure> {
        let (claim, now) = (self.claim, self.app.clock.now());
        tracing::error!(
            process.name = P::NAME, process.id = %claim.process, process.step = step, reason, "a process is parked"
        );
        let mut transaction = self.app.database.of_shop(claim.tenant).await?;
        if store::hold(&mut transaction, claim, now + LEASE).await?.is_none() {
            return Ok(Turn::Over);
        }
        store::park(&mut transaction, claim, step, reason, now).await?;
        let note = Note::Parked { step: step.map(str::to_owned), reason: reason.to_owned() };
        match P::note(&mut transaction, &self.scope(None), claim.process, &note).await {
            Ok(_) => {}
            Err(Error::Failed(failure)) => return Err(failure),
            // It is parked all the same; metrics and the log tell of it.
            Err(error) => {
                tracing::warn!(?error, process.id = %claim.process, "that a process is parked could not be told");
            }
        }
        transaction.commit().await?;
        self.app.waker.wake(P::CONTEXT);
        Ok(Turn::Over)
    }
}

/// What follows from a reaction, by kind.
#[derive(Default)]
struct Plan {
    commands: Vec<(String, String)>,
    timers: Vec<(&'static str, Timestamp)>,
    no_timers: Vec<&'static str>,
    links: Vec<Uuid>,
    ends: bool,
}

impl Plan {
    fn of<C: Serialize>(steps: Vec<Step<C>>) -> Result<Self, Failure> {
        let mut plan = Self::default();
        for step in steps {
            match step {
                Step::Command { name, command } => plan.commands.push((name, json(&command)?)),
                Step::Timer { name, at } => {
                    plan.timers.retain(|(known, _)| *known != name);
                    plan.timers.push((name, at));
                }
                Step::NoTimer(name) => plan.no_timers.push(name),
                Step::Link(id) => plan.links.push(id),
                Step::End => plan.ends = true,
            }
        }
        Ok(plan)
    }
}

fn json(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::NoJson("process", error))
}

/// Reads what a process was told.
fn read<A>(row: TriggerRow) -> Result<Told<A>, String> {
    let (what, seen) = match row.kind.as_str() {
        "event" => {
            let (Some(context), Some(event_type), Some(aggregate), Some(version)) =
                (row.context, row.event_type, row.aggregate_id, row.version)
            else {
                return Err("an event that it was told lacks its type".to_owned());
            };
            let context = context.parse::<Context>().map_err(|error| error.to_string())?;
            let event = DomainEvent::decode(context, &event_type, row.payload.as_bytes());
            let event = event.map_err(|error| error.to_string())?;
            (What::Event(aggregate, event), vec![(aggregate, version.unsigned_abs())])
        }
        "skipped" => (What::Skipped { step: row.payload }, Vec::new()),
        "abort" => (What::Abort { reason: row.payload }, Vec::new()),
        other => return Err(format!("it was told something of the unknown kind `{other}`")),
    };
    let cause = row.event_id.map(|id| id.to_string());
    Ok(Told { trigger: Trigger { at: row.occurred_at, what }, taken: Taken::Trigger(row.id), cause, seen })
}

/// How long a step waits after so many tries in vain: each time twice as long.
fn pause(tries: i32) -> TimeDelta {
    let seconds = 1_i64.checked_shl(tries.unsigned_abs()).unwrap_or(LONGEST_PAUSE_S);
    TimeDelta::seconds(seconds.clamp(1, LONGEST_PAUSE_S))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_waits_twice_as_long_each_time_up_to_a_minute() {
        let pauses: Vec<i64> = [0, 1, 2, 5, 6, 40, 64, 100].map(|tries| pause(tries).num_seconds()).into();
        assert_eq!(pauses, [1, 2, 4, 32, 60, 60, 60, 60]);
    }

    #[test]
    fn the_last_of_two_timers_of_a_name_counts() {
        let at = |seconds| Timestamp::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let timer = |seconds| Step::<()>::Timer { name: "deadline", at: at(seconds) };
        let plan = Plan::of(vec![timer(1), timer(2), Step::NoTimer("other"), Step::command("a", ())]).expect("a plan");
        assert_eq!((plan.timers, plan.no_timers), (vec![("deadline", at(2))], vec!["other"]));
        assert_eq!((plan.commands, plan.ends), (vec![("a".to_owned(), "null".to_owned())], false));
    }

    #[test]
    fn what_can_not_be_read_says_why() {
        let row = |kind: &str| TriggerRow {
            id: 1,
            kind: kind.to_owned(),
            event_id: None,
            context: None,
            event_type: None,
            aggregate_id: None,
            version: None,
            payload: "a".to_owned(),
            occurred_at: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(read::<()>(row("skipped")).expect("read").trigger.what, What::Skipped { step: "a".to_owned() });
        assert!(read::<()>(row("event")).is_err() && read::<()>(row("later")).is_err());
    }
}
