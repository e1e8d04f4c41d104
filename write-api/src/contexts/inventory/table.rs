//! The tables of stock items and their levels. Nothing deletes a stock item.

use super::domain::StockItem;
use crate::pipeline::{Column, Failure, Row, Scope, Table, TableSpec};
use schemas::Uuid;
use sqlx::PgConnection;
use std::collections::BTreeMap;

impl Table for StockItem {
    const SPEC: TableSpec = TableSpec {
        name: "stock_items",
        id: "variant_id",
        of_tenant: true,
        columns: &[Column::Text("product_id", "uuid")],
    };

    /// Writes the levels that moved.
    async fn write_parts(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<(), Failure> {
        let mut columns: (Vec<Uuid>, Vec<&str>, Vec<i64>) = Default::default();
        for row in rows {
            for (location, on_hand) in &row.state.levels {
                if row.before.and_then(|item| item.levels.get(location)) != Some(on_hand) {
                    columns.0.push(row.id);
                    columns.1.push(location);
                    columns.2.push(*on_hand);
                }
            }
        }
        sqlx::query(
            "INSERT INTO inventory.levels (tenant_id, variant_id, location, on_hand) \
             SELECT $1, new.* FROM UNNEST($2::uuid[], $3::text[], $4::int8[]) AS new \
             ON CONFLICT (tenant_id, variant_id, location) DO UPDATE SET on_hand = excluded.on_hand",
        )
        .bind(scope.tenant.uuid())
        .bind(columns.0)
        .bind(columns.1)
        .bind(columns.2)
        .execute(conn)
        .await?;
        Ok(())
    }

    /// Reads the levels; after the lock, so that they are those of the version just read.
    async fn read_parts(
        conn: &mut PgConnection,
        scope: &Scope,
        states: &mut BTreeMap<Uuid, (u64, Self)>,
    ) -> Result<(), Failure> {
        let rows: Vec<(Uuid, String, i64)> = sqlx::query_as(
            "SELECT variant_id, location, on_hand FROM inventory.levels WHERE tenant_id = $1 AND variant_id = ANY($2)",
        )
        .bind(scope.tenant.uuid())
        .bind(states.keys().copied().collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
        for (id, location, on_hand) in rows {
            if let Some((_, item)) = states.get_mut(&id) {
                item.levels.insert(location, on_hand);
            }
        }
        Ok(())
    }
}
