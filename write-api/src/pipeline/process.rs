//! Processes: what spans contexts and takes its time, such as a checkout.
//!
//! A process is told of events, of what came of its own commands, and that a time has come. What it makes of that is
//! pure: [`Process::react`] gives its next state and the steps that follow. The runner keeps both in one transaction,
//! together with the fact that it was told, and carries the steps out afterwards, each as a command with a key of its own: a
//! process that is interrupted anywhere goes on where it was, on this node or on another
//! (`docs/decisions/0067-processes-read-no-broker.md`).
//!
//! | path | what is there |
//! |---|---|
//! | [`correlate`] | which events a process is told of |
//! | [`inbox`] | telling it, in the transaction of the event |
//! | [`store`] | its rows |
//! | [`watched`] | who waits for one here |
//! | [`work`] | one process, as far as it goes at the moment |
//! | [`runner`] | all of them, on several nodes |
//! | [`ask`] | what staff can do about one |
//! | [`registered`] | a process as a line of a list |

pub(crate) mod ask;
pub(crate) mod correlate;
pub(super) mod inbox;
pub(crate) mod metrics;
pub(crate) mod registered;
pub(crate) mod runner;
mod store;
pub(crate) mod watched;
mod work;

#[cfg(test)]
pub(crate) mod scenario;

pub(crate) use correlate::Concerned;

use super::{App, Done, Error, Scope, idempotency::Key};
use schemas::{Timestamp, Uuid, contexts::Context, events::DomainEvent};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::PgConnection;

/// Something that goes on over several commands to several contexts.
pub(crate) trait Process: Send + Sync + 'static {
    /// Its name in keys, tables and metrics. It never changes.
    const NAME: &'static str;
    /// The context that tells what becomes of it.
    const CONTEXT: Context;
    /// The contexts whose events it is told of.
    const READS: &'static [Context];
    /// What it has to know from one trigger to the next. Nothing personal stands in it.
    type State: Serialize + DeserializeOwned + Send + Sync;
    /// What its steps ask for.
    type Command: Serialize + DeserializeOwned + Send + Sync;
    /// What comes of one.
    type Answer: Send + Sync;

    /// The process that an event of this aggregate concerns, if it may concern one.
    fn correlate(event: &DomainEvent, aggregate: Uuid) -> Option<Concerned>;

    /// The next state and the steps that follow; none where the trigger changes nothing.
    fn react(state: Option<&Self::State>, trigger: &Trigger<Self::Answer>) -> Option<Next<Self>>;

    /// Carries out a step. What the rules of another context refuse is an answer; an [`Error::Rejected`] parks the process,
    /// and an [`Error::Failed`] is tried again.
    fn perform(
        app: &App,
        scope: &Scope,
        call: &Call<'_, Self::Command>,
    ) -> impl Future<Output = Result<Answered<Self::Answer>, Error>> + Send;

    /// Tells staff of it by an event of [`Self::CONTEXT`], in the transaction in which it happens.
    fn note(
        conn: &mut PgConnection,
        scope: &Scope,
        process: Uuid,
        note: &Note,
    ) -> impl Future<Output = Result<Done, Error>> + Send;
}

/// What a process is told, and when that was.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trigger<A> {
    pub(crate) at: Timestamp,
    pub(crate) what: What<A>,
}

/// What a process knows next, and the steps that follow.
pub(crate) type Next<P> = (<P as Process>::State, Vec<Step<<P as Process>::Command>>);

/// What a process is told.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one is there at a time, and is taken apart at once")]
pub(crate) enum What<A> {
    /// Something happened to this aggregate.
    Event(Uuid, DomainEvent),
    /// A step was carried out, and this came of it.
    Answer { step: String, answer: A },
    /// The time of a timer has come.
    Timer(String),
    /// Staff have done by hand what this step should have done.
    Skipped { step: String },
    /// Staff want it to end.
    Abort { reason: String },
}

/// What a process does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step<C> {
    /// A command. Within the process its name means this command for ever: it is the end of its idempotency key.
    Command { name: String, command: C },
    /// A time at which it wants to be told, in place of the one of the same name before.
    Timer { name: &'static str, at: Timestamp },
    /// A timer no more.
    NoTimer(&'static str),
    /// From here on it is told of what happens to this aggregate.
    Link(Uuid),
    /// Nothing is left to do. It is told of what happens later all the same.
    End,
}

impl<C> Step<C> {
    /// A command by this name.
    pub(crate) fn command(name: impl Into<String>, command: C) -> Self {
        Self::Command { name: name.into(), command }
    }
}

/// A step that is carried out.
#[derive(Debug)]
pub(crate) struct Call<'a, C> {
    /// The process.
    pub(crate) process: Uuid,
    pub(crate) command: &'a C,
    /// By which the context that is asked knows it again.
    pub(crate) key: Key,
}

/// What came of a step. It tells all that happened to these aggregates up to these versions: events of them that are told later and
/// are no newer change nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered<A> {
    pub(crate) answer: A,
    pub(crate) seen: Vec<(Uuid, u64)>,
}

impl<A> From<A> for Answered<A> {
    fn from(answer: A) -> Self {
        Self { answer, seen: Vec::new() }
    }
}

/// What staff have to know of a process, or did about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// It does not go on by itself.
    Parked { step: Option<String>, reason: String },
    /// Staff let it try again.
    Retried { reason: String },
    /// Staff let it go on as if the step were done.
    Skipped { step: String, reason: String },
    /// Staff want it to end.
    Aborted { reason: String },
}
