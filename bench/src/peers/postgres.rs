//! PostgreSQL's full-text search with `pg_trgm`, in a schema of its own; without trigrams on a server that doesn't
//! have the extension.

use super::{
    engine::{Answer, PAGE},
    product::Product,
    queries::{FACETS, Kind, Query},
};
use crate::BenchError;
use sqlx::{AssertSqlSafe, PgPool, Row};
use std::collections::BTreeMap;

/// Products written in one statement.
const CHUNK: usize = 2_000;

/// Title, then brand, part number and kind, then the description; categories as an array, as one would have it to
/// filter by them.
const SETUP: &str = "
    DROP SCHEMA IF EXISTS bench_peers CASCADE;
    CREATE SCHEMA bench_peers;
    CREATE TABLE bench_peers.products (
      id           uuid PRIMARY KEY,
      title        text NOT NULL,
      brand        text,
      part_number  text,
      product_type text,
      description  text,
      category     text[] NOT NULL,
      price        bigint,
      available    boolean NOT NULL,
      words        tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', title), 'A') ||
        setweight(to_tsvector('english', coalesce(brand, '') || ' ' || coalesce(part_number, '') || ' '
                                          || coalesce(product_type, '')), 'B') ||
        setweight(to_tsvector('english', coalesce(description, '')), 'D')) STORED
    );";

/// Made when the rows are there, which is quicker.
const INDEXES: &str = "
    CREATE INDEX ON bench_peers.products USING gin (words);
    CREATE INDEX ON bench_peers.products USING gin (category);
    CREATE INDEX ON bench_peers.products (brand);";

/// What matches by words.
const BY_WORDS: &str = "
    WITH q AS (SELECT websearch_to_tsquery('english', $1) AS words),
    by_words AS MATERIALIZED (
      SELECT p.id, p.brand, p.category, p.product_type, p.available, ts_rank_cd(p.words, q.words) AS score
      FROM bench_peers.products p, q WHERE p.words @@ q.words AND ($2::text IS NULL OR p.brand = $2)),
    found AS MATERIALIZED (SELECT * FROM by_words";

/// A server, and a schema that only this uses.
#[derive(Debug)]
pub(crate) struct Postgres {
    pub(crate) pool: PgPool,
    /// The schema of `pg_trgm`, if the server has it.
    pub(crate) trigrams: Option<String>,
}

impl Postgres {
    pub(crate) async fn load(&mut self, products: &[Product]) -> Result<(), BenchError> {
        sqlx::raw_sql(SETUP).execute(&self.pool).await?;
        let there: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm')")
                .fetch_one(&self.pool)
                .await?;
        if there {
            sqlx::raw_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA bench_peers").execute(&self.pool).await?;
            let schema = "SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pg_trgm'";
            self.trigrams = sqlx::query_scalar(schema).fetch_optional(&self.pool).await?;
        }
        for chunk in products.chunks(CHUNK) {
            let rows = serde_json::to_value(chunk).map_err(|error| BenchError::Broken(error.to_string()))?;
            sqlx::query(
                "INSERT INTO bench_peers.products
                 SELECT r.id, r.title, r.brand, r.part_number, r.product_type, r.description, r.category, r.price, r.available
                 FROM jsonb_to_recordset($1) AS r(id uuid, title text, brand text, part_number text, product_type text,
                   description text, category text[], price bigint, available boolean)",
            )
            .bind(rows)
            .execute(&self.pool)
            .await?;
        }
        sqlx::raw_sql(INDEXES).execute(&self.pool).await?;
        if let Some(schema) = &self.trigrams {
            let index = format!("CREATE INDEX ON bench_peers.products USING gin (title {schema}.gin_trgm_ops)");
            sqlx::raw_sql(AssertSqlSafe(index)).execute(&self.pool).await?;
        }
        sqlx::raw_sql("VACUUM ANALYZE bench_peers.products").execute(&self.pool).await?;
        Ok(())
    }

    pub(crate) async fn search(&self, query: &Query, kind: Kind) -> Result<Answer, BenchError> {
        let facets: Vec<String> = match kind {
            Kind::Text => Vec::new(),
            Kind::Filtered => FACETS.iter().map(|name| facet(name)).collect(),
        };
        let statement = format!(
            "{BY_WORDS} {}) SELECT
               ARRAY(SELECT id::text FROM found ORDER BY score DESC, id LIMIT {PAGE}) AS ids,
               (SELECT count(*) FROM found) AS total,
               jsonb_build_object({}) AS facets",
            self.trigrams.as_deref().map(or_alike).unwrap_or_default(),
            facets.join(", ")
        );
        // It is made of this file's own texts.
        let row = sqlx::query(AssertSqlSafe(statement))
            .bind(&query.text)
            .bind((kind == Kind::Filtered).then_some(&query.brand))
            .fetch_one(&self.pool)
            .await?;
        let total: i64 = row.try_get("total")?;
        let facets: sqlx::types::Json<BTreeMap<String, BTreeMap<String, u64>>> = row.try_get("facets")?;
        Ok(Answer { ids: row.try_get("ids")?, total: u64::try_from(total).unwrap_or_default(), facets: facets.0 })
    }

    pub(crate) async fn count(&self, brand: &str) -> Result<u64, BenchError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM bench_peers.products WHERE brand = $1")
            .bind(brand)
            .fetch_one(&self.pool)
            .await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    pub(crate) async fn remove(&self) -> Result<(), BenchError> {
        sqlx::raw_sql("DROP SCHEMA IF EXISTS bench_peers CASCADE").execute(&self.pool).await?;
        Ok(())
    }
}

/// What has words like those of the text, if nothing has them.
fn or_alike(schema: &str) -> String {
    format!(
        "UNION ALL
         SELECT p.id, p.brand, p.category, p.product_type, p.available, {schema}.word_similarity($1, p.title)
         FROM bench_peers.products p
         WHERE NOT EXISTS (SELECT 1 FROM by_words) AND $1 OPERATOR({schema}.<%) p.title
           AND ($2::text IS NULL OR p.brand = $2)"
    )
}

/// The ten most frequent values of a column.
fn facet(name: &str) -> String {
    let (from, value) = match name {
        "category" => ("found, unnest(category) AS value", "value".to_owned()),
        _ => ("found", format!("{name}::text")),
    };
    format!(
        "'{name}', (SELECT coalesce(jsonb_object_agg(value, number), '{{}}') FROM (
           SELECT {value} AS value, count(*) AS number FROM {from} WHERE {value} IS NOT NULL
           GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10) AS counted)"
    )
}
