//! Aggregates that were loaded together, what was decided on them, and writing it all at once.

use super::{
    Change, Done, Expected, Failure, Rejection, Scope, changes,
    outbox::{self, Decided, stored_version},
    process::inbox,
};
use crate::domain::Aggregate;
use schemas::{
    Uuid,
    contexts::Context,
    events::{EncodeError, Event},
    sizes::{self, MAX_EVENT_BYTES},
};
use serde_json::Value;
use sqlx::PgConnection;
use std::collections::HashMap;

/// What is changed may get larger by so many bytes where nothing may be enlarged: prices, stock and status go on changing.
const SLACK: usize = 256;

/// An aggregate that is kept in a database. [`Table`](super::Table) does it by a description; what needs more says it
/// itself.
pub(crate) trait Stored: Aggregate {
    /// Loads and locks those of these ids that are there.
    fn load(
        conn: &mut PgConnection,
        scope: &Scope,
        ids: &[Uuid],
    ) -> impl Future<Output = Result<Batch<Self>, Failure>> + Send;

    /// Writes new states; a taken key is a [`Failure::Conflict`].
    fn insert(
        conn: &mut PgConnection,
        scope: &Scope,
        rows: &[Row<'_, Self>],
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Replaces states whose version is still the expected one; gives how many were.
    fn update(
        conn: &mut PgConnection,
        scope: &Scope,
        rows: &[Row<'_, Self>],
    ) -> impl Future<Output = Result<u64, Failure>> + Send;

    /// The state as the audit shows it.
    fn shown(&self) -> Option<Value>;

    /// Removes states whose version is still the expected one; gives how many were.
    fn delete(
        conn: &mut PgConnection,
        scope: &Scope,
        gone: &[(Uuid, i64)],
    ) -> impl Future<Output = Result<u64, Failure>> + Send;
}

/// A state to write.
pub(crate) struct Row<'a, A> {
    pub(crate) id: Uuid,
    /// The version that was loaded; 0 for none.
    pub(crate) expected: i64,
    pub(crate) version: i64,
    pub(crate) before: Option<&'a A>,
    pub(crate) state: &'a A,
}

/// One aggregate of a batch.
struct Item<A> {
    loaded_version: u64,
    loaded: Option<A>,
    version: u64,
    state: Option<A>,
}

/// Aggregates by id, and their new events in the order they were decided.
pub(crate) struct Batch<A: Aggregate> {
    items: HashMap<Uuid, Item<A>>,
    log: Vec<Decided<A::Event>>,
    /// Why an event could not be written down, if one could not: nothing of the batch is written then.
    unwritable: Option<EncodeError>,
    /// Why nothing may be created or enlarged, if so.
    full: Option<Rejection>,
}

impl<A: Aggregate> Default for Batch<A> {
    fn default() -> Self {
        Self { items: HashMap::new(), log: Vec::new(), unwritable: None, full: None }
    }
}

impl<A: Aggregate> Batch<A> {
    /// Takes in what was loaded.
    pub(crate) fn insert(&mut self, id: Uuid, version: u64, state: A) {
        let item = Item { loaded_version: version, loaded: Some(state.clone()), version, state: Some(state) };
        self.items.insert(id, item);
    }

    /// The state of one, if it is there.
    pub(crate) fn state(&self, id: Uuid) -> Option<&A> {
        self.items.get(&id).and_then(|item| item.state.as_ref())
    }

    /// Adds to a state what it has besides its own tables and that commands need.
    pub(crate) fn complete(&mut self, id: Uuid, add: impl Fn(&mut A)) {
        let Some(item) = self.items.get_mut(&id) else { return };
        [&mut item.loaded, &mut item.state].into_iter().flatten().for_each(add);
    }

    /// The states there are now.
    pub(crate) fn states(&self) -> impl Iterator<Item = &A> {
        self.items.values().filter_map(|item| item.state.as_ref())
    }

    /// The new events, in their order.
    pub(crate) fn events(&self) -> impl ExactSizeIterator<Item = &A::Event> {
        self.log.iter().map(|decided| &decided.event)
    }

    fn record(&mut self, id: Uuid, events: Vec<(A::Event, String)>) -> u64 {
        let item = self.items.entry(id).or_insert(Item { loaded_version: 0, loaded: None, version: 0, state: None });
        for (event, payload) in events {
            item.state = A::apply(item.state.take(), &event);
            item.version += 1;
            self.log.push(Decided { id, version: item.version, event, payload });
        }
        item.version
    }
}

/// What can't be sent is refused before it is written: one record that the log never takes would hold up all others.
fn fits(payload: &str) -> Result<(), Rejection> {
    if payload.len() <= MAX_EVENT_BYTES {
        return Ok(());
    }
    let largest = sizes::largest_part(payload)
        .map(|(part, bytes)| format!("; its largest part is {part} with {bytes} bytes"))
        .unwrap_or_default();
    Err(Rejection::too_large(format!(
        "what this would record has {} bytes as JSON, at most {MAX_EVENT_BYTES} are allowed{largest}",
        payload.len()
    )))
}

/// A version out of PostgreSQL; a CHECK keeps it above zero.
pub(crate) fn read_version(version: i64) -> u64 {
    u64::try_from(version).unwrap_or_default()
}

impl<A: Stored> Batch<A> {
    /// Where a shop has all the storage that it may have, what staff keep in it doesn't grow. Shoppers go on, and so does what
    /// has to be on record.
    pub(crate) fn within(mut self, scope: &Scope) -> Self {
        self.full = match A::Event::CONTEXT {
            Context::Catalog
            | Context::Pricing
            | Context::Inventory
            | Context::Merchandising
            | Context::Settings
            | Context::Promotions => scope.allowance.full(),
            Context::Tenants
            | Context::Insights
            | Context::Access
            | Context::Audit
            | Context::Accounts
            | Context::Carts
            | Context::Checkout
            | Context::Orders
            | Context::Payments => None,
        };
        self
    }

    /// Carries out one command: finds the aggregate, compares the version it expects, decides, records what happens,
    /// and tells what was done. The only place where these five steps follow each other.
    pub(crate) fn carry_out(
        &mut self,
        id: Uuid,
        expected: Expected,
        decide: impl FnOnce(&Self) -> Result<Vec<A::Event>, Rejection>,
    ) -> Result<Done, Rejection> {
        let item = self.items.get(&id);
        let before = item.map_or(0, |item| item.version);
        let is_there = item.and_then(|item| item.state.as_ref()).is_some_and(|state| !state.is_removed());
        expected.check(is_there.then_some(before))?;
        let events = decide(self)?;
        if let Some(full) = self.full.as_ref().filter(|_| self.grows(id, &events)) {
            return Err(full.clone());
        }
        let change = match (events.is_empty(), is_there) {
            (true, _) => Change::Unchanged,
            (false, false) => Change::Created,
            (false, true) => Change::Changed,
        };
        let mut written = Vec::with_capacity(events.len());
        for event in events {
            match event.to_json() {
                Ok(payload) => {
                    fits(&payload)?;
                    written.push((event, payload));
                }
                Err(error) => self.unwritable = Some(error),
            }
        }
        // Nothing on record and nothing to record: version 0.
        let version = if written.is_empty() { before } else { self.record(id, written) };
        Ok(Done { change, id, version, variants: Vec::new() })
    }

    /// Whether these events make something, or make it larger than a price with one more digit does.
    fn grows(&self, id: Uuid, events: &[A::Event]) -> bool {
        let before = self.state(id).filter(|state| !state.is_removed());
        let after = events.iter().fold(self.state(id).cloned(), A::apply);
        let after = after.as_ref().filter(|state| !state.is_removed());
        let bytes = |state: &A| state.shown().map_or(0, |shown| shown.to_string().len());
        match (before, after) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(before), Some(after)) => !events.is_empty() && bytes(after) > bytes(before) + SLACK,
        }
    }

    /// Writes every state that moved, expecting the version that was loaded, then the events: outbox
    /// ids are drawn only once the rows of the states are locked.
    pub(crate) async fn append(self, conn: &mut PgConnection, scope: &Scope) -> Result<(), Failure> {
        let origins = vec![scope; self.log.len()];
        self.append_of(conn, scope, &origins).await
    }

    /// The same, where each event has its own origin: the scope of the command that led to it.
    pub(crate) async fn append_of(
        self,
        conn: &mut PgConnection,
        scope: &Scope,
        origins: &[&Scope],
    ) -> Result<(), Failure> {
        if let Some(error) = self.unwritable {
            return Err(error.into());
        }
        if self.log.is_empty() {
            return Ok(());
        }
        let mut rows = Vec::with_capacity(self.items.len());
        let mut gone = Vec::new();
        for (id, item) in self.items.iter().filter(|(_, item)| item.version != item.loaded_version) {
            let (expected, version) = (stored_version(item.loaded_version), stored_version(item.version));
            match &item.state {
                Some(state) => rows.push(Row { id: *id, expected, version, before: item.loaded.as_ref(), state }),
                None if expected > 0 => gone.push((*id, expected)),
                None => {}
            }
        }
        // One order for all, so that two batches wait for each other instead of for both.
        rows.sort_unstable_by_key(|row| (row.expected == 0, row.id));
        gone.sort_unstable();
        let (changed, new) = rows.split_at(rows.partition_point(|row| row.expected > 0));
        if !gone.is_empty() {
            expect(A::delete(conn, scope, &gone).await?, gone.len())?;
        }
        if !changed.is_empty() {
            expect(A::update(conn, scope, changed).await?, changed.len())?;
        }
        if !new.is_empty() {
            A::insert(conn, scope, new).await?;
        }
        let ids = outbox::append::<A>(conn, scope, &self.log, origins).await?;
        inbox::tell(conn, scope, &self.log, &ids).await?;
        self.note(origins);
        Ok(())
    }

    /// Notes for the audit what each origin has changed. Fields are compared where all of it is of one: states in between are
    /// not kept.
    fn note(&self, origins: &[&Scope]) {
        let mut rest = self.log.as_slice();
        for of_one in origins.chunk_by(|one, other| std::ptr::eq(*one, *other)) {
            let (own, others) = rest.split_at(of_one.len().min(rest.len()));
            rest = others;
            let Some(origin) = of_one.first().filter(|origin| origin.audited.notes(A::Event::CONTEXT)) else {
                continue;
            };
            let is_all = own.len() == self.log.len();
            let states = |id| {
                let item = self.items.get(&id).filter(|_| is_all)?;
                Some((item.loaded.as_ref()?.shown()?, item.state.as_ref()?.shown()?))
            };
            origin.audited.note(changes::of(own, A::NAME, states));
        }
    }
}

fn expect(written: u64, wanted: usize) -> Result<(), Failure> {
    if usize::try_from(written) == Ok(wanted) { Ok(()) } else { Err(Failure::Conflict) }
}

#[cfg(test)]
mod tests;
