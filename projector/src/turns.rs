//! Shops take turns in an outbox where more waits than a round takes: the first of each shop, then the second of each
//! (docs/decisions/0044). The same for events and for documents.

use eventlog::producer::{Outgoing, Place};
use schemas::ids::TenantId;
use std::collections::BTreeMap;

/// How much may be sent in one round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Events, or documents.
    pub events: u64,
    /// Bytes after which a round is not filled further; the first of it is sent however large it is.
    pub bytes: u64,
}

/// What a round has sent.
#[derive(Debug, Default)]
pub struct Sent {
    /// Rows that are settled.
    pub rows: u64,
    /// Bytes of payloads.
    pub bytes: u64,
    /// Where each record stands, and its bytes.
    pub places: Vec<(Place, u64)>,
    /// How many are of each shop.
    pub shops: BTreeMap<TenantId, u64>,
}

impl Sent {
    /// Of records in their order, each of a shop, with where it stands; one that was put aside stands nowhere.
    #[must_use]
    pub fn of(records: &[Outgoing], places: impl ExactSizeIterator<Item = Option<Place>>, shops: &[TenantId]) -> Self {
        let bytes = |record: &Outgoing| record.payload.len() as u64;
        Self {
            rows: places.len() as u64,
            bytes: records.iter().map(bytes).sum(),
            places: places.zip(records).filter_map(|(place, record)| Some((place?, bytes(record)))).collect(),
            shops: shops.iter().fold(BTreeMap::new(), |mut counts, shop| {
                *counts.entry(*shop).or_default() += 1;
                counts
            }),
        }
    }
}

/// Whether the next round is taken in turn.
#[derive(Debug, Default)]
pub struct Turns {
    are_on: bool,
}

impl Turns {
    /// Whether the next round is taken in turn: the one before was full.
    #[must_use]
    pub const fn are_on(&self) -> bool {
        self.are_on
    }

    /// Notes a round; gives whether more may wait. What is taken in turn may be little, though more waits.
    pub fn after(&mut self, sent: &Sent, room: Room) -> bool {
        let is_full = sent.rows >= room.events || sent.bytes >= room.bytes;
        std::mem::replace(&mut self.are_on, is_full) || is_full
    }
}

/// An outbox as it stands in its table.
#[derive(Debug, Clone, Copy)]
pub struct Outbox<'a> {
    /// The table.
    pub table: &'a str,
    /// What of a row is taken.
    pub columns: &'a str,
    /// Which rows wait, as an SQL condition.
    pub waiting: &'a str,
    /// The column of their order.
    pub order: &'a str,
}

impl Outbox<'_> {
    /// The query for so many rows with the shops in turn, `turn` beside their columns. The order of each shop's own rows stays.
    /// The shops are found by one step in the index for each, however much each has waiting.
    #[must_use]
    pub fn in_turn(&self, events: u64) -> String {
        let Self { table, columns, waiting, order } = self;
        let next_shop =
            |after: &str| format!("SELECT tenant_id FROM {table} WHERE {waiting} {after} ORDER BY tenant_id LIMIT 1");
        let (first, next) = (next_shop(""), next_shop("AND tenant_id > shops.tenant_id"));
        format!(
            "WITH RECURSIVE shops AS (
               ({first}) UNION ALL SELECT ({next}) FROM shops WHERE tenant_id IS NOT NULL
             )
             SELECT own.* FROM shops CROSS JOIN LATERAL (
               SELECT {columns}, row_number() OVER (ORDER BY {order}) AS turn FROM (
                 SELECT {columns} FROM {table} WHERE {waiting} AND tenant_id = shops.tenant_id
                 ORDER BY {order} LIMIT (SELECT greatest(16, 4 * {events} / count(*)) FROM shops)) AS oldest) AS own
             ORDER BY turn, {order} LIMIT {events}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_begin_with_a_full_round_and_end_after_one_that_is_not() {
        let room = Room { events: 10, bytes: 100 };
        let of = |rows, bytes| Sent { rows, bytes, ..Sent::default() };
        let mut turns = Turns::default();
        assert!(!turns.after(&of(9, 99), room) && !turns.are_on());
        for full in [of(10, 1), of(1, 100)] {
            assert!(turns.after(&full, room) && turns.are_on());
        }
        assert!(turns.after(&of(1, 1), room) && !turns.are_on(), "more may wait than was taken in turn");
        assert!(!turns.after(&of(0, 0), room));
    }
}
