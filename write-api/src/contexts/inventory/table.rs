//! The tables of stock items, of their levels and reservations, and of what has moved. Nothing deletes a stock item.

pub(super) mod reservations;

use super::domain::{Level, StockItem};
use crate::pipeline::{Column, Failure, Row, Scope, Table, TableSpec};
use schemas::Uuid;
use sqlx::PgConnection;
use std::collections::BTreeMap;

impl Table for StockItem {
    const SPEC: TableSpec = TableSpec {
        name: "stock_items",
        id: "variant_id",
        of_tenant: true,
        columns: &[
            Column::Text("product_id", "uuid"),
            Column::Text("backorder_location", "text"),
            Column::Plain("backorder_limit", "int8"),
        ],
    };

    /// Writes the levels that moved, with what moved them, and the reservations that changed.
    async fn write_parts(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<(), Failure> {
        write_levels(conn, scope, rows).await?;
        write_moved(conn, scope, rows).await?;
        reservations::write(conn, scope, rows).await
    }

    /// Reads the levels; after the lock, so that they are those of the version just read.
    async fn read_parts(
        conn: &mut PgConnection,
        scope: &Scope,
        states: &mut BTreeMap<Uuid, (u64, Self)>,
    ) -> Result<(), Failure> {
        let rows: Vec<(Uuid, String, i64, i64, i64)> = sqlx::query_as(
            "SELECT variant_id, location, on_hand, reserved, committed FROM inventory.levels \
             WHERE tenant_id = $1 AND variant_id = ANY($2)",
        )
        .bind(scope.tenant.uuid())
        .bind(states.keys().copied().collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
        for (id, location, on_hand, reserved, committed) in rows {
            if let Some((_, item)) = states.get_mut(&id) {
                item.levels.insert(location, Level { on_hand, reserved, committed });
            }
        }
        Ok(())
    }
}

async fn write_levels(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, StockItem>]) -> Result<(), Failure> {
    let moved = rows.iter().flat_map(|row| {
        let is_new =
            move |location: &str, level: &Level| row.before.and_then(|item| item.levels.get(location)) != Some(level);
        let levels = row.state.levels.iter().filter(move |(location, level)| is_new(location, level));
        levels.map(|(location, level)| (row.id, location.as_str(), *level))
    });
    let moved: Vec<(Uuid, &str, Level)> = moved.collect();
    if moved.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO inventory.levels (tenant_id, variant_id, location, on_hand, reserved, committed) \
         SELECT $1, new.* FROM UNNEST($2::uuid[], $3::text[], $4::int8[], $5::int8[], $6::int8[]) AS new \
         ON CONFLICT (tenant_id, variant_id, location) DO UPDATE \
         SET on_hand = excluded.on_hand, reserved = excluded.reserved, committed = excluded.committed",
    )
    .bind(scope.tenant.uuid())
    .bind(moved.iter().map(|(id, ..)| *id).collect::<Vec<_>>())
    .bind(moved.iter().map(|(_, location, _)| *location).collect::<Vec<_>>())
    .bind(moved.iter().map(|(_, _, level)| level.on_hand).collect::<Vec<_>>())
    .bind(moved.iter().map(|(_, _, level)| level.reserved).collect::<Vec<_>>())
    .bind(moved.iter().map(|(_, _, level)| level.committed).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

async fn write_moved(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, StockItem>]) -> Result<(), Failure> {
    let moved: Vec<_> = rows.iter().flat_map(|row| row.state.moved.iter().map(|moved| (row.id, moved))).collect();
    if moved.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO inventory.movements (tenant_id, variant_id, occurred_at, location, kind, pieces, reference) \
         SELECT $1, variant_id, $2, location, kind, pieces, reference \
         FROM UNNEST($3::uuid[], $4::text[], $5::text[], $6::int8[], $7::uuid[]) \
         WITH ORDINALITY AS new (variant_id, location, kind, pieces, reference, n) ORDER BY n",
    )
    .bind(scope.tenant.uuid())
    .bind(scope.now)
    .bind(moved.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(moved.iter().map(|(_, moved)| moved.location.as_str()).collect::<Vec<_>>())
    .bind(moved.iter().map(|(_, moved)| moved.by.as_str()).collect::<Vec<_>>())
    .bind(moved.iter().map(|(_, moved)| moved.pieces).collect::<Vec<_>>())
    .bind(moved.iter().map(|(_, moved)| moved.reference).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}
