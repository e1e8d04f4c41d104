//! What is done in one transaction. A [command](super::command) is such a procedure; what it can't say has one of its own: it
//! changes several aggregates of a context and what stands beside them, or its caller learns more than what became of one.

use super::{App, Change, Error, Failure, Rejection, Scope};
use crate::contexts::audit::port;
use schemas::contexts::Context;
use sqlx::PgConnection;
use std::time::Instant;

/// How often it is decided again when others were faster.
const TRIES: u32 = 5;

/// Something that is done in one transaction, all of it or nothing.
pub(crate) trait Procedure: Sync {
    /// The context whose aggregates are changed.
    const CONTEXT: Context;
    /// What the caller learns.
    type Output: Send;

    /// Its name in metrics.
    fn name(&self) -> &'static str;

    /// What came of it, in metrics.
    fn outcome(change: Change, _output: &Self::Output) -> &'static str {
        change.as_str()
    }

    /// Does it. It is done anew after a rollback when others were faster.
    fn run(
        &self,
        conn: &mut PgConnection,
        scope: &Scope,
    ) -> impl Future<Output = Result<(Change, Self::Output), Error>> + Send;
}

impl App {
    /// Carries out a procedure: retried while others are faster, audited, counted, and told to the relay.
    pub(crate) async fn procedure<P: Procedure>(&self, scope: &Scope, procedure: &P) -> Result<P::Output, Error> {
        let (name, started) = (procedure.name(), Instant::now());
        let mut result = self.once(scope, procedure).await;
        for _ in 1..TRIES {
            if !matches!(result, Err(Error::Failed(Failure::Conflict))) {
                break;
            }
            result = self.once(scope, procedure).await;
        }
        if matches!(result, Err(Error::Failed(Failure::Conflict))) {
            result = Err(Rejection::contended().into());
        }
        let outcome = match &result {
            Ok((change, output)) => P::outcome(*change, output),
            Err(Error::Failed(_)) => "failed",
            Err(_) => "rejected",
        };
        self.metrics.count(P::CONTEXT, name, outcome, 1);
        self.metrics.took(P::CONTEXT, name, started.elapsed());
        result.map(|(_, output)| output)
    }

    async fn once<P: Procedure>(&self, scope: &Scope, procedure: &P) -> Result<(Change, P::Output), Error> {
        // What an attempt before this one has noted was rolled back.
        scope.audited.back_to(0);
        scope.allowance.begins();
        let mut transaction = self.database.of_shop(scope.tenant).await?;
        let (change, output) = procedure.run(&mut transaction, scope).await?;
        port::record(&mut transaction, scope).await?;
        transaction.commit().await?;
        scope.allowance.stands(scope.tenant);
        if change != Change::Unchanged {
            self.waker.wake(P::CONTEXT);
            // A process learns of its own steps as it goes on.
            if scope.cause.is_none() {
                self.processes.wake(P::CONTEXT);
            }
        }
        Ok((change, output))
    }
}
