//! The tables of the second set.

use crate::registry;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

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
        let sql = format!("DROP TABLE {SCHEMA}.\"{table}\"");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await?;
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
        create_one(&mut transaction, table).await?;
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

/// Constraints and indexes keep their names, which are free in the other schema: a later migration finds them
/// whichever set is live.
async fn create_one(connection: &mut PgConnection, table: &str) -> Result<(), sqlx::Error> {
    let like = format!(
        "CREATE TABLE {SCHEMA}.{table} (LIKE public.{table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED
                                        INCLUDING IDENTITY INCLUDING STORAGE INCLUDING COMMENTS)"
    );
    sqlx::query(AssertSqlSafe(like)).execute(&mut *connection).await?;
    let constraints: Vec<String> = sqlx::query_scalar(
        "SELECT format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', $1::text, $2::text, conname, pg_get_constraintdef(oid))
         FROM pg_constraint WHERE conrelid = format('public.%I', $2::text)::regclass AND contype IN ('p', 'u', 'x')",
    )
    .bind(SCHEMA)
    .bind(table)
    .fetch_all(&mut *connection)
    .await?;
    let indexes: Vec<String> = sqlx::query_scalar(
        "SELECT regexp_replace(pg_get_indexdef(i.indexrelid), ' ON public\\.', format(' ON %I.', $1::text))
         FROM pg_index AS i WHERE i.indrelid = format('public.%I', $2::text)::regclass
           AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid)",
    )
    .bind(SCHEMA)
    .bind(table)
    .fetch_all(&mut *connection)
    .await?;
    let grant = format!("GRANT SELECT ON {SCHEMA}.{table} TO souk_query");
    for sql in constraints.into_iter().chain(indexes).chain([grant]) {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    }
    Ok(())
}
