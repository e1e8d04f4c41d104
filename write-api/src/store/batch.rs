//! Aggregates that were loaded together, what was decided on them, and writing it all at once.

use super::{Failure, Scope, outbox, stored_version};
use crate::domain::Aggregate;
use schemas::{Uuid, events::Event};
use sqlx::PgConnection;
use std::collections::HashMap;

/// An aggregate with a table of its own.
pub(crate) trait Stored: Aggregate<Event: Event> + Send + Sync + 'static {
    /// The kind of aggregate, as events name it.
    const NAME: &'static str;

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
pub(crate) struct Item<A> {
    loaded_version: u64,
    loaded: Option<A>,
    pub(crate) version: u64,
    pub(crate) state: Option<A>,
}

/// Aggregates by id, and their new events in the order they were decided.
pub(crate) struct Batch<A: Aggregate> {
    items: HashMap<Uuid, Item<A>>,
    log: Vec<(Uuid, u64, A::Event)>,
}

impl<A: Aggregate> Default for Batch<A> {
    fn default() -> Self {
        Self { items: HashMap::new(), log: Vec::new() }
    }
}

impl<A: Aggregate> Batch<A> {
    /// Takes in what was loaded.
    pub(crate) fn insert(&mut self, id: Uuid, version: u64, state: A) {
        let item = Item { loaded_version: version, loaded: Some(state.clone()), version, state: Some(state) };
        self.items.insert(id, item);
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<&Item<A>> {
        self.items.get(&id)
    }

    pub(crate) fn state(&self, id: Uuid) -> Option<&A> {
        self.items.get(&id).and_then(|item| item.state.as_ref())
    }

    /// The states there are now.
    pub(crate) fn states(&self) -> impl Iterator<Item = &A> {
        self.items.values().filter_map(|item| item.state.as_ref())
    }

    /// Notes what happened to an aggregate; gives its version afterwards.
    pub(crate) fn record(&mut self, id: Uuid, events: Vec<A::Event>) -> u64 {
        let item = self.items.entry(id).or_insert(Item { loaded_version: 0, loaded: None, version: 0, state: None });
        for event in events {
            item.state = A::apply(item.state.take(), &event);
            item.version += 1;
            self.log.push((id, item.version, event));
        }
        item.version
    }
}

impl<A: Stored> Batch<A> {
    /// Writes every state that moved, expecting the version that was loaded, then the events: outbox
    /// ids are drawn only once the rows of the states are locked.
    pub(crate) async fn append(self, conn: &mut PgConnection, scope: &Scope) -> Result<(), Failure> {
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
        outbox::append::<A>(conn, scope, &self.log).await
    }
}

fn expect(written: u64, wanted: usize) -> Result<(), Failure> {
    if usize::try_from(written) == Ok(wanted) { Ok(()) } else { Err(Failure::Conflict) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Aggregate,
        inventory::{
            StockCommand, StockItem,
            command::{Movement, parse_movement},
        },
    };
    use proptest::prelude::*;
    use schemas::ids::{ProductId, VariantId};

    proptest! {
        #[test]
        fn versions_are_contiguous(quantities in proptest::collection::vec((0_u128..3, 0_i64..5), 0..40), start in 1_u64..9) {
            let mut batch = Batch::<StockItem>::default();
            let (product_id, id) = (ProductId(Uuid::nil()), Uuid::from_u128(0));
            batch.insert(id, start, StockItem { product_id, variant_id: VariantId(id), levels: [].into() });
            for (id, quantity) in quantities {
                let id = Uuid::from_u128(id);
                let Ok((location, movement)) = parse_movement("main", Movement::Receive(quantity)) else { continue };
                let command = StockCommand { product_id, variant_id: VariantId(id), location, movement };
                let events = StockItem::decide(batch.state(id), command).expect("room");
                batch.record(id, events);
            }
            let mut last: HashMap<Uuid, u64> = HashMap::from([(id, start)]);
            for (id, version, _) in &batch.log {
                let before = last.insert(*id, *version).unwrap_or_default();
                prop_assert_eq!(*version, before + 1);
            }
        }
    }
}
