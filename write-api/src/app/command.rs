//! A single command: load, decide, write in one transaction.

use super::{App, Change, Error, Kind, Rejected, answer};
use crate::store::{
    Failure, Scope,
    idempotency::{self, Claim, Key, StoredAnswer},
};
use std::time::Instant;

/// How often a command is decided again when others were faster.
const TRIES: u32 = 5;

/// The answer to a command.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) answer: StoredAnswer,
    /// The command was carried out before; this is what was answered then.
    pub(crate) replayed: bool,
}

impl App {
    /// Carries out one command, once per idempotency key.
    pub(crate) async fn command<K: Kind>(
        &self,
        scope: &Scope,
        key: Option<&Key>,
        line: K::Line,
    ) -> Result<Reply, Error> {
        let (name, started) = (K::name(&line), Instant::now());
        let mut result = self.attempt::<K>(scope, key, &line).await;
        for _ in 1..TRIES {
            if !matches!(result, Err(Error::Failed(Failure::Conflict))) {
                break;
            }
            result = self.attempt::<K>(scope, key, &line).await;
        }
        if matches!(result, Err(Error::Failed(Failure::Conflict))) {
            result = Err(Rejected::Contended.into());
        }
        let outcome = match &result {
            Ok((_, change)) => change.map_or("replayed", Change::as_str),
            Err(Error::Failed(_)) => "failed",
            Err(_) => "rejected",
        };
        self.metrics.count(K::CONTEXT, name, outcome, 1);
        self.metrics.took(K::CONTEXT, name, started.elapsed());
        let (answer, change) = result?;
        Ok(Reply { answer, replayed: change.is_none() })
    }

    async fn attempt<K: Kind>(
        &self,
        scope: &Scope,
        key: Option<&Key>,
        line: &K::Line,
    ) -> Result<(StoredAnswer, Option<Change>), Error> {
        let mut transaction = self.pool.begin().await?;
        if let Some(key) = key {
            match idempotency::claim(&mut transaction, K::CONTEXT, scope, key).await? {
                Claim::Ours => {}
                Claim::Answered(answer) => return Ok((answer, None)),
                Claim::Reused => return Err(Error::KeyReused),
            }
        }
        let mut desk = K::load(&mut transaction, scope, &[line]).await?;
        let done = K::decide(&mut desk, line)?;
        K::write(&mut transaction, scope, desk).await?;
        let answer = answer::answer(K::CONTEXT, &done);
        if let Some(key) = key {
            idempotency::answer(&mut transaction, K::CONTEXT, scope, key, &answer).await?;
        }
        transaction.commit().await?;
        if done.change != Change::Unchanged {
            self.waker.wake(K::CONTEXT);
        }
        Ok((answer, Some(done.change)))
    }
}
