//! Deciding together: commands on one aggregate that wait at the same time are one transaction. What many want at once of one
//! thing costs one lock, one update and one commit, and each has an answer and a key of its own (`docs/decisions/0064`).
//!
//! The first that comes is decided at once; a task of its own does so, which goes on with those that have come meanwhile until
//! nobody waits. So a client that goes away ends nothing but its own waiting: what it asked for is done or, if nobody has begun
//! with it, left out.

use super::{
    App, Audited, Change, Done, Error, Failure, Loaded, Rejection, Scope, UseCase, WorkingSet,
    idempotency::{self, Kept, Key},
};
use crate::contexts::audit::port;
use schemas::{
    Uuid,
    ids::TenantId,
    problem::{Code, Problem},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sqlx::PgConnection;
use std::{
    any::{Any, TypeId},
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio::sync::oneshot;

/// Commands that are decided in one transaction at most.
const MOST_TOGETHER: usize = 256;
/// Commands that wait for one aggregate at most; who comes then is told to come again.
const MOST_WAITING: usize = 2_048;
/// How often they are decided again as a whole when others were faster; then one by one.
const TRIES: u32 = 5;

/// A use case whose commands on one aggregate are decided together.
pub(crate) trait Together: UseCase {
    /// What the caller learns. It is kept with the caller's idempotency key.
    type Answer: Clone + Serialize + DeserializeOwned + Send + 'static;

    /// The aggregate that is meant. Nothing has been looked up yet.
    fn aggregate(input: &Self::Input) -> Uuid;

    /// What a command is answered with that was carried out on this state.
    fn answer(state: Option<&Self::Aggregate>, input: &Self::Input, done: Done) -> Self::Answer;
}

/// What became of a command, now or when it came first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decided<T> {
    pub(crate) answer: T,
    /// It was decided before, under the same idempotency key.
    pub(crate) replayed: bool,
}

/// What is kept with an idempotency key. A rejection is kept as well: others have been decided with it, and it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome<T> {
    Done(T),
    Rejected(Rejection),
}

/// A command that waits.
struct Member<U: Together> {
    scope: Scope,
    key: Option<Key>,
    input: U::Input,
    reply: oneshot::Sender<Result<Decided<U::Answer>, Error>>,
}

/// What waits for whom.
type Place = (TypeId, TenantId, Uuid);

/// The commands that wait, by the aggregate that they are for. Where there is an entry, a task decides them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Groups(Arc<Mutex<HashMap<Place, Box<dyn Any + Send>>>>);

impl Groups {
    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Box<dyn Any + Send>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a command wait; gives whether a task is needed that decides it.
    fn enter<U: Together>(&self, place: Place, member: Member<U>) -> Result<bool, Rejection> {
        let mut waiting = self.lock();
        if let Some(queue) = waiting.get_mut(&place).and_then(|queue| queue.downcast_mut::<VecDeque<Member<U>>>()) {
            if queue.len() >= MOST_WAITING {
                let detail = "too many commands wait for the same thing; nothing was done";
                return Err(Rejection::of(Problem::new(Code::Overloaded).detail(detail)));
            }
            queue.push_back(member);
            return Ok(false);
        }
        waiting.insert(place, Box::new(VecDeque::from([member])));
        Ok(true)
    }

    /// Takes those that wait; without any, whoever comes next needs a task anew.
    fn next<U: Together>(&self, place: &Place) -> Vec<Member<U>> {
        let mut waiting = self.lock();
        let queue = waiting.get_mut(place).and_then(|queue| queue.downcast_mut::<VecDeque<Member<U>>>());
        let taken: Vec<Member<U>> = queue
            .into_iter()
            .flat_map(|queue| queue.drain(..queue.len().min(MOST_TOGETHER)).collect::<Vec<_>>())
            .collect();
        if taken.is_empty() {
            waiting.remove(place);
        }
        taken
    }
}

/// Ends the waiting for one aggregate if its task breaks: who still waits is told so.
struct Leader {
    groups: Groups,
    place: Place,
    /// Nobody waits any more; an entry of this place is another task's.
    is_done: bool,
}

impl Drop for Leader {
    fn drop(&mut self) {
        if !self.is_done {
            drop(self.groups.lock().remove(&self.place));
        }
    }
}

type Answered<U> = Result<Decided<<U as Together>::Answer>, Error>;

impl App {
    /// Carries out a command together with others that wait for the same aggregate, once per idempotency key.
    pub(crate) async fn together<U: Together>(&self, scope: &Scope, key: Option<&Key>, input: U::Input) -> Answered<U> {
        let place = (TypeId::of::<U>(), scope.tenant, U::aggregate(&input));
        let (reply, answered) = oneshot::channel();
        let member = Member::<U> { scope: scope.clone(), key: key.cloned(), input, reply };
        if self.groups.enter(place, member)? {
            tokio::spawn(lead::<U>(self.clone(), place));
        }
        // What the task was doing is undone, or its commit is in doubt.
        answered.await.unwrap_or_else(|_| Err(broken("the task that decides has broken").into()))
    }
}

fn broken(reason: &str) -> Failure {
    Failure::Unavailable(sqlx::Error::Protocol(reason.to_owned()))
}

async fn lead<U: Together>(app: App, place: Place) {
    let mut leader = Leader { groups: app.groups.clone(), place, is_done: false };
    loop {
        let mut members = leader.groups.next::<U>(&place);
        if members.is_empty() {
            leader.is_done = true;
            return;
        }
        // Whoever has gone away meanwhile wants nothing any more.
        members.retain(|member| !member.reply.is_closed());
        if !members.is_empty() {
            decide(&app, members).await;
        }
    }
}

/// Decides commands as a whole; if that fails through what one of them may be to blame for, one by one.
async fn decide<U: Together>(app: &App, mut members: Vec<Member<U>>) {
    let started = Instant::now();
    app.metrics.decided_together(<Loaded<U> as WorkingSet>::CONTEXT, members.len());
    let failure = match tried(app, &members).await {
        Ok(outcomes) => {
            members.into_iter().zip(outcomes).for_each(|(member, outcome)| member.reply(app, outcome, started));
            return;
        }
        Err(failure) => failure,
    };
    // Storage is away, or others are at the same thing for too long: that is nobody's fault here.
    let is_of_all = matches!(failure, Failure::Unavailable(_) | Failure::Contended | Failure::Locked);
    if is_of_all || members.len() == 1 {
        let last = members.pop();
        members.into_iter().for_each(|member| member.reply(app, Err(alike(&failure).into()), started));
        if let Some(member) = last {
            member.reply(app, Err(alone(failure).into()), started);
        }
        return;
    }
    for member in members {
        let outcome = match tried(app, std::slice::from_ref(&member)).await {
            Ok(mut outcomes) => outcomes.pop().unwrap_or_else(|| Err(broken("nothing was decided").into())),
            Err(failure) => Err(alone(failure).into()),
        };
        member.reply(app, outcome, started);
    }
}

/// What the others are told of a failure that one of them is told as it is.
fn alike(failure: &Failure) -> Failure {
    match failure {
        Failure::Contended | Failure::Locked => Failure::Contended,
        Failure::Unavailable(_)
        | Failure::Conflict
        | Failure::Unreadable(..)
        | Failure::Unwritable(_)
        | Failure::NoJson(..)
        | Failure::Database(_) => broken("the transaction of several commands did not end well"),
    }
}

/// What is told if others were faster, again and again: nothing of it is kept with a key, since it may go well when it is tried
/// again.
fn alone(failure: Failure) -> Failure {
    if matches!(failure, Failure::Conflict) { Failure::Contended } else { failure }
}

async fn tried<U: Together>(app: &App, members: &[Member<U>]) -> Result<Vec<Answered<U>>, Failure> {
    let mut result = at_once(app, members).await;
    for _ in 1..TRIES {
        if !matches!(result, Err(Failure::Conflict)) {
            break;
        }
        result = at_once(app, members).await;
    }
    result
}

/// One transaction.
async fn at_once<U: Together>(app: &App, members: &[Member<U>]) -> Result<Vec<Answered<U>>, Failure> {
    let Some(first) = members.first() else { return Ok(Vec::new()) };
    // What an attempt before this one has noted was rolled back.
    members.iter().for_each(|member| member.scope.audited.back_to(0));
    let scope = Scope { audited: Audited::default(), now: app.clock.now(), ..first.scope.clone() };
    let mut transaction = app.database.of_shop(scope.tenant).await?;
    let (outcomes, is_changed) = in_transaction(&mut transaction, &scope, members).await?;
    let actors: Vec<&Scope> = members.iter().map(|member| &member.scope).collect();
    port::record_all(&mut transaction, &scope, &actors).await?;
    transaction.commit().await?;
    if is_changed {
        app.waker.wake(<Loaded<U> as WorkingSet>::CONTEXT);
    }
    Ok(outcomes)
}

/// Decides each, writes what was decided, and keeps each answer with its key. Keys are looked up once the aggregate is locked:
/// whoever has decided under one of them on it before is through.
async fn in_transaction<U: Together>(
    conn: &mut PgConnection,
    scope: &Scope,
    members: &[Member<U>],
) -> Result<(Vec<Answered<U>>, bool), Failure> {
    let context = <Loaded<U> as WorkingSet>::CONTEXT;
    let inputs: Vec<&U::Input> = members.iter().map(|member| &member.input).collect();
    let keys: Vec<&str> = members.iter().filter_map(|member| Some(member.key.as_ref()?.key.as_str())).collect();
    let mut set = Loaded::<U>::load(conn, scope, &inputs).await?;
    let (known, mut new) = (idempotency::known(conn, context, scope, &keys).await?, HashMap::<String, Kept>::new());
    let (mut outcomes, mut origins, mut is_changed) = (Vec::with_capacity(members.len()), Vec::new(), false);
    for Member { scope, key, input, .. } in members {
        let kept = key.as_ref().and_then(|key| Some((key, known.get(&key.key).or_else(|| new.get(&key.key))?)));
        if let Some((key, kept)) = kept {
            outcomes.push(match kept.answer::<Outcome<U::Answer>>(key)? {
                Some(outcome) => outcome.told(true),
                None => Err(Error::KeyReused),
            });
            continue;
        }
        let before = set.batch.events().len();
        let outcome = match set.decide(input) {
            Ok(done) => {
                is_changed |= done.change != Change::Unchanged;
                Outcome::Done(U::answer(set.batch.state(U::aggregate(input)), input, done))
            }
            Err(rejection) => Outcome::Rejected(rejection),
        };
        origins.extend(std::iter::repeat_n(scope, set.batch.events().len().saturating_sub(before)));
        if let Some(key) = key {
            new.insert(key.key.clone(), Kept::new(key, &outcome)?);
        }
        outcomes.push(outcome.told(false));
    }
    set.batch.append_of(conn, scope, &origins).await?;
    idempotency::keep_new(conn, context, scope, &new).await?;
    Ok((outcomes, is_changed))
}

impl<T> Outcome<T> {
    fn told(self, replayed: bool) -> Result<Decided<T>, Error> {
        match self {
            Self::Done(answer) => Ok(Decided { answer, replayed }),
            Self::Rejected(rejection) => Err(rejection.into()),
        }
    }
}

impl<U: Together> Member<U> {
    fn reply(self, app: &App, outcome: Answered<U>, started: Instant) {
        let (context, name) = (<Loaded<U> as WorkingSet>::CONTEXT, U::name(&self.input));
        let told = match &outcome {
            Ok(decided) if decided.replayed => "replayed",
            Ok(_) => "done",
            Err(Error::Failed(_)) => "failed",
            Err(Error::Rejected(_) | Error::KeyReused) => "rejected",
        };
        app.metrics.count(context, name, told, 1);
        app.metrics.took(context, name, started.elapsed());
        // Who has gone away learns of it when they ask again.
        let _ = self.reply.send(outcome);
    }
}

#[cfg(test)]
mod tests;
