//! A single command: load, decide, write in one transaction.

use super::{
    App, Change, Done, Error, Failure, Rejection, Scope, WorkingSet,
    idempotency::{self, Claim, Key},
};
use crate::contexts::audit::port;
use schemas::contexts::Context;
use std::time::Instant;

/// How often a command is decided again when others were faster.
const TRIES: u32 = 5;

/// What a command did, now or when it came first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CarriedOut {
    pub(crate) context: Context,
    pub(crate) done: Done,
    /// The command was carried out before, under the same idempotency key.
    pub(crate) replayed: bool,
}

impl App {
    /// Carries out one command, once per idempotency key.
    pub(crate) async fn command<W: WorkingSet>(
        &self,
        scope: &Scope,
        key: Option<&Key>,
        input: W::Input,
    ) -> Result<CarriedOut, Error> {
        let (name, started) = (W::name(&input), Instant::now());
        let mut result = self.attempt::<W>(scope, key, &input).await;
        for _ in 1..TRIES {
            if !matches!(result, Err(Error::Failed(Failure::Conflict))) {
                break;
            }
            result = self.attempt::<W>(scope, key, &input).await;
        }
        if matches!(result, Err(Error::Failed(Failure::Conflict))) {
            result = Err(Rejection::contended().into());
        }
        let outcome = match &result {
            Ok(carried) if carried.replayed => "replayed",
            Ok(carried) => carried.done.change.as_str(),
            Err(Error::Failed(_)) => "failed",
            Err(_) => "rejected",
        };
        self.metrics.count(W::CONTEXT, name, outcome, 1);
        self.metrics.took(W::CONTEXT, name, started.elapsed());
        result
    }

    async fn attempt<W: WorkingSet>(
        &self,
        scope: &Scope,
        key: Option<&Key>,
        input: &W::Input,
    ) -> Result<CarriedOut, Error> {
        let context = W::CONTEXT;
        // What an attempt before this one has noted was rolled back.
        scope.audited.back_to(0);
        let mut transaction = self.database.of_shop(scope.tenant).await?;
        if let Some(key) = key {
            match idempotency::claim(&mut transaction, context, scope, key).await? {
                Claim::Ours => {}
                Claim::Done(done) => return Ok(CarriedOut { context, done, replayed: true }),
                Claim::Reused => return Err(Error::KeyReused),
            }
        }
        let mut set = W::load(&mut transaction, scope, &[input]).await?;
        let done = set.decide(input)?;
        set.write(&mut transaction, scope).await?;
        if let Some(key) = key {
            idempotency::keep(&mut transaction, context, scope, key, &done).await?;
        }
        port::record(&mut transaction, scope).await?;
        transaction.commit().await?;
        if done.change != Change::Unchanged {
            self.waker.wake(context);
        }
        Ok(CarriedOut { context, done, replayed: false })
    }
}
