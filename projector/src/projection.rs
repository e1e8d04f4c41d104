//! What a projection is: it turns events of some contexts into the rows of one read model.

use eventlog::Event;
use schemas::{Timestamp, Uuid, ids::TenantId, topics::Context};
use sqlx::PgConnection;
use std::{future::Future, pin::Pin};

/// A table that queries read, and what has to be known of it to compare two sets of views or to forget rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewTable {
    /// Its name.
    pub name: &'static str,
    /// The columns of its key, separated by commas.
    pub key: &'static str,
    /// The column that holds the tenant's id.
    pub tenant: &'static str,
    /// What of a row `r` has to be equal in two sets of views that stand at the same place, as an SQL expression.
    pub equal: &'static str,
    /// Which rows are compared, as an SQL condition.
    pub only: &'static str,
}

impl ViewTable {
    /// A table of which every row has to be equal, whole.
    #[must_use]
    pub const fn whole(name: &'static str, key: &'static str) -> Self {
        Self { name, key, tenant: "tenant_id", equal: "to_jsonb(r)::text", only: "true" }
    }
}

/// A table that keeps, for each aggregate, the version of the last event it has applied. It is compared with the outbox, so
/// that an event which a table lost is told again though the feed has read it.
#[derive(Debug, Clone, Copy)]
pub struct Versioned {
    /// The table's name.
    pub name: &'static str,
    /// How its row `v` is found for an aggregate `k` (tenant `t`, context `c`, id `a`, `aggregate`, `name`).
    pub joined_by: &'static str,
    /// SQL of the name that staff gave to what an outbox row `last` is about, where the table is keyed by it.
    pub name_of: Option<&'static str>,
}

/// What scheduled work is told.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The time.
    pub now: Timestamp,
    /// Days after which single searches are deleted; 0 for never.
    pub insight_retention_days: u32,
}

/// What scheduled work has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ticked {
    /// Rows that readers see in another form now.
    pub changed: usize,
    /// Rows that were deleted by age.
    pub pruned: u64,
    /// Whether there is more to do at once.
    pub has_more: bool,
}

/// An aggregate that was forgotten and told anew, since what was known of it is no point of its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retold {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its kind.
    pub aggregate: String,
    /// Its id.
    pub id: Uuid,
    /// The product it belongs to, if any.
    pub product: Option<Uuid>,
    /// The time of the newest event that was known.
    pub event_time: Timestamp,
}

/// Turns events into the rows of one read model, inside the transaction that moves the feed's checkpoint.
///
/// A projection is given only events that are new: `sources` has the version of every aggregate, so that what was
/// delivered twice or comes late never reaches it.
pub trait Projection {
    /// The read model's name.
    const NAME: &'static str;
    /// The contexts whose events it is given. They have to be contexts of the feed it stands in.
    const READS: &'static [Context];
    /// The tables it writes.
    const TABLES: &'static [ViewTable];
    /// The table that is compared with the outbox besides `sources`, if there is one.
    const VERSIONED: Option<Versioned> = None;
    /// Whether one aggregate can be told anew without the rest of its tenant. Where not, all rows of the tenant are
    /// deleted and all its events of [`Self::READS`] are told again.
    const BY_AGGREGATE: bool = false;

    /// Applies new events in their order.
    ///
    /// # Errors
    /// The database's, or [`refusal`]; then nothing of this is kept, and the event that is to blame is parked.
    fn apply(
        connection: &mut PgConnection,
        events: &[&Event],
        now: Timestamp,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Keeps transactions of other shares of the feed from what events touch besides rows of their own keys; see
    /// [`crate::holds`]. It is asked once for all events of a transaction, before any is applied, and before it is known
    /// which are new. Rows that several shares may write (sums, for instance) it need not name, if each transaction writes
    /// them in one order.
    ///
    /// # Errors
    /// The database's.
    fn hold(
        _transaction: &mut PgConnection,
        _events: &[&Event],
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send {
        async { Ok(()) }
    }

    /// Does scheduled work, about once a second, in one process. What it touches of other shares it has to hold.
    ///
    /// # Errors
    /// The database's.
    fn tick(_connection: &mut PgConnection, _at: &Moment) -> impl Future<Output = Result<Ticked, sqlx::Error>> + Send {
        async { Ok(Ticked::default()) }
    }

    /// Brings in line what follows from aggregates that were told anew, even if nothing is left of them.
    ///
    /// # Errors
    /// The database's.
    fn settle(
        _connection: &mut PgConnection,
        _retold: &[Retold],
        _now: Timestamp,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send {
        async { Ok(()) }
    }
}

/// Why an event can never be applied, as a sentence: it is parked with it.
#[must_use]
pub fn refusal(reason: String) -> sqlx::Error {
    sqlx::Error::Decode(reason.into())
}

/// Work in progress.
type Working<'a, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'a>>;

/// A [`Projection`] as a line of the registry.
#[derive(Clone, Copy)]
pub struct Registered {
    /// [`Projection::NAME`].
    pub name: &'static str,
    /// [`Projection::READS`].
    pub reads: &'static [Context],
    /// [`Projection::TABLES`].
    pub tables: &'static [ViewTable],
    /// [`Projection::VERSIONED`].
    pub versioned: Option<Versioned>,
    /// [`Projection::BY_AGGREGATE`].
    pub by_aggregate: bool,
    apply: for<'a> fn(&'a mut PgConnection, &'a [&'a Event], Timestamp) -> Working<'a, ()>,
    hold: for<'a> fn(&'a mut PgConnection, &'a [&'a Event]) -> Working<'a, ()>,
    tick: for<'a> fn(&'a mut PgConnection, &'a Moment) -> Working<'a, Ticked>,
    settle: for<'a> fn(&'a mut PgConnection, &'a [Retold], Timestamp) -> Working<'a, ()>,
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registered").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Registered {
    /// The line of a projection.
    #[must_use]
    pub const fn of<P: Projection + 'static>() -> Self {
        Self {
            name: P::NAME,
            reads: P::READS,
            tables: P::TABLES,
            versioned: P::VERSIONED,
            by_aggregate: P::BY_AGGREGATE,
            apply: |connection, events, now| Box::pin(P::apply(connection, events, now)),
            hold: |transaction, events| Box::pin(P::hold(transaction, events)),
            tick: |connection, at| Box::pin(P::tick(connection, at)),
            settle: |connection, retold, now| Box::pin(P::settle(connection, retold, now)),
        }
    }

    /// Applies those of some new events that it reads.
    ///
    /// # Errors
    /// See [`Projection::apply`].
    pub async fn apply(
        &self,
        connection: &mut PgConnection,
        events: &[&Event],
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        let own = self.own(events);
        if own.is_empty() { Ok(()) } else { (self.apply)(connection, &own, now).await }
    }

    /// See [`Projection::hold`].
    ///
    /// # Errors
    /// The database's.
    pub async fn hold(&self, transaction: &mut PgConnection, events: &[&Event]) -> Result<(), sqlx::Error> {
        let own = self.own(events);
        if own.is_empty() { Ok(()) } else { (self.hold)(transaction, &own).await }
    }

    fn own<'a>(&self, events: &[&'a Event]) -> Vec<&'a Event> {
        events.iter().copied().filter(|event| self.reads.contains(&event.envelope.context)).collect()
    }

    /// Does its scheduled work.
    ///
    /// # Errors
    /// The database's.
    pub async fn tick(&self, connection: &mut PgConnection, at: &Moment) -> Result<Ticked, sqlx::Error> {
        (self.tick)(connection, at).await
    }

    /// See [`Projection::settle`].
    ///
    /// # Errors
    /// The database's.
    pub async fn settle(
        &self,
        connection: &mut PgConnection,
        retold: &[Retold],
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        (self.settle)(connection, retold, now).await
    }
}
