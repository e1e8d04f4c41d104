//! The tables of stock items and their levels.

use super::{Batch, Failure, Row, Scope, Stored, read_version};
use crate::domain::inventory::StockItem;
use schemas::{
    Uuid,
    ids::{ProductId, VariantId},
};
use sqlx::PgConnection;
use std::collections::{BTreeMap, HashMap};

impl Stored for StockItem {
    const NAME: &'static str = "stock_item";

    async fn insert(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<(), Failure> {
        let products: Vec<Uuid> = rows.iter().map(|row| row.state.product_id.uuid()).collect();
        sqlx::query(
            "INSERT INTO inventory.stock_items (tenant_id, variant_id, product_id, version) \
             SELECT $1, new.* FROM UNNEST($2::uuid[], $3::uuid[], $4::int8[]) AS new",
        )
        .bind(scope.tenant.uuid())
        .bind(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind(products)
        .bind(rows.iter().map(|row| row.version).collect::<Vec<_>>())
        .execute(&mut *conn)
        .await?;
        write_levels(conn, scope, rows).await
    }

    async fn update(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<u64, Failure> {
        let done = sqlx::query(
            "UPDATE inventory.stock_items AS old SET version = new.version \
             FROM UNNEST($2::uuid[], $3::int8[], $4::int8[]) AS new (variant_id, version, expected) \
             WHERE old.tenant_id = $1 AND old.variant_id = new.variant_id AND old.version = new.expected",
        )
        .bind(scope.tenant.uuid())
        .bind(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.version).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.expected).collect::<Vec<_>>())
        .execute(&mut *conn)
        .await?;
        write_levels(conn, scope, rows).await?;
        Ok(done.rows_affected())
    }

    /// Nothing deletes a stock item.
    async fn delete(_: &mut PgConnection, _: &Scope, _: &[(Uuid, i64)]) -> Result<u64, Failure> {
        Ok(0)
    }
}

/// Writes the levels that moved.
async fn write_levels(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, StockItem>]) -> Result<(), Failure> {
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

/// Loads and locks the stock of some variants.
pub(crate) async fn load(
    conn: &mut PgConnection,
    scope: &Scope,
    variants: &[Uuid],
) -> Result<Batch<StockItem>, Failure> {
    let items: Vec<(Uuid, Uuid, i64)> = sqlx::query_as(
        "SELECT variant_id, product_id, version FROM inventory.stock_items \
         WHERE tenant_id = $1 AND variant_id = ANY($2) ORDER BY variant_id FOR UPDATE",
    )
    .bind(scope.tenant.uuid())
    .bind(variants)
    .fetch_all(&mut *conn)
    .await?;
    let mut batch = Batch::default();
    if items.is_empty() {
        return Ok(batch);
    }
    // After the lock, so that the levels are those of the version just read.
    let rows: Vec<(Uuid, String, i64)> = sqlx::query_as(
        "SELECT variant_id, location, on_hand FROM inventory.levels WHERE tenant_id = $1 AND variant_id = ANY($2)",
    )
    .bind(scope.tenant.uuid())
    .bind(variants)
    .fetch_all(conn)
    .await?;
    let mut levels: HashMap<Uuid, BTreeMap<String, i64>> = HashMap::new();
    for (id, location, on_hand) in rows {
        levels.entry(id).or_default().insert(location, on_hand);
    }
    for (id, product_id, version) in items {
        let levels = levels.remove(&id).unwrap_or_default();
        let item = StockItem { product_id: ProductId(product_id), variant_id: VariantId(id), levels };
        batch.insert(id, read_version(version), item);
    }
    Ok(batch)
}
