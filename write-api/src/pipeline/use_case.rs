//! What can be done to an aggregate, as a slice says it and as the pipeline carries it out.

use super::{Batch, Done, Expected, Failure, Rejection, Scope, Stored};
use crate::domain::Aggregate;
use schemas::{Uuid, contexts::Context, events::Event};
use sqlx::PgConnection;

type CommandOf<U> = <<U as UseCase>::Aggregate as Aggregate>::Command;
type EventOf<U> = <<U as UseCase>::Aggregate as Aggregate>::Event;

/// What can be done to one kind of aggregate. The pipeline does the rest: it loads the aggregates that are meant,
/// checks versions, decides, records and writes.
pub(crate) trait UseCase: 'static {
    type Aggregate: Stored;
    /// What somebody asks for, read and checked as far as it can be without looking anything up.
    type Input: Send + Sync + 'static;
    /// What has to be looked up outside of the aggregate.
    type Facts: Send;

    /// The command's name in metrics.
    fn name(input: &Self::Input) -> &'static str;

    /// The version the input expects.
    fn expected(input: &Self::Input) -> Expected;

    /// Looks up, in a few queries, what these inputs need.
    fn facts(
        conn: &mut PgConnection,
        scope: &Scope,
        inputs: &[&Self::Input],
    ) -> impl Future<Output = Result<Self::Facts, Failure>> + Send;

    /// Reads what the commands need of aggregates besides their states; the rows of these are locked.
    fn complete(
        _conn: &mut PgConnection,
        _scope: &Scope,
        _facts: &Self::Facts,
        _inputs: &[&Self::Input],
        _batch: &mut Batch<Self::Aggregate>,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        async { Ok(()) }
    }

    /// The aggregate that is meant.
    ///
    /// # Errors
    /// What is named and not there.
    fn target(facts: &Self::Facts, input: &Self::Input) -> Result<Uuid, Rejection>;

    /// The command that the input stands for.
    ///
    /// # Errors
    /// What of it is not allowed.
    fn plan(facts: &Self::Facts, input: &Self::Input) -> Result<CommandOf<Self>, Rejection>
    where
        Self: Sized;

    /// Brings the facts up to date with what was decided, for the inputs that follow in a bulk write.
    fn follow(_facts: &mut Self::Facts, _event: &EventOf<Self>)
    where
        Self: Sized,
    {
    }
}

/// What was loaded for some inputs, and what was decided on it so far. [`Loaded`] is the one of every [`UseCase`].
pub(crate) trait WorkingSet: Sized + Send + 'static {
    /// Whose outbox and idempotency keys are used.
    const CONTEXT: Context;
    type Input: Send + Sync + 'static;

    /// The command's name in metrics.
    fn name(input: &Self::Input) -> &'static str;

    /// Loads, in a few queries, all that these inputs need.
    fn load(
        conn: &mut PgConnection,
        scope: &Scope,
        inputs: &[&Self::Input],
    ) -> impl Future<Output = Result<Self, Failure>> + Send;

    /// Decides one input; a rejected one leaves everything as it was.
    fn decide(&mut self, input: &Self::Input) -> Result<Done, Rejection>;

    /// Writes what was decided.
    fn write(self, conn: &mut PgConnection, scope: &Scope) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// The working set of a use case.
pub(crate) struct Loaded<U: UseCase> {
    facts: U::Facts,
    pub(super) batch: Batch<U::Aggregate>,
}

impl<U: UseCase> WorkingSet for Loaded<U> {
    const CONTEXT: Context = <EventOf<U> as Event>::CONTEXT;
    type Input = U::Input;

    fn name(input: &U::Input) -> &'static str {
        U::name(input)
    }

    async fn load(conn: &mut PgConnection, scope: &Scope, inputs: &[&U::Input]) -> Result<Self, Failure> {
        let facts = U::facts(conn, scope, inputs).await?;
        let mut ids: Vec<Uuid> = inputs.iter().filter_map(|input| U::target(&facts, input).ok()).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut batch = U::Aggregate::load(conn, scope, &ids).await?;
        U::complete(conn, scope, &facts, inputs, &mut batch).await?;
        Ok(Self { facts, batch })
    }

    fn decide(&mut self, input: &U::Input) -> Result<Done, Rejection> {
        let id = U::target(&self.facts, input)?;
        let (facts, known) = (&self.facts, self.batch.events().len());
        let done = self.batch.carry_out(id, U::expected(input), |batch| {
            Ok(U::Aggregate::decide(batch.state(id), U::plan(facts, input)?)?)
        })?;
        for event in self.batch.events().skip(known) {
            U::follow(&mut self.facts, event);
        }
        Ok(done)
    }

    async fn write(self, conn: &mut PgConnection, scope: &Scope) -> Result<(), Failure> {
        self.batch.append(conn, scope).await
    }
}
