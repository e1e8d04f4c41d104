//! The table of price sheets.

use super::{Batch, Failure, Row, Scope, Stored, read_version};
use crate::domain::pricing::PriceSheet;
use schemas::{
    Uuid,
    ids::{ProductId, VariantId},
};
use sqlx::PgConnection;

type Columns = (Vec<Uuid>, Vec<Uuid>, Vec<i64>, Vec<String>);

fn columns(rows: &[Row<'_, PriceSheet>]) -> Columns {
    let mut columns = Columns::default();
    for row in rows {
        columns.0.push(row.id);
        columns.1.push(row.state.product_id.uuid());
        columns.2.push(row.version);
        columns.3.push(serde_json::to_string(&row.state.entries).unwrap_or_default());
    }
    columns
}

impl Stored for PriceSheet {
    const NAME: &'static str = "price_sheet";

    async fn insert(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<(), Failure> {
        let columns = columns(rows);
        sqlx::query(
            "INSERT INTO pricing.price_sheets (tenant_id, variant_id, product_id, version, entries) \
             SELECT $1, new.* FROM UNNEST($2::uuid[], $3::uuid[], $4::int8[], $5::text[]) AS new",
        )
        .bind(scope.tenant.uuid())
        .bind(columns.0)
        .bind(columns.1)
        .bind(columns.2)
        .bind(columns.3)
        .execute(conn)
        .await?;
        Ok(())
    }

    async fn update(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<u64, Failure> {
        let expected: Vec<i64> = rows.iter().map(|row| row.expected).collect();
        let columns = columns(rows);
        let done = sqlx::query(
            "UPDATE pricing.price_sheets AS old \
             SET product_id = new.product_id, version = new.version, entries = new.entries \
             FROM UNNEST($2::uuid[], $3::uuid[], $4::int8[], $5::text[], $6::int8[]) \
             AS new (variant_id, product_id, version, entries, expected) \
             WHERE old.tenant_id = $1 AND old.variant_id = new.variant_id AND old.version = new.expected",
        )
        .bind(scope.tenant.uuid())
        .bind(columns.0)
        .bind(columns.1)
        .bind(columns.2)
        .bind(columns.3)
        .bind(expected)
        .execute(conn)
        .await?;
        Ok(done.rows_affected())
    }

    /// A removed sheet stays, without entries; nothing deletes one.
    async fn delete(_: &mut PgConnection, _: &Scope, _: &[(Uuid, i64)]) -> Result<u64, Failure> {
        Ok(0)
    }
}

/// Loads and locks the sheets of some variants.
pub(crate) async fn load(
    conn: &mut PgConnection,
    scope: &Scope,
    variants: &[Uuid],
) -> Result<Batch<PriceSheet>, Failure> {
    let rows: Vec<(Uuid, Uuid, i64, String)> = sqlx::query_as(
        "SELECT variant_id, product_id, version, entries FROM pricing.price_sheets \
         WHERE tenant_id = $1 AND variant_id = ANY($2) ORDER BY variant_id FOR UPDATE",
    )
    .bind(scope.tenant.uuid())
    .bind(variants)
    .fetch_all(conn)
    .await?;
    let mut batch = Batch::default();
    for (id, product_id, version, entries) in rows {
        let entries =
            serde_json::from_str(&entries).map_err(|error| Failure::Unreadable("price sheet", error.to_string()))?;
        let sheet = PriceSheet { product_id: ProductId(product_id), variant_id: VariantId(id), entries };
        batch.insert(id, read_version(version), sheet);
    }
    Ok(batch)
}
