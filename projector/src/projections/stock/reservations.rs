//! Reservations that go on. What has ended is no row.

use schemas::{
    Timestamp, Uuid,
    events::{
        InventoryEvent,
        inventory::{ReservedPart, StockReserved},
    },
};
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// A tenant and a stock item or a product of it.
pub(super) type Key = (Uuid, Uuid);

/// A stock item, a reservation, and a place.
type PartKey = (Key, Uuid, String);

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Row {
    Held(Held),
    Committed,
    Gone,
}

/// A row that is new.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    checkout: Option<Uuid>,
    quantity: i64,
    is_committed: bool,
    expires_at: Timestamp,
    reserved_at: Timestamp,
}

/// What a batch of events makes of the rows.
#[derive(Debug, Default)]
pub(super) struct Reservations {
    rows: BTreeMap<PartKey, Row>,
    /// Whether they end by themselves, and when, if that is another time than before.
    pinned: BTreeMap<(Key, Uuid), (bool, Option<Timestamp>)>,
}

impl Reservations {
    pub(super) fn apply(&mut self, item: Key, at: Timestamp, event: &InventoryEvent) {
        match event {
            InventoryEvent::Reserved(reserved) => self.hold(item, at, reserved),
            InventoryEvent::Pinned(pinned) => {
                self.pinned.entry((item, pinned.reservation_id)).or_default().0 = true;
            }
            InventoryEvent::Unpinned(unpinned) => {
                self.pinned.insert((item, unpinned.reservation_id), (false, Some(unpinned.expires_at)));
            }
            InventoryEvent::Committed(moved) => self.commit(item, moved.reservation_id, &moved.parts),
            InventoryEvent::Released(moved) | InventoryEvent::Expired(moved) | InventoryEvent::Dispatched(moved) => {
                for part in &moved.parts {
                    self.rows.insert((item, moved.reservation_id, part.location.clone()), Row::Gone);
                }
            }
            InventoryEvent::Received(_)
            | InventoryEvent::Adjusted(_)
            | InventoryEvent::Transferred(_)
            | InventoryEvent::Returned(_)
            | InventoryEvent::BackordersSet(_)
            | InventoryEvent::Short(_) => {}
        }
    }

    fn hold(&mut self, item: Key, at: Timestamp, reserved: &StockReserved) {
        for part in &reserved.parts {
            let held = Held {
                checkout: reserved.checkout_id,
                quantity: part.quantity,
                is_committed: false,
                expires_at: reserved.expires_at,
                reserved_at: at,
            };
            self.rows.insert((item, reserved.reservation_id, part.location.clone()), Row::Held(held));
        }
    }

    fn commit(&mut self, item: Key, id: Uuid, parts: &[ReservedPart]) {
        for part in parts {
            let row = self.rows.entry((item, id, part.location.clone())).or_insert(Row::Committed);
            if let Row::Held(held) = row {
                held.is_committed = true;
            }
        }
    }

    fn keys(&self, is_meant: impl Fn(&Row) -> bool) -> Vec<&PartKey> {
        self.rows.iter().filter(|(_, row)| is_meant(row)).map(|(key, _)| key).collect()
    }

    pub(super) async fn store(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        const GONE: &str = "DELETE FROM stock_reservations AS r
            USING unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) AS k(t, v, i, l)
            WHERE r.tenant_id = k.t AND r.variant_id = k.v AND r.reservation_id = k.i AND r.location = k.l";
        const COMMITTED: &str = "UPDATE stock_reservations AS r SET state = 'committed'
            FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) AS k(t, v, i, l)
            WHERE r.tenant_id = k.t AND r.variant_id = k.v AND r.reservation_id = k.i AND r.location = k.l";
        let gone = self.keys(|row| *row == Row::Gone);
        let committed = self.keys(|row| *row == Row::Committed);
        for (sql, keys) in [(GONE, gone), (COMMITTED, committed)] {
            if !keys.is_empty() {
                named(sql, &keys).execute(&mut *connection).await?;
            }
        }
        self.store_held(connection).await?;
        self.store_pinned(connection).await
    }

    async fn store_held(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        const HELD: &str = "INSERT INTO stock_reservations (tenant_id, variant_id, reservation_id, location, checkout_id, quantity, state,
              expires_at, pinned, reserved_at)
            SELECT t, v, i, l, c, q, CASE WHEN m THEN 'committed' ELSE 'held' END, e, false, a
            FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::bigint[], $7::bool[], $8::timestamptz[],
                        $9::timestamptz[]) AS k(t, v, i, l, c, q, m, e, a)
            ON CONFLICT (tenant_id, variant_id, reservation_id, location) DO UPDATE
            SET quantity = excluded.quantity, state = excluded.state, expires_at = excluded.expires_at, pinned = false";
        let (keys, held): (Vec<&PartKey>, Vec<&Held>) = self
            .rows
            .iter()
            .filter_map(|(key, row)| match row {
                Row::Held(held) => Some((key, held)),
                Row::Committed | Row::Gone => None,
            })
            .unzip();
        if keys.is_empty() {
            return Ok(());
        }
        named(HELD, &keys)
            .bind(held.iter().map(|held| held.checkout).collect::<Vec<_>>())
            .bind(held.iter().map(|held| held.quantity).collect::<Vec<_>>())
            .bind(held.iter().map(|held| held.is_committed).collect::<Vec<_>>())
            .bind(held.iter().map(|held| held.expires_at).collect::<Vec<_>>())
            .bind(held.iter().map(|held| held.reserved_at).collect::<Vec<_>>())
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn store_pinned(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.pinned.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE stock_reservations AS r SET pinned = k.p, expires_at = coalesce(k.e, r.expires_at)
             FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bool[], $5::timestamptz[]) AS k(t, v, i, p, e)
             WHERE r.tenant_id = k.t AND r.variant_id = k.v AND r.reservation_id = k.i",
        )
        .bind(self.pinned.keys().map(|((tenant, _), _)| *tenant).collect::<Vec<_>>())
        .bind(self.pinned.keys().map(|((_, variant), _)| *variant).collect::<Vec<_>>())
        .bind(self.pinned.keys().map(|(_, id)| *id).collect::<Vec<_>>())
        .bind(self.pinned.values().map(|(pinned, _)| *pinned).collect::<Vec<_>>())
        .bind(self.pinned.values().map(|(_, expires_at)| *expires_at).collect::<Vec<_>>())
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// A statement whose first parameters are lists of tenants, variants, reservations and places.
fn named(
    sql: &'static str,
    keys: &[&PartKey],
) -> sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments> {
    sqlx::query(sql)
        .bind(keys.iter().map(|((tenant, _), ..)| *tenant).collect::<Vec<_>>())
        .bind(keys.iter().map(|((_, variant), ..)| *variant).collect::<Vec<_>>())
        .bind(keys.iter().map(|(_, id, _)| *id).collect::<Vec<_>>())
        .bind(keys.iter().map(|(.., location)| location.clone()).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::{
        events::inventory::ReservationMoved,
        ids::{ProductId, VariantId},
    };

    const ITEM: Key = (Uuid::from_u128(1), Uuid::from_u128(2));
    const ID: Uuid = Uuid::from_u128(3);

    fn part() -> ReservedPart {
        ReservedPart { location: "main".to_owned(), quantity: 2, on_hand: 9, reserved: 2, committed: 0 }
    }

    fn held() -> InventoryEvent {
        InventoryEvent::Reserved(StockReserved {
            product_id: ProductId(Uuid::nil()),
            variant_id: VariantId(ITEM.1),
            reservation_id: ID,
            checkout_id: None,
            expires_at: Timestamp::UNIX_EPOCH,
            parts: vec![part()],
            available: 7,
        })
    }

    fn moved() -> ReservationMoved {
        ReservationMoved {
            product_id: ProductId(Uuid::nil()),
            variant_id: VariantId(ITEM.1),
            reservation_id: ID,
            checkout_id: None,
            parts: vec![part()],
            available: 7,
        }
    }

    fn after(events: &[InventoryEvent]) -> Row {
        let mut reservations = Reservations::default();
        events.iter().for_each(|event| reservations.apply(ITEM, Timestamp::UNIX_EPOCH, event));
        reservations.rows.into_values().next().expect("a row")
    }

    #[test]
    fn what_a_batch_tells_of_a_reservation_is_one_change() {
        let (committed, gone) = (InventoryEvent::Committed(moved()), InventoryEvent::Dispatched(moved()));
        assert!(matches!(after(&[held()]), Row::Held(Held { is_committed: false, .. })));
        assert!(matches!(after(&[held(), committed.clone()]), Row::Held(Held { is_committed: true, .. })));
        assert_eq!(after(std::slice::from_ref(&committed)), Row::Committed);
        assert_eq!(after(&[held(), committed.clone(), gone.clone()]), Row::Gone);
        assert_eq!(after(&[committed, gone]), Row::Gone);
    }
}
