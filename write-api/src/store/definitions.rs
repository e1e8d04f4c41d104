//! The table of what is defined in merchandising.

use super::{Batch, Failure, Row, Scope, Stored, read_version};
use crate::domain::merchandising::{Content, Definition};
use schemas::Uuid;
use sqlx::PgConnection;

type Columns<'a> = (Vec<Uuid>, Vec<&'a str>, Vec<i64>, Vec<Option<String>>);

fn columns<'a, C: Content>(rows: &[Row<'a, Definition<C>>]) -> Columns<'a> {
    let mut columns = Columns::default();
    for row in rows {
        columns.0.push(row.id);
        columns.1.push(&row.state.name);
        columns.2.push(row.version);
        columns.3.push(row.state.content.as_ref().map(|content| serde_json::to_string(content).unwrap_or_default()));
    }
    columns
}

impl<C: Content> Stored for Definition<C> {
    const NAME: &'static str = C::KIND.aggregate();

    async fn insert(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<(), Failure> {
        let columns = columns(rows);
        sqlx::query(
            "INSERT INTO merchandising.definitions (tenant_id, kind, definition_id, name, version, content) \
             SELECT $1, $2, new.* FROM UNNEST($3::uuid[], $4::text[], $5::int8[], $6::text[]) AS new",
        )
        .bind(scope.tenant.uuid())
        .bind(C::KIND.as_str())
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
            "UPDATE merchandising.definitions AS old SET version = new.version, content = new.content \
             FROM UNNEST($2::uuid[], $3::int8[], $4::text[], $5::int8[]) AS new (definition_id, version, content, expected) \
             WHERE old.tenant_id = $1 AND old.definition_id = new.definition_id AND old.version = new.expected",
        )
        .bind(scope.tenant.uuid())
        .bind(columns.0)
        .bind(columns.2)
        .bind(columns.3)
        .bind(expected)
        .execute(conn)
        .await?;
        Ok(done.rows_affected())
    }

    /// What was removed stays, without content; nothing deletes a row.
    async fn delete(_: &mut PgConnection, _: &Scope, _: &[(Uuid, i64)]) -> Result<u64, Failure> {
        Ok(0)
    }
}

/// Loads and locks some definitions of one kind.
pub(crate) async fn load<C: Content>(
    conn: &mut PgConnection,
    scope: &Scope,
    ids: &[Uuid],
) -> Result<Batch<Definition<C>>, Failure> {
    let rows: Vec<(Uuid, String, i64, Option<String>)> = sqlx::query_as(
        "SELECT definition_id, name, version, content FROM merchandising.definitions \
         WHERE tenant_id = $1 AND definition_id = ANY($2) ORDER BY definition_id FOR UPDATE",
    )
    .bind(scope.tenant.uuid())
    .bind(ids)
    .fetch_all(conn)
    .await?;
    let mut batch = Batch::default();
    for (id, name, version, content) in rows {
        let content = content
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| Failure::Unreadable("definition", error.to_string()))?;
        batch.insert(id, read_version(version), Definition { name, content });
    }
    Ok(batch)
}
