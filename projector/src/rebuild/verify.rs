//! Whether the second set holds what the live one holds, at the same place in the log.

use super::{
    place::{PROJECTION, RebuildError, at_the_same_place},
    tables::SCHEMA,
};
use crate::{projection::ViewTable, registry};
use eventlog::checkpoint;
use schemas::{Timestamp, Utc};
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use std::{collections::BTreeMap, time::Duration};

/// Differences that are shown one by one.
const SHOWN: i64 = 20;
/// How long the live views stand still at most until the other set has reached them.
const STANDSTILL: Duration = Duration::from_secs(5);

/// What a verification found.
#[derive(Debug, Clone, Serialize)]
pub struct Proof {
    /// When.
    pub at: Timestamp,
    /// Where in the log both sets stood, as topic, partition and next offset.
    pub offsets: Vec<(String, i32, i64)>,
    /// Each table.
    pub tables: BTreeMap<String, TableProof>,
    /// Some of the rows that differ.
    pub differences: Vec<Difference>,
}

/// One table of both sets.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TableProof {
    /// Rows of the live one.
    pub live_rows: i64,
    /// Rows of the other.
    pub other_rows: i64,
    /// Rows that differ or are in one of them only.
    pub differing: i64,
    /// Tenants of which the two have not the same number of rows.
    pub tenants_with_other_counts: i64,
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// The row's key.
    pub key: String,
    /// `changed`, `missing` in the other set, or `extra` there.
    pub how: String,
}

/// Compares both sets row by row, in a state of the database in which they stand at the same place. The live one
/// stands still for the moment that the other needs to reach it.
///
/// # Errors
/// [`RebuildError`].
pub async fn verify(pool: &PgPool) -> Result<Proof, RebuildError> {
    for ViewTable { name, .. } in registry::tables() {
        sqlx::query("SELECT installation.analyze_standby($1)").bind(name).execute(pool).await?;
    }
    let mut fence = pool.begin().await?;
    let offsets = at_the_same_place(&mut fence, STANDSTILL).await?;
    let mut seen = pool.begin().await?;
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut *seen).await?;
    // The first query decides which state is seen.
    let other = checkpoint::load(&mut seen, PROJECTION).await?;
    fence.rollback().await?;
    if other != offsets {
        return Err(RebuildError::NotCaughtUp);
    }
    let (mut tables, mut differences) = (BTreeMap::new(), Vec::new());
    for table in registry::tables() {
        let (proof, shown) =
            compare(&mut seen, &table, SHOWN - i64::try_from(differences.len()).unwrap_or(SHOWN)).await?;
        tables.insert(table.name.to_owned(), proof);
        differences.extend(shown);
    }
    let offsets = offsets.into_iter().map(|((topic, partition), next)| (topic, partition, next)).collect();
    Ok(Proof { at: Utc::now(), offsets, tables, differences })
}

async fn compare(
    seen: &mut PgConnection,
    table: &ViewTable,
    show: i64,
) -> Result<(TableProof, Vec<Difference>), sqlx::Error> {
    let ViewTable { name, key, equal, .. } = *table;
    let only = only(table);
    let side = |schema: &str| {
        format!("SELECT ROW({key})::text AS key, md5({equal}) AS digest FROM {schema}.{name} AS r WHERE {only}")
    };
    let (live, other) = (side("public"), side(SCHEMA));
    let differing = format!(
        "SELECT key, CASE WHEN o.digest IS NULL THEN 'missing' WHEN l.digest IS NULL THEN 'extra' ELSE 'changed' END AS how
         FROM ({live}) AS l FULL JOIN ({other}) AS o USING (key) WHERE l.digest IS DISTINCT FROM o.digest"
    );
    let mut proof = TableProof::default();
    for (into, sql) in [
        (&mut proof.live_rows, format!("SELECT count(*) FROM ({live}) AS l")),
        (&mut proof.other_rows, format!("SELECT count(*) FROM ({other}) AS o")),
        (&mut proof.differing, format!("SELECT count(*) FROM ({differing}) AS d")),
        (&mut proof.tenants_with_other_counts, tenants(table)),
    ] {
        *into = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *seen).await?;
    }
    let mut shown = Vec::new();
    if proof.differing > 0 && show > 0 {
        let sql = format!("SELECT $1 AS \"table\", key, how FROM ({differing}) AS d ORDER BY key LIMIT $2");
        shown = sqlx::query_as(AssertSqlSafe(sql)).bind(name).bind(show).fetch_all(seen).await?;
    }
    Ok((proof, shown))
}

/// Which rows are compared. Those of shops that were deleted go from both sets, from each in its own time.
fn only(ViewTable { tenant, only, .. }: &ViewTable) -> String {
    format!("({only}) AND NOT EXISTS (SELECT FROM public.tenants AS gone WHERE gone.id = r.{tenant} AND gone.deleted)")
}

/// Counts the tenants of which the two sets have not the same number of rows.
fn tenants(table: &ViewTable) -> String {
    let (ViewTable { name, tenant, .. }, only) = (*table, only(table));
    let side = |schema: &str| {
        format!("(SELECT {tenant} AS tenant, count(*) AS rows FROM {schema}.{name} AS r WHERE {only} GROUP BY 1)")
    };
    format!(
        "SELECT count(*) FROM {} AS l FULL JOIN {} AS o USING (tenant) WHERE l.rows IS DISTINCT FROM o.rows",
        side("public"),
        side(SCHEMA)
    )
}

impl Proof {
    /// The tables that differ.
    pub fn differing(&self) -> impl Iterator<Item = &str> {
        let differs = |proof: &TableProof| proof.differing > 0 || proof.tenants_with_other_counts > 0;
        self.tables.iter().filter(move |(_, proof)| differs(proof)).map(|(table, _)| table.as_str())
    }

    /// The differences that are shown, as sentences.
    #[must_use]
    pub fn findings(&self) -> Vec<String> {
        let say = |one: &Difference| format!("{} {} is {}", one.table, one.key, one.how);
        self.differences.iter().map(say).collect()
    }
}
