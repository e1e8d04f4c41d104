//! The tables of the second set.

use crate::registry;
use sqlx::{Connection, PgConnection};

/// The schema of the second set.
pub const SCHEMA: &str = "standby";
/// What projections write besides, and what a second set has for itself alone.
const OWN: [&str; 2] = ["document_outbox", "dead_letters"];

/// The tables of the second set that are there.
pub async fn existing(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = $1 ORDER BY 1")
        .bind(SCHEMA)
        .fetch_all(connection)
        .await
}

pub async fn drop_all(connection: &mut PgConnection, tables: &[String]) -> Result<(), sqlx::Error> {
    for table in tables {
        sqlx::query("SELECT installation.drop_standby($1)").bind(table).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Creates the tables, in the very shape of the live ones, unless they are there. The inner error says that a
/// migration has changed the live ones since: what was built can't take their place.
pub async fn create(connection: &mut PgConnection) -> Result<Result<(), String>, sqlx::Error> {
    let there = existing(connection).await?;
    let mut transaction = connection.begin().await?;
    for table in registry::tables().iter().map(|table| table.name).chain(OWN) {
        if there.iter().any(|name| name == table) {
            if shape(&mut transaction, SCHEMA, table).await? != shape(&mut transaction, "public", table).await? {
                return Ok(Err(format!("the table {table} has changed its shape since; build the views again")));
            }
            continue;
        }
        sqlx::query("SELECT installation.create_standby($1)").bind(table).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(Ok(()))
}

/// The columns of a table in their order.
async fn shape(connection: &mut PgConnection, schema: &str, table: &str) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT concat_ws(' ', column_name, data_type, is_nullable) FROM information_schema.columns
         WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position",
    )
    .bind(schema)
    .bind(table)
    .fetch_all(connection)
    .await
}
