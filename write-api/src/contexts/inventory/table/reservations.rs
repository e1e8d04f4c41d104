//! The table of reservations, a row for each place. A row stays for ever, so that no id is used twice.

use crate::{
    contexts::inventory::domain::{HoldState, Reservation, StockItem, decide::MOST_SHORT, reservation::Part},
    pipeline::{Batch, Failure, Row, Scope},
};
use schemas::{Timestamp, Uuid};
use sqlx::PgConnection;

/// A row as it is read.
#[derive(sqlx::FromRow)]
struct Kept {
    variant_id: Uuid,
    reservation_id: Uuid,
    location: String,
    checkout_id: Option<Uuid>,
    quantity: i64,
    state: String,
    expires_at: Timestamp,
    pinned: bool,
}

/// A row as it is written.
struct Changed<'a> {
    variant: Uuid,
    id: Uuid,
    location: &'a str,
    part: Part,
    reservation: &'a Reservation,
}

/// Reads those reservations that are named by their ids and variants into the items that were loaded.
pub(crate) async fn load(
    conn: &mut PgConnection,
    scope: &Scope,
    batch: &mut Batch<StockItem>,
    named: &[(Uuid, Uuid)],
) -> Result<(), Failure> {
    let rows: Vec<Kept> = sqlx::query_as(
        "SELECT r.variant_id, r.reservation_id, r.location, r.checkout_id, r.quantity, r.state, r.expires_at, r.pinned \
         FROM UNNEST($2::uuid[], $3::uuid[]) AS named (reservation_id, variant_id) \
         JOIN inventory.reservations AS r USING (reservation_id, variant_id) WHERE r.tenant_id = $1",
    )
    .bind(scope.tenant.uuid())
    .bind(named.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(named.iter().map(|(_, variant)| *variant).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    add(batch, rows)
}

/// Reads reservations that go on at some places, those that are the first to be told of where pieces are missing.
pub(crate) async fn load_open(
    conn: &mut PgConnection,
    scope: &Scope,
    batch: &mut Batch<StockItem>,
    places: &[(Uuid, &str)],
) -> Result<(), Failure> {
    if places.is_empty() {
        return Ok(());
    }
    let rows: Vec<Kept> = sqlx::query_as(
        "SELECT r.* FROM UNNEST($2::uuid[], $3::text[]) AS place (variant_id, location) CROSS JOIN LATERAL ( \
           SELECT variant_id, reservation_id, location, checkout_id, quantity, state, expires_at, pinned \
           FROM inventory.reservations \
           WHERE tenant_id = $1 AND variant_id = place.variant_id AND location = place.location \
             AND state IN ('held', 'committed') \
           ORDER BY state = 'committed', expires_at DESC, reservation_id DESC LIMIT $4) AS r",
    )
    .bind(scope.tenant.uuid())
    .bind(places.iter().map(|(variant, _)| *variant).collect::<Vec<_>>())
    .bind(places.iter().map(|(_, location)| *location).collect::<Vec<_>>())
    .bind(i64::try_from(MOST_SHORT).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?;
    add(batch, rows)
}

fn add(batch: &mut Batch<StockItem>, rows: Vec<Kept>) -> Result<(), Failure> {
    for row in rows {
        let state = HoldState::ALL.into_iter().find(|state| state.as_str() == row.state);
        let state = state.ok_or_else(|| Failure::Unreadable("state of a reservation", row.state.clone()))?;
        batch.complete(row.variant_id, |item| {
            let reservation = item.reservations.entry(row.reservation_id).or_insert_with(|| Reservation {
                checkout_id: row.checkout_id,
                expires_at: row.expires_at,
                pinned: row.pinned,
                parts: std::collections::BTreeMap::new(),
            });
            reservation.parts.insert(row.location.clone(), Part { quantity: row.quantity, state });
        });
    }
    Ok(())
}

/// Reads which of some returns were taken back before.
pub(crate) async fn load_returns(
    conn: &mut PgConnection,
    scope: &Scope,
    batch: &mut Batch<StockItem>,
    named: &[(Uuid, Uuid)],
) -> Result<(), Failure> {
    if named.is_empty() {
        return Ok(());
    }
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT DISTINCT m.variant_id, m.reference FROM UNNEST($2::uuid[], $3::uuid[]) AS named (reference, variant_id) \
         JOIN inventory.movements AS m USING (reference, variant_id) WHERE m.tenant_id = $1 AND m.kind = 'returned'",
    )
    .bind(scope.tenant.uuid())
    .bind(named.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(named.iter().map(|(_, variant)| *variant).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    for (variant, id) in rows {
        batch.complete(variant, |item| {
            item.returns.insert(id);
        });
    }
    Ok(())
}

/// The variants that a reservation is of, in one order for all.
pub(crate) async fn variants(conn: &mut PgConnection, scope: &Scope, id: Uuid) -> Result<Vec<Uuid>, Failure> {
    let found = sqlx::query_scalar(
        "SELECT DISTINCT variant_id FROM inventory.reservations WHERE tenant_id = $1 AND reservation_id = $2 \
         ORDER BY variant_id",
    );
    Ok(found.bind(scope.tenant.uuid()).bind(id).fetch_all(conn).await?)
}

/// Writes the parts that changed.
pub(super) async fn write(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, StockItem>]) -> Result<(), Failure> {
    let changed: Vec<Changed<'_>> = rows.iter().flat_map(changed).collect();
    if changed.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO inventory.reservations (tenant_id, reservation_id, variant_id, location, checkout_id, quantity, state, \
         expires_at, pinned, reserved_at, changed_at) \
         SELECT $1, reservation_id, variant_id, location, checkout_id, quantity, state, expires_at, pinned, $2, $2 \
         FROM UNNEST($3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::int8[], $8::text[], $9::timestamptz[], $10::bool[]) \
         AS new (reservation_id, variant_id, location, checkout_id, quantity, state, expires_at, pinned) \
         ON CONFLICT (tenant_id, reservation_id, variant_id, location) DO UPDATE \
         SET state = excluded.state, expires_at = excluded.expires_at, pinned = excluded.pinned, \
             changed_at = excluded.changed_at",
    )
    .bind(scope.tenant.uuid())
    .bind(scope.now)
    .bind(changed.iter().map(|row| row.id).collect::<Vec<_>>())
    .bind(changed.iter().map(|row| row.variant).collect::<Vec<_>>())
    .bind(changed.iter().map(|row| row.location).collect::<Vec<_>>())
    .bind(changed.iter().map(|row| row.reservation.checkout_id).collect::<Vec<_>>())
    .bind(changed.iter().map(|row| row.part.quantity).collect::<Vec<_>>())
    .bind(changed.iter().map(|row| row.part.state.as_str()).collect::<Vec<_>>())
    .bind(changed.iter().map(|row| row.reservation.expires_at).collect::<Vec<_>>())
    .bind(changed.iter().map(|row| row.reservation.pinned).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

fn changed<'a>(row: &'a Row<'_, StockItem>) -> impl Iterator<Item = Changed<'a>> {
    row.state.reservations.iter().flat_map(move |(id, reservation)| {
        let before = row.before.and_then(|item| item.reservations.get(id));
        let is_as_before = move |location: &String, part: &Part| {
            before.is_some_and(|before| {
                (before.expires_at, before.pinned) == (reservation.expires_at, reservation.pinned)
                    && before.parts.get(location) == Some(part)
            })
        };
        let parts = reservation.parts.iter().filter(move |(location, part)| !is_as_before(location, part));
        parts.map(move |(location, part)| Changed { variant: row.id, id: *id, location, part: *part, reservation })
    })
}
