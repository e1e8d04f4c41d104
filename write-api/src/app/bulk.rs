//! Bulk writes: a stream of commands in chunks, each chunk loaded, decided and written at once.

use super::{App, Change, Done, Error, Kind, Rejected};
use crate::store::{
    Failure, Scope,
    idempotency::{self, Claim, Key, StoredAnswer},
};
use serde_json::Value;
use sqlx::{Connection, PgConnection, PgTransaction};
use std::{collections::BTreeMap, time::Instant};

/// How often a chunk is decided again as a whole when others were faster; then line by line.
const TRIES: u32 = 3;

/// What a rejected line means for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnError {
    /// The stream is one transaction.
    AllOrNothing,
    /// The others are written.
    Skip,
    /// Those before it are written, those after it are not tried.
    Stop,
}

/// A line that came in.
#[derive(Debug)]
pub(crate) struct Incoming<L> {
    pub(crate) number: u64,
    pub(crate) line: Result<L, Rejected>,
}

/// What became of a line.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Done(Done),
    Rejected(Rejected),
    NotTried,
    /// What was answered when the line came first, under the same idempotency key.
    Replayed(Value),
}

/// A line's number and what became of it.
pub(crate) type Answered = (u64, Outcome);

/// A bulk write under way.
pub(crate) struct Session<K: Kind> {
    app: App,
    scope: Scope,
    on_error: OnError,
    /// The one transaction of the stream, where it is one: all-or-nothing and dry runs.
    whole: Option<PgTransaction<'static>>,
    is_whole: bool,
    dry_run: bool,
    failed: bool,
    moved: bool,
    render: fn(&Answered) -> Value,
    kind: std::marker::PhantomData<fn() -> K>,
}

impl<K: Kind> Session<K> {
    pub(crate) fn new(
        app: App,
        scope: Scope,
        on_error: OnError,
        dry_run: bool,
        render: fn(&Answered) -> Value,
    ) -> Self {
        let is_whole = dry_run || on_error == OnError::AllOrNothing;
        let kind = std::marker::PhantomData;
        Self { app, scope, on_error, whole: None, is_whole, dry_run, failed: false, moved: false, render, kind }
    }

    /// Whether the whole stream is one transaction, so that nothing is certain before its end.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whether nothing shall be written.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Carries out a chunk. With a key, the chunk is carried out once, and answered the same again.
    pub(crate) async fn chunk(
        &mut self,
        lines: &[Incoming<K::Line>],
        key: Option<&Key>,
    ) -> Result<Vec<Answered>, Error> {
        if self.failed && self.on_error == OnError::Stop {
            return Ok(lines.iter().map(|line| (line.number, Outcome::NotTried)).collect());
        }
        let started = Instant::now();
        let mut transaction = match self.whole.take() {
            Some(transaction) => transaction,
            None => self.app.pool.begin().await?,
        };
        self.scope.now = self.app.clock.now();
        let answered = self.in_transaction(&mut transaction, lines, key).await?;
        if self.is_whole {
            self.whole = Some(transaction);
        } else {
            transaction.commit().await?;
            self.wake();
        }
        self.app.metrics.took(K::CONTEXT, "bulk_chunk", started.elapsed());
        self.failed |= answered.iter().any(|(_, outcome)| is_rejected(outcome));
        self.count(lines, &answered);
        Ok(answered)
    }

    /// Ends the stream; true if what was done stands.
    pub(crate) async fn finish(mut self) -> Result<bool, Error> {
        let undone = self.dry_run || (self.on_error == OnError::AllOrNothing && self.failed);
        if let Some(transaction) = self.whole.take() {
            if undone {
                transaction.rollback().await?;
            } else {
                transaction.commit().await?;
                self.wake();
            }
        }
        Ok(!undone)
    }

    fn wake(&mut self) {
        if std::mem::take(&mut self.moved) {
            self.app.waker.wake(K::CONTEXT);
        }
    }

    async fn in_transaction(
        &mut self,
        conn: &mut PgConnection,
        lines: &[Incoming<K::Line>],
        key: Option<&Key>,
    ) -> Result<Vec<Answered>, Error> {
        if let Some(key) = key {
            match idempotency::claim(conn, K::CONTEXT, &self.scope, key).await? {
                Claim::Ours => {}
                Claim::Answered(answer) => return replayed(lines, &answer),
                Claim::Reused => return Err(Error::KeyReused),
            }
        }
        let outcomes = carry_out::<K>(conn, &self.scope, lines, self.on_error).await?;
        self.moved |=
            outcomes.iter().any(|outcome| matches!(outcome, Outcome::Done(done) if done.change != Change::Unchanged));
        let answered: Vec<Answered> = lines.iter().map(|line| line.number).zip(outcomes).collect();
        if let Some(key) = key {
            let body = Value::Array(answered.iter().map(self.render).collect()).to_string();
            let answer = StoredAnswer { status: 200, headers: BTreeMap::new(), body };
            idempotency::answer(conn, K::CONTEXT, &self.scope, key, &answer).await?;
        }
        Ok(answered)
    }

    fn count(&self, lines: &[Incoming<K::Line>], answered: &[Answered]) {
        let mut counts: BTreeMap<(&'static str, &'static str), u64> = BTreeMap::new();
        for (line, (_, outcome)) in lines.iter().zip(answered) {
            let name = line.line.as_ref().map_or("unreadable", |line| K::name(line));
            let outcome = match outcome {
                Outcome::Done(_) if self.dry_run => "dry_run",
                Outcome::Done(done) => done.change.as_str(),
                Outcome::Rejected(_) => "rejected",
                Outcome::NotTried => "not_tried",
                Outcome::Replayed(_) => "replayed",
            };
            *counts.entry((name, outcome)).or_default() += 1;
        }
        for ((name, outcome), many) in counts {
            self.app.metrics.count(K::CONTEXT, name, outcome, many);
        }
    }
}

fn is_rejected(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Rejected(_) => true,
        Outcome::Replayed(answer) => answer["status"] == "rejected",
        Outcome::Done(_) | Outcome::NotTried => false,
    }
}

fn replayed<L>(lines: &[Incoming<L>], answer: &StoredAnswer) -> Result<Vec<Answered>, Error> {
    let stored: Vec<Value> =
        serde_json::from_str(&answer.body).map_err(|error| Failure::Unreadable("bulk answer", error.to_string()))?;
    Ok(lines.iter().map(|line| line.number).zip(stored.into_iter().map(Outcome::Replayed)).collect())
}

/// All lines at once; if others were faster several times, one by one, so that only the guilty fail.
async fn carry_out<K: Kind>(
    conn: &mut PgConnection,
    scope: &Scope,
    lines: &[Incoming<K::Line>],
    on_error: OnError,
) -> Result<Vec<Outcome>, Failure> {
    for _ in 0..TRIES {
        match at_once::<K>(conn, scope, lines, on_error).await {
            Err(Failure::Conflict) => {}
            result => return result,
        }
    }
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(lines.len());
    for line in lines {
        if on_error == OnError::Stop && outcomes.iter().any(is_rejected) {
            outcomes.push(Outcome::NotTried);
            continue;
        }
        outcomes.push(alone::<K>(conn, scope, line, on_error).await?);
    }
    Ok(outcomes)
}

async fn alone<K: Kind>(
    conn: &mut PgConnection,
    scope: &Scope,
    line: &Incoming<K::Line>,
    on_error: OnError,
) -> Result<Outcome, Failure> {
    for _ in 0..TRIES {
        match at_once::<K>(conn, scope, std::slice::from_ref(line), on_error).await {
            Ok(mut outcomes) => return Ok(outcomes.pop().unwrap_or(Outcome::NotTried)),
            Err(Failure::Conflict) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(Outcome::Rejected(Rejected::Contended))
}

/// Loads, decides and writes some lines in a savepoint.
async fn at_once<K: Kind>(
    conn: &mut PgConnection,
    scope: &Scope,
    lines: &[Incoming<K::Line>],
    on_error: OnError,
) -> Result<Vec<Outcome>, Failure> {
    let mut savepoint = conn.begin().await?;
    let readable: Vec<&K::Line> = lines.iter().filter_map(|line| line.line.as_ref().ok()).collect();
    let mut outcomes = Vec::with_capacity(lines.len());
    if readable.is_empty() {
        outcomes.extend(lines.iter().filter_map(|line| line.line.as_ref().err().cloned()).map(Outcome::Rejected));
        stop_after_first(&mut outcomes, on_error);
        return Ok(outcomes);
    }
    let mut desk = K::load(&mut savepoint, scope, &readable).await?;
    let mut stopped = false;
    for line in lines {
        let outcome = match &line.line {
            _ if stopped => Outcome::NotTried,
            Err(rejected) => Outcome::Rejected(rejected.clone()),
            Ok(line) => K::decide(&mut desk, line).map_or_else(Outcome::Rejected, Outcome::Done),
        };
        stopped |= on_error == OnError::Stop && is_rejected(&outcome);
        outcomes.push(outcome);
    }
    match K::write(&mut savepoint, scope, desk).await {
        Ok(()) => savepoint.commit().await?,
        Err(failure) => {
            savepoint.rollback().await?;
            return Err(failure);
        }
    }
    Ok(outcomes)
}

fn stop_after_first(outcomes: &mut [Outcome], on_error: OnError) {
    if on_error == OnError::Stop {
        outcomes.iter_mut().skip(1).for_each(|outcome| *outcome = Outcome::NotTried);
    }
}
