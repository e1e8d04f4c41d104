//! Bulk writes: a stream of commands in chunks, each chunk loaded, decided and written at once.

use super::{
    App, Change, Done, Error, Failure, Rejection, Scope, WorkingSet,
    idempotency::{self, Key},
};
use crate::contexts::audit::port;
use access::shop::TenantName;
use schemas::problem::{Code, Problem};
use serde::{Deserialize, Serialize};
use sqlx::{Connection, PgConnection, PgTransaction};
use std::{collections::BTreeMap, marker::PhantomData, time::Instant};

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
pub(crate) struct Incoming<I> {
    pub(crate) number: u64,
    pub(crate) input: Result<I, Rejection>,
}

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Kept", try_from = "Kept")]
pub(crate) enum Outcome {
    Done(Done),
    Rejected(Rejection),
    NotTried,
}

/// What became of a line, as it is kept with an idempotency key: by its status.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Kept {
    Done(Done),
    Other {
        status: KeptStatus,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<Rejection>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptStatus {
    Rejected,
    NotTried,
}

impl From<Outcome> for Kept {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done(done) => Self::Done(done),
            Outcome::Rejected(rejection) => Self::Other { status: KeptStatus::Rejected, problem: Some(rejection) },
            Outcome::NotTried => Self::Other { status: KeptStatus::NotTried, problem: None },
        }
    }
}

impl TryFrom<Kept> for Outcome {
    type Error = &'static str;

    fn try_from(kept: Kept) -> Result<Self, Self::Error> {
        match kept {
            Kept::Done(done) => Ok(Self::Done(done)),
            Kept::Other { status: KeptStatus::NotTried, .. } => Ok(Self::NotTried),
            Kept::Other { status: KeptStatus::Rejected, problem: Some(rejection) } => Ok(Self::Rejected(rejection)),
            Kept::Other { status: KeptStatus::Rejected, problem: None } => Err("it was rejected, and nothing says why"),
        }
    }
}

impl Outcome {
    fn is_rejected(&self) -> bool {
        matches!(self, Self::Rejected(_))
    }

    fn is_contended(&self) -> bool {
        matches!(self, Self::Rejected(rejection) if *rejection == Rejection::contended())
    }
}

impl From<Result<Done, Rejection>> for Outcome {
    fn from(result: Result<Done, Rejection>) -> Self {
        match result {
            Ok(done) => Self::Done(done),
            Err(rejection) => Self::Rejected(rejection),
        }
    }
}

/// A line's number and what became of it.
pub(crate) type Answered = (u64, Outcome);

/// What became of a chunk.
struct Chunk {
    outcomes: Vec<Outcome>,
    /// It was carried out before, under the same idempotency key.
    replayed: bool,
}

/// A bulk write under way.
pub(crate) struct Session<W: WorkingSet> {
    app: App,
    scope: Scope,
    on_error: OnError,
    /// The one transaction of the stream, where it is one: all-or-nothing and dry runs.
    whole: Option<PgTransaction<'static>>,
    is_whole: bool,
    dry_run: bool,
    failed: bool,
    moved: bool,
    set: PhantomData<fn() -> W>,
}

impl<W: WorkingSet> Session<W> {
    pub(crate) fn new(app: App, scope: Scope, on_error: OnError, dry_run: bool) -> Self {
        let is_whole = dry_run || on_error == OnError::AllOrNothing;
        Self { app, scope, on_error, whole: None, is_whole, dry_run, failed: false, moved: false, set: PhantomData }
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
        lines: &[Incoming<W::Input>],
        key: Option<&Key>,
    ) -> Result<Vec<Answered>, Error> {
        if self.failed && self.on_error == OnError::Stop {
            return Ok(lines.iter().map(|line| (line.number, Outcome::NotTried)).collect());
        }
        let started = Instant::now();
        self.look_again().await?;
        let mut transaction = match self.whole.take() {
            Some(transaction) => transaction,
            None => self.app.database.of_shop(self.scope.tenant).await?,
        };
        self.scope.now = self.app.clock.now();
        let chunk = self.in_transaction(&mut transaction, lines, key).await?;
        if self.is_whole {
            self.whole = Some(transaction);
        } else {
            port::record(&mut transaction, &self.scope).await?;
            transaction.commit().await?;
            self.stands();
        }
        self.app.metrics.took(W::CONTEXT, "bulk_chunk", started.elapsed());
        self.failed |= chunk.outcomes.iter().any(Outcome::is_rejected);
        self.count(lines, &chunk);
        Ok(lines.iter().map(|line| line.number).zip(chunk.outcomes).collect())
    }

    /// A stream may go on for hours: whether the shop is still there, and what it may have, is asked with each chunk.
    async fn look_again(&mut self) -> Result<(), Error> {
        let (app, name) = (&self.app, TenantName::Id(self.scope.tenant));
        let found = app.tenants.find(&app.database, &name).await?;
        let found = found.ok_or_else(|| Rejection::of(Problem::new(Code::TenantNotFound)))?;
        self.scope.allowance = app.allowance(&found).going_on(&self.scope.allowance);
        Ok(())
    }

    /// Ends the stream; true if what was done stands.
    pub(crate) async fn finish(&mut self) -> Result<bool, Error> {
        let undone = self.dry_run || (self.on_error == OnError::AllOrNothing && self.failed);
        if let Some(mut transaction) = self.whole.take() {
            if undone {
                transaction.rollback().await?;
            } else {
                port::record(&mut transaction, &self.scope).await?;
                transaction.commit().await?;
                self.stands();
            }
        }
        Ok(!undone)
    }

    fn stands(&mut self) {
        self.scope.allowance.stands(self.scope.tenant);
        if std::mem::take(&mut self.moved) {
            self.app.waker.wake(W::CONTEXT);
        }
    }

    async fn in_transaction(
        &mut self,
        conn: &mut PgConnection,
        lines: &[Incoming<W::Input>],
        key: Option<&Key>,
    ) -> Result<Chunk, Error> {
        if let Some(outcomes) = idempotency::claim(conn, W::CONTEXT, &self.scope, key).await? {
            return Ok(Chunk { outcomes, replayed: true });
        }
        let outcomes = carry_out::<W>(conn, &self.scope, lines, self.on_error).await?;
        self.moved |=
            outcomes.iter().any(|outcome| matches!(outcome, Outcome::Done(done) if done.change != Change::Unchanged));
        // What may go well when it is tried again must not be the answer that the key gives for good.
        if key.is_some() && outcomes.iter().any(Outcome::is_contended) {
            return Err(Failure::Contended.into());
        }
        idempotency::keep(conn, W::CONTEXT, &self.scope, key, &outcomes).await?;
        Ok(Chunk { outcomes, replayed: false })
    }

    fn count(&self, lines: &[Incoming<W::Input>], chunk: &Chunk) {
        let mut counts: BTreeMap<(&'static str, &'static str), u64> = BTreeMap::new();
        for (line, outcome) in lines.iter().zip(&chunk.outcomes) {
            let name = line.input.as_ref().map_or("unreadable", |input| W::name(input));
            let outcome = match outcome {
                _ if chunk.replayed => "replayed",
                Outcome::Done(_) if self.dry_run => "dry_run",
                Outcome::Done(done) => done.change.as_str(),
                Outcome::Rejected(_) => "rejected",
                Outcome::NotTried => "not_tried",
            };
            *counts.entry((name, outcome)).or_default() += 1;
        }
        for ((name, outcome), many) in counts {
            self.app.metrics.count(W::CONTEXT, name, outcome, many);
        }
    }
}

/// All lines at once; if others were faster several times, one by one, so that only the guilty fail.
async fn carry_out<W: WorkingSet>(
    conn: &mut PgConnection,
    scope: &Scope,
    lines: &[Incoming<W::Input>],
    on_error: OnError,
) -> Result<Vec<Outcome>, Failure> {
    for _ in 0..TRIES {
        match at_once::<W>(conn, scope, lines, on_error).await {
            Err(Failure::Conflict) => {}
            result => return result,
        }
    }
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(lines.len());
    for line in lines {
        if on_error == OnError::Stop && outcomes.iter().any(Outcome::is_rejected) {
            outcomes.push(Outcome::NotTried);
            continue;
        }
        outcomes.push(alone::<W>(conn, scope, line, on_error).await?);
    }
    Ok(outcomes)
}

async fn alone<W: WorkingSet>(
    conn: &mut PgConnection,
    scope: &Scope,
    line: &Incoming<W::Input>,
    on_error: OnError,
) -> Result<Outcome, Failure> {
    for _ in 0..TRIES {
        match at_once::<W>(conn, scope, std::slice::from_ref(line), on_error).await {
            Ok(mut outcomes) => return Ok(outcomes.pop().unwrap_or(Outcome::NotTried)),
            Err(Failure::Conflict) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(Outcome::Rejected(Rejection::contended()))
}

/// Loads, decides and writes some lines in a savepoint.
async fn at_once<W: WorkingSet>(
    conn: &mut PgConnection,
    scope: &Scope,
    lines: &[Incoming<W::Input>],
    on_error: OnError,
) -> Result<Vec<Outcome>, Failure> {
    let mut savepoint = conn.begin().await?;
    let noted = scope.audited.mark();
    let readable: Vec<&W::Input> = lines.iter().filter_map(|line| line.input.as_ref().ok()).collect();
    let mut set = if readable.is_empty() { None } else { Some(W::load(&mut savepoint, scope, &readable).await?) };
    let mut outcomes = Vec::with_capacity(lines.len());
    let mut stopped = false;
    for line in lines {
        let outcome = match (&line.input, &mut set) {
            _ if stopped => Outcome::NotTried,
            (Ok(input), Some(set)) => set.decide(input).into(),
            (Ok(_), None) => Outcome::NotTried,
            (Err(rejection), _) => Outcome::Rejected(rejection.clone()),
        };
        stopped |= on_error == OnError::Stop && outcome.is_rejected();
        outcomes.push(outcome);
    }
    let Some(set) = set else { return Ok(outcomes) };
    match set.write(&mut savepoint, scope).await {
        Ok(()) => savepoint.commit().await?,
        Err(failure) => {
            savepoint.rollback().await?;
            scope.audited.back_to(noted);
            return Err(failure);
        }
    }
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Uuid;

    #[test]
    fn what_became_of_a_line_is_read_as_it_was_kept() {
        let done = Done { change: Change::Created, id: Uuid::nil(), version: 1, variants: Vec::new() };
        let rejected = Outcome::Rejected(Rejection::not_found("there is no variant x"));
        let outcomes = [Outcome::Done(done), rejected, Outcome::NotTried];
        let kept = serde_json::to_string(&outcomes).expect("JSON");
        assert_eq!(serde_json::from_str::<Vec<Outcome>>(&kept).expect("read"), outcomes);
    }

    #[test]
    fn what_an_earlier_release_kept_is_read() {
        let kept = r#"[
            {"line": 1, "status": "changed", "id": "00000000-0000-0000-0000-000000000000", "version": 2},
            {"line": 2, "status": "rejected", "problem": {"type": "/problems/not_found", "title": "There is nothing here",
             "status": 404, "code": "not_found", "detail": "there is no variant x"}}]"#;
        let done = Done { change: Change::Changed, id: Uuid::nil(), version: 2, variants: Vec::new() };
        let rejected = Outcome::Rejected(Rejection::not_found("there is no variant x"));
        assert_eq!(serde_json::from_str::<Vec<Outcome>>(kept).expect("read"), [Outcome::Done(done), rejected]);
    }
}
