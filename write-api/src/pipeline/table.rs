//! Tables by their description: what is inserted, updated, deleted and loaded follows from it.

use super::{Batch, Failure, Row, Scope, Stored, batch::read_version};
use crate::domain::Aggregate;
use schemas::{Uuid, events::Event};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use sqlx::{PgConnection, Postgres, Row as _, postgres::PgArguments, postgres::PgRow, query::Query};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

/// A table with a row per aggregate. Beside the columns named here it has `version`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableSpec {
    /// Its name in the schema of its context.
    pub(crate) name: &'static str,
    /// The column of the aggregate's id.
    pub(crate) id: &'static str,
    /// Whether rows belong to a tenant, by the column `tenant_id`.
    pub(crate) of_tenant: bool,
    /// What of the state stands where. For a new table: `Column::Json("state")`, and what has to be unique beside it.
    pub(crate) columns: &'static [Column],
}

/// A column that holds a field of the state, by the same name in the state's JSON form.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    /// A text of this SQL type, such as `text` or `uuid`.
    Text(&'static str, &'static str),
    /// A number or a boolean of this SQL type, such as `int8` or `bool`.
    Plain(&'static str, &'static str),
    /// Anything, as JSON text in a column of type `text`. The one named `state` holds the whole state.
    Json(&'static str),
    /// The same value in each row, for kinds of aggregates that share a table.
    Fixed(&'static str, &'static str),
}

/// The column that holds the whole state.
const STATE: &str = "state";

impl Column {
    const fn name(&self) -> &'static str {
        match self {
            Self::Text(name, _) | Self::Plain(name, _) | Self::Json(name) | Self::Fixed(name, _) => name,
        }
    }

    const fn sql_type(&self) -> &'static str {
        match self {
            Self::Text(_, sql) | Self::Plain(_, sql) => sql,
            Self::Json(_) | Self::Fixed(..) => "text",
        }
    }

    /// The value of a row, as PostgreSQL reads it from text.
    fn write(&self, state: &Value) -> Option<String> {
        let field = match self {
            Self::Fixed(_, value) => return Some((*value).to_owned()),
            Self::Json(STATE) => return Some(state.to_string()),
            Self::Text(name, _) | Self::Plain(name, _) | Self::Json(name) => state.get(name)?,
        };
        match (self, field) {
            (_, Value::Null) => None,
            (Self::Text(..), Value::String(text)) => Some(text.clone()),
            _ => Some(field.to_string()),
        }
    }

    /// Puts a value that was read into the state.
    fn read(&self, text: Option<String>, state: &mut Map<String, Value>) -> Result<(), serde_json::Error> {
        let Some(text) = text else { return Ok(()) };
        match self {
            Self::Fixed(..) => {}
            Self::Json(STATE) => state.extend(serde_json::from_str::<Map<String, Value>>(&text)?),
            Self::Text(name, _) => drop(state.insert((*name).to_owned(), Value::String(text))),
            Self::Plain(name, _) | Self::Json(name) => {
                state.insert((*name).to_owned(), serde_json::from_str(&text)?);
            }
        }
        Ok(())
    }
}

/// An aggregate whose state stands in one table; parts of it may stand in others.
pub(crate) trait Table: Aggregate + Serialize + DeserializeOwned {
    const SPEC: TableSpec;

    /// Writes what of these states stands in other tables, after their rows.
    fn write_parts(
        _conn: &mut PgConnection,
        _scope: &Scope,
        _rows: &[Row<'_, Self>],
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        async { Ok(()) }
    }

    /// Reads what of these states stands in other tables; their rows are locked.
    fn read_parts(
        _conn: &mut PgConnection,
        _scope: &Scope,
        _states: &mut BTreeMap<Uuid, (u64, Self)>,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        async { Ok(()) }
    }
}

impl<A: Table> Stored for A {
    async fn load(conn: &mut PgConnection, scope: &Scope, ids: &[Uuid]) -> Result<Batch<Self>, Failure> {
        if ids.is_empty() {
            return Ok(Batch::default());
        }
        let query = of_tenant::<A>(sqlx::query(statements::<A>().load).bind(ids), scope);
        let rows = query.fetch_all(&mut *conn).await?;
        let mut states: BTreeMap<Uuid, (u64, A)> = rows.iter().map(read_row).collect::<Result<_, _>>()?;
        if !states.is_empty() {
            A::read_parts(conn, scope, &mut states).await?;
        }
        Ok(batch(states).within(scope))
    }

    fn shown(&self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }

    async fn insert(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<(), Failure> {
        let query = with_columns(sqlx::query(statements::<A>().insert), rows)?;
        of_tenant::<A>(query, scope).execute(&mut *conn).await?;
        A::write_parts(conn, scope, rows).await
    }

    async fn update(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<u64, Failure> {
        let expected: Vec<i64> = rows.iter().map(|row| row.expected).collect();
        let query = with_columns(sqlx::query(statements::<A>().update), rows)?.bind(expected);
        let done = of_tenant::<A>(query, scope).execute(&mut *conn).await?;
        A::write_parts(conn, scope, rows).await?;
        Ok(done.rows_affected())
    }

    async fn delete(conn: &mut PgConnection, scope: &Scope, gone: &[(Uuid, i64)]) -> Result<u64, Failure> {
        let (ids, versions): (Vec<Uuid>, Vec<i64>) = gone.iter().copied().unzip();
        let query = sqlx::query(statements::<A>().delete).bind(ids).bind(versions);
        Ok(of_tenant::<A>(query, scope).execute(conn).await?.rows_affected())
    }
}

/// Loads every aggregate of a tenant, without locking them.
pub(crate) async fn load_all<A: Table>(conn: &mut PgConnection, scope: &Scope) -> Result<Batch<A>, Failure> {
    let query = of_tenant::<A>(sqlx::query(statements::<A>().load_all), scope);
    let rows = query.fetch_all(conn).await?;
    Ok(batch(rows.iter().map(read_row).collect::<Result<_, _>>()?).within(scope))
}

type Statement = Query<'static, Postgres, PgArguments>;

/// The tenant is the last parameter, where there is one.
fn of_tenant<A: Table>(query: Statement, scope: &Scope) -> Statement {
    if A::SPEC.of_tenant { query.bind(scope.tenant.uuid()) } else { query }
}

/// Binds ids, versions, and a list for each column.
fn with_columns<A: Table>(query: Statement, rows: &[Row<'_, A>]) -> Result<Statement, Failure> {
    let states: Vec<Value> = rows
        .iter()
        .map(|row| serde_json::to_value(row.state).map_err(|error| Failure::NoJson(A::NAME, error)))
        .collect::<Result<_, _>>()?;
    let query = query
        .bind(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.version).collect::<Vec<_>>());
    Ok(A::SPEC.columns.iter().fold(query, |query, column| {
        query.bind(states.iter().map(|state| column.write(state)).collect::<Vec<Option<String>>>())
    }))
}

fn read_row<A: Table>(row: &PgRow) -> Result<(Uuid, (u64, A)), Failure> {
    let (id, version): (Uuid, i64) = (row.try_get(0)?, row.try_get(1)?);
    // A state may call its id so, or as the column does.
    let mut state = Map::from_iter(["id", A::SPEC.id].map(|name| (name.to_owned(), Value::String(id.to_string()))));
    let unreadable = |error: serde_json::Error| Failure::Unreadable(A::NAME, error.to_string());
    for (index, column) in A::SPEC.columns.iter().enumerate() {
        column.read(row.try_get(index + 2)?, &mut state).map_err(unreadable)?;
    }
    let state = serde_json::from_value(Value::Object(state)).map_err(unreadable)?;
    Ok((id, (read_version(version), state)))
}

fn batch<A: Aggregate>(states: BTreeMap<Uuid, (u64, A)>) -> Batch<A> {
    let mut batch = Batch::default();
    for (id, (version, state)) in states {
        batch.insert(id, version, state);
    }
    batch
}

/// The statements of a table.
#[derive(Debug, Clone, Copy)]
struct Statements {
    insert: &'static str,
    update: &'static str,
    delete: &'static str,
    load: &'static str,
    load_all: &'static str,
}

/// The statements of an aggregate's table. Their texts are made once for each table and kept for good, so that the
/// database keeps its plans.
fn statements<A: Table>() -> Statements {
    static MADE: Mutex<Option<HashMap<String, Statements>>> = Mutex::new(None);
    let table = format!("{}.{}", A::Event::CONTEXT, A::SPEC.name);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let made = made.get_or_insert_default();
    if let Some(statements) = made.get(&table) {
        return *statements;
    }
    let statements = write_statements(&table, &A::SPEC);
    made.insert(table, statements);
    statements
}

fn write_statements(table: &str, spec: &TableSpec) -> Statements {
    let id = spec.id;
    let each = |write: &dyn Fn(&Column) -> String| spec.columns.iter().map(write).collect::<String>();
    let names = each(&|column| format!(", {}", column.name()));
    let tenant = |table: &str, parameter: usize| {
        if spec.of_tenant { format!(" AND {table}tenant_id = ${parameter}") } else { String::new() }
    };
    let (last, unnest) = (spec.columns.len() + 3, "$1::uuid[], $2::int8[]".to_owned());
    let texts: String = (3..last).map(|parameter| format!(", ${parameter}::text[]")).collect();
    let (tenant_column, tenant_value) =
        if spec.of_tenant { ("tenant_id, ", format!("${last}, ")) } else { ("", String::new()) };
    let values = each(&|column| format!(", new.{}::{}", column.name(), column.sql_type()));
    let set = each(&|column| format!(", {name} = new.{name}::{}", column.sql_type(), name = column.name()));
    let read = each(&|column| format!(", {}::text", column.name()));
    let text = |text: String| -> &'static str { text.leak() };
    Statements {
        insert: text(format!(
            "INSERT INTO {table} ({tenant_column}{id}, version{names}) SELECT {tenant_value}new.{id}, new.version{values} \
             FROM UNNEST({unnest}{texts}) AS new ({id}, version{names})"
        )),
        update: text(format!(
            "UPDATE {table} AS old SET version = new.version{set} FROM UNNEST({unnest}{texts}, ${last}::int8[]) \
             AS new ({id}, version{names}, expected) \
             WHERE old.{id} = new.{id} AND old.version = new.expected{}",
            tenant("old.", last + 1)
        )),
        delete: text(format!(
            "DELETE FROM {table} AS old USING UNNEST({unnest}) AS gone ({id}, version) \
             WHERE old.{id} = gone.{id} AND old.version = gone.version{}",
            tenant("old.", 3)
        )),
        load: text(format!(
            "SELECT {id}, version{read} FROM {table} WHERE {id} = ANY($1){} ORDER BY {id} FOR UPDATE",
            tenant("", 2)
        )),
        load_all: text(format!("SELECT {id}, version{read} FROM {table} WHERE true{}", tenant("", 1))),
    }
}

#[cfg(test)]
mod tests;
