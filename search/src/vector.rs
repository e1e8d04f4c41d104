//! Vectors in PostgreSQL (pgvector): keyed by document and set (a model that reads a
//! text, see [`Model::key`]), with the hash of what was embedded.

use crate::bundle::Model;
use schemas::{
    Uuid,
    ids::{ProductId, TenantId},
};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row};

/// Tenants up to this many vectors are searched exactly, through the primary key: faster than a filtered
/// HNSW scan there, and complete (see docs/decisions/0008).
const EXACT_UP_TO: i64 = 60_000;
/// Products up to this many that pass a filter are searched exactly, by their ids.
pub const FEW: usize = 20_000;

/// A vector to keep.
#[derive(Debug, Clone)]
pub struct VectorRow {
    /// The tenant.
    pub tenant: TenantId,
    /// The product.
    pub product: ProductId,
    /// [`crate::text::hash`] of the text.
    pub content_hash: String,
    /// The document version it was taken from.
    pub doc_version: u64,
    /// As many numbers as the model gives.
    pub vector: Vec<f32>,
}

/// Writes vectors; an older document version never overwrites a newer one.
///
/// # Errors
/// The database's.
pub async fn upsert(connection: &mut PgConnection, model: &Model, rows: &[VectorRow]) -> Result<(), sqlx::Error> {
    let tenants: Vec<Uuid> = rows.iter().map(|row| row.tenant.uuid()).collect();
    let products: Vec<Uuid> = rows.iter().map(|row| row.product.uuid()).collect();
    let hashes: Vec<&str> = rows.iter().map(|row| row.content_hash.as_str()).collect();
    let versions: Vec<i64> = rows.iter().map(|row| i64::try_from(row.doc_version).unwrap_or(i64::MAX)).collect();
    let vectors: Vec<String> = rows.iter().map(|row| literal(&row.vector)).collect();
    sqlx::query(
        "INSERT INTO embeddings (tenant_id, product_id, model_id, content_hash, doc_version, embedding)
         SELECT t, p, $6, h, v, e::halfvec FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::text[]) AS rows(t, p, h, v, e)
         ON CONFLICT (tenant_id, product_id, model_id) DO UPDATE
         SET content_hash = excluded.content_hash, doc_version = excluded.doc_version, embedding = excluded.embedding
         WHERE embeddings.doc_version < excluded.doc_version",
    )
    .bind(tenants)
    .bind(products)
    .bind(hashes)
    .bind(versions)
    .bind(vectors)
    .bind(model.key())
    .execute(connection)
    .await?;
    Ok(())
}

/// The products nearest to a vector, best first, with their cosine similarity; of `among`, if given, and then
/// exactly.
///
/// # Errors
/// The database's.
pub async fn nearest(
    pool: &PgPool,
    tenant: TenantId,
    model: &Model,
    vector: &[f32],
    limit: usize,
    among: Option<&[ProductId]>,
) -> Result<Vec<(ProductId, f32)>, sqlx::Error> {
    let among: Option<Vec<Uuid>> = among.map(|ids| ids.iter().map(|id| id.uuid()).collect());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let key = model.key();
    let mut transaction = pool.begin().await?;
    let size: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT 1 FROM embeddings WHERE tenant_id = $1 AND model_id = $2 LIMIT $3) AS counted",
    )
    .bind(tenant.uuid())
    .bind(&key)
    .bind(EXACT_UP_TO + 1)
    .fetch_one(&mut *transaction)
    .await?;
    // The planner prefers HNSW even where an exact scan is faster and complete; without iterative
    // scans HNSW gives too few rows of one tenant among many.
    let setting = if among.is_some() || size <= EXACT_UP_TO {
        "SELECT set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'on', true)"
    } else {
        "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', '400', true)"
    };
    sqlx::query(setting).execute(&mut *transaction).await?;
    // The set and its dimensions stand in the statement, so that the planner knows the set's own index.
    let (set, length) = (quoted(&key), model.dimensions);
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT product_id, 1 - distance AS similarity FROM (
           SELECT product_id, (embedding <=> $2::real[]::halfvec)::float8 AS distance FROM embeddings
           WHERE tenant_id = $1 AND model_id = {set} AND ($4::uuid[] IS NULL OR product_id = ANY($4))
           ORDER BY embedding::halfvec({length}) <=> $2::real[]::halfvec({length}) LIMIT $3) AS near
         ORDER BY distance, product_id"
    )))
    .bind(tenant.uuid())
    .bind(vector.to_vec())
    .bind(limit)
    .bind(among)
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    #[expect(clippy::cast_possible_truncation, reason = "a similarity needs no more than f32")]
    rows.iter().map(|row| Ok((ProductId(row.try_get(0)?), row.try_get::<f64, _>(1)? as f32))).collect()
}

/// The vector of a product, if it has one yet.
///
/// # Errors
/// The database's.
pub async fn of_product(
    pool: &PgPool,
    tenant: TenantId,
    model: &Model,
    product: ProductId,
) -> Result<Option<Vec<f32>>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT embedding::vector::real[] FROM embeddings WHERE tenant_id = $1 AND product_id = $2 AND model_id = $3",
    )
    .bind(tenant.uuid())
    .bind(product.uuid())
    .bind(model.key())
    .fetch_optional(pool)
    .await
}

/// The mean vector of some products; none if they have none.
///
/// # Errors
/// The database's.
pub async fn mean_of(
    pool: &PgPool,
    tenant: TenantId,
    model: &Model,
    products: &[ProductId],
) -> Result<Option<Vec<f32>>, sqlx::Error> {
    let products: Vec<Uuid> = products.iter().map(|id| id.uuid()).collect();
    sqlx::query_scalar(
        "SELECT avg(embedding::vector)::real[] FROM embeddings
         WHERE tenant_id = $1 AND product_id = ANY($2) AND model_id = $3",
    )
    .bind(tenant.uuid())
    .bind(products)
    .bind(model.key())
    .fetch_one(pool)
    .await
}

/// Makes the index of a set, unless it is there: of vectors of one length, of this set alone.
///
/// # Errors
/// The database's.
pub async fn create_index(connection: &mut PgConnection, model: &Model) -> Result<(), sqlx::Error> {
    let made = sqlx::query("SELECT installation.index_vectors($1, $2, $3)")
        .bind(index_name(model))
        .bind(i32::try_from(model.dimensions).unwrap_or(i32::MAX))
        .bind(model.key());
    made.execute(connection).await.map(|_| ())
}

/// Forgets a set: its index and its vectors.
///
/// # Errors
/// The database's.
pub async fn forget(connection: &mut PgConnection, model: &Model) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT installation.forget_vector_index($1)")
        .bind(index_name(model))
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM embeddings WHERE model_id = $1").bind(model.key()).execute(connection).await?;
    Ok(())
}

fn index_name(model: &Model) -> String {
    let suffix = model.suffix();
    format!("embeddings_hnsw_{}", if suffix.is_empty() { "shipped" } else { &suffix })
}

/// A text as a literal of SQL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A vector in pgvector's text form.
fn literal(vector: &[f32]) -> String {
    let numbers: Vec<String> = vector.iter().map(ToString::to_string).collect();
    format!("[{}]", numbers.join(","))
}
