//! A single command: load, decide, write in one transaction.

use super::{
    App, Change, Done, Error, Scope, WorkingSet,
    idempotency::{self, Key},
    procedure::Procedure,
};
use schemas::contexts::Context;
use sqlx::PgConnection;

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
        self.procedure(scope, &Single::<W> { key, input }).await
    }
}

/// A command with its key.
struct Single<'a, W: WorkingSet> {
    key: Option<&'a Key>,
    input: W::Input,
}

impl<W: WorkingSet> Procedure for Single<'_, W> {
    const CONTEXT: Context = W::CONTEXT;
    type Output = CarriedOut;

    fn name(&self) -> &'static str {
        W::name(&self.input)
    }

    fn outcome(change: Change, carried: &CarriedOut) -> &'static str {
        if carried.replayed { "replayed" } else { change.as_str() }
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, CarriedOut), Error> {
        let context = W::CONTEXT;
        if let Some(done) = idempotency::claim(conn, context, scope, self.key).await? {
            // What was done then woke the relay then.
            return Ok((Change::Unchanged, CarriedOut { context, done, replayed: true }));
        }
        let mut set = W::load(conn, scope, &[&self.input]).await?;
        let done = set.decide(&self.input)?;
        set.write(conn, scope).await?;
        idempotency::keep(conn, context, scope, self.key, &done).await?;
        Ok((done.change, CarriedOut { context, done, replayed: false }))
    }
}
