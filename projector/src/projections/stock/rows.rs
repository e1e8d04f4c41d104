//! What a batch of events makes of the rows, written for many at once.

use super::reservations::{Key, Reservations};
use schemas::{Uuid, events::inventory::Count};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// What is counted at a place; what an event tells nothing of stays as it is.
#[derive(Debug, Default)]
struct Place {
    product: Uuid,
    on_hand: i64,
    reserved: Option<i64>,
    committed: Option<i64>,
}

/// What a batch of events makes of the rows.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Stock items that are told from their beginning.
    begun: BTreeSet<Key>,
    places: BTreeMap<(Key, String), Place>,
    /// Where how much may be promised.
    pub(super) backorders: BTreeMap<Key, (String, i64)>,
    pub(super) reservations: Reservations,
    /// The variants of products, all of each.
    pub(super) skus: BTreeMap<Key, Vec<(Uuid, String)>>,
}

impl Changes {
    /// A stock item is told from its beginning.
    pub(super) fn begin(&mut self, item: Key) {
        self.begun.insert(item);
    }

    /// A place of a stock item was counted.
    pub(super) fn count(&mut self, item: Key, product: Uuid, count: &Count<'_>) {
        let place = self.places.entry((item, count.location.to_owned())).or_default();
        (place.product, place.on_hand) = (product, count.on_hand);
        place.reserved = count.reserved.or(place.reserved);
        place.committed = count.committed.or(place.committed);
    }

    /// Writes all of it.
    pub(super) async fn store(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        forget(connection, &self.begun).await?;
        store_places(connection, &self.places).await?;
        store_backorders(connection, &self.backorders).await?;
        self.reservations.store(connection).await?;
        store_skus(connection, &self.skus).await
    }
}

fn tenants<'a>(keys: impl Iterator<Item = &'a Key>) -> Vec<Uuid> {
    keys.map(|(tenant, _)| *tenant).collect()
}

fn ids<'a>(keys: impl Iterator<Item = &'a Key>) -> Vec<Uuid> {
    keys.map(|(_, id)| *id).collect()
}

async fn forget(connection: &mut PgConnection, items: &BTreeSet<Key>) -> Result<(), sqlx::Error> {
    if items.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "WITH levels AS (DELETE FROM stock_levels AS r USING unnest($1::uuid[], $2::uuid[]) AS k(t, v)
                         WHERE r.tenant_id = k.t AND r.variant_id = k.v)
         DELETE FROM stock_reservations AS r USING unnest($1::uuid[], $2::uuid[]) AS k(t, v)
         WHERE r.tenant_id = k.t AND r.variant_id = k.v",
    )
    .bind(tenants(items.iter()))
    .bind(ids(items.iter()))
    .execute(connection)
    .await?;
    Ok(())
}

async fn store_places(
    connection: &mut PgConnection,
    places: &BTreeMap<(Key, String), Place>,
) -> Result<(), sqlx::Error> {
    if places.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO stock_levels (tenant_id, variant_id, location, product_id, on_hand, reserved, committed, backorder_limit)
         SELECT k.t, k.v, k.l, k.p, k.o, coalesce(k.r, s.reserved, 0), coalesce(k.c, s.committed, 0), coalesce(s.backorder_limit, 0)
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[])
              AS k(t, v, l, p, o, r, c)
         LEFT JOIN stock_levels AS s ON s.tenant_id = k.t AND s.variant_id = k.v AND s.location = k.l
         ON CONFLICT (tenant_id, variant_id, location) DO UPDATE
         SET product_id = excluded.product_id, on_hand = excluded.on_hand, reserved = excluded.reserved,
             committed = excluded.committed",
    )
    .bind(tenants(places.keys().map(|(key, _)| key)))
    .bind(ids(places.keys().map(|(key, _)| key)))
    .bind(places.keys().map(|(_, location)| location.as_str()).collect::<Vec<_>>())
    .bind(places.values().map(|place| place.product).collect::<Vec<_>>())
    .bind(places.values().map(|place| place.on_hand).collect::<Vec<_>>())
    .bind(places.values().map(|place| place.reserved).collect::<Vec<_>>())
    .bind(places.values().map(|place| place.committed).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn store_backorders(
    connection: &mut PgConnection,
    backorders: &BTreeMap<Key, (String, i64)>,
) -> Result<(), sqlx::Error> {
    if backorders.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE stock_levels AS r SET backorder_limit = CASE WHEN r.location = k.l THEN k.n ELSE 0 END
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[]) AS k(t, v, l, n)
         WHERE r.tenant_id = k.t AND r.variant_id = k.v",
    )
    .bind(tenants(backorders.keys()))
    .bind(ids(backorders.keys()))
    .bind(backorders.values().map(|(location, _)| location.as_str()).collect::<Vec<_>>())
    .bind(backorders.values().map(|(_, limit)| *limit).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Each product has the variants that are named, and no others.
async fn store_skus(
    connection: &mut PgConnection,
    skus: &BTreeMap<Key, Vec<(Uuid, String)>>,
) -> Result<(), sqlx::Error> {
    if skus.is_empty() {
        return Ok(());
    }
    let rows: Vec<(&Key, Uuid, &str)> =
        skus.iter().flat_map(|(key, own)| own.iter().map(move |(id, sku)| (key, *id, sku.as_str()))).collect();
    sqlx::query(
        "DELETE FROM stock_skus AS r USING unnest($1::uuid[], $2::uuid[]) AS k(t, p)
         WHERE r.tenant_id = k.t AND r.product_id = k.p AND NOT r.variant_id = ANY($3::uuid[])",
    )
    .bind(tenants(skus.keys()))
    .bind(ids(skus.keys()))
    .bind(rows.iter().map(|(_, id, _)| *id).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO stock_skus (tenant_id, variant_id, product_id, sku)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[])
         ON CONFLICT (tenant_id, variant_id) DO UPDATE SET product_id = excluded.product_id, sku = excluded.sku
         WHERE (stock_skus.product_id, stock_skus.sku) <> (excluded.product_id, excluded.sku)",
    )
    .bind(tenants(rows.iter().map(|(key, ..)| *key)))
    .bind(rows.iter().map(|(_, id, _)| *id).collect::<Vec<_>>())
    .bind(ids(rows.iter().map(|(key, ..)| *key)))
    .bind(rows.iter().map(|(.., sku)| *sku).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
