//! From the views on: documents as they should be composed, the index, and vectors.

use super::{hop::Hop, options::Args};
use crate::{context::CommandContext, failure::Failure, generations};
use projector::{
    projections::{products, touched::Origin},
    readers,
};
use schemas::{
    Utc, Uuid,
    ids::{ProductId, TenantId},
    signals::Changed,
};
use search::{document::SearchDocument, embed, query::HitCard, reader::IndexHandle, text};
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;

/// A product by its tenant.
pub type Key = (Uuid, Uuid);

/// Some products at random, or all.
///
/// Of a large table, the rows of a few of its pages are the sample: it is taken beside searches, every minute.
pub async fn sample(context: &CommandContext, args: &Args, tenant: Option<Uuid>) -> Result<Vec<Key>, Failure> {
    let share = if args.all || tenant.is_some() { 100.0 } else { share(context, args.sample).await? };
    let order = if args.all { "tenant_id, product_id" } else { "random()" };
    let text = format!(
        "SELECT tenant_id, product_id FROM documents TABLESAMPLE SYSTEM ($4)
         WHERE doc_version < ((extract(epoch FROM now()) - $1) * 1000000)::bigint AND ($3::uuid IS NULL OR tenant_id = $3)
         ORDER BY {order} LIMIT $2"
    );
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(text))
        .bind(args.settle)
        .bind(if args.all { None } else { Some(args.sample) })
        .bind(tenant)
        .bind(share)
        .fetch_all(&context.pool)
        .await?)
}

/// The percentage of the documents' pages that holds about twice as many as are wanted, as far as the database has
/// counted them.
async fn share(context: &CommandContext, wanted: i64) -> Result<f32, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT least(100, 200.0 * $1 / nullif(greatest(reltuples, 0), 0))::real FROM pg_class WHERE oid = 'documents'::regclass",
    )
    .bind(wanted)
    .fetch_one(&context.pool)
    .await
    .map(|share: Option<f32>| share.unwrap_or(100.0))
}

fn columns(keys: &[Key]) -> (Vec<Uuid>, Vec<Uuid>) {
    keys.iter().copied().unzip()
}

/// What the views hold of some products: page, listing and document, as one text by product.
async fn held(connection: &mut PgConnection, keys: &[Key]) -> Result<BTreeMap<Key, String>, sqlx::Error> {
    let (tenants, products) = columns(keys);
    let rows: Vec<(Uuid, Uuid, String)> = sqlx::query_as(
        "SELECT k.t, k.p, concat_ws('|', d.content_hash, d.text_hash, d.deleted, g.slug, g.status, md5(g.page), g.category_ids::text,
                (SELECT md5(string_agg(l.category_id::text || l.card::text, '|' ORDER BY l.category_id)) FROM listing l
                 WHERE l.tenant_id = k.t AND l.product_id = k.p))
         FROM unnest($1::uuid[], $2::uuid[]) AS k(t, p)
         LEFT JOIN documents d ON d.tenant_id = k.t AND d.product_id = k.p
         LEFT JOIN product_pages g ON g.tenant_id = k.t AND g.product_id = k.p",
    )
    .bind(tenants)
    .bind(products)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(tenant, product, text)| ((tenant, product), text)).collect())
}

/// Composes the products anew from what is known of them, and compares.
pub async fn documents(context: &CommandContext, keys: &[Key], dry_run: bool, hop: &mut Hop) -> Result<(), Failure> {
    let (tenants, products) = columns(keys);
    let mut transaction = context.pool.begin().await?;
    // The live projection of these products waits; in the order in which it takes the rows itself.
    sqlx::query(
        "SELECT 1 FROM sources s JOIN unnest($1::uuid[], $2::uuid[]) AS k(t, p) ON s.tenant_id = k.t AND s.product_id = k.p
         ORDER BY s.tenant_id, s.context, s.aggregate_id FOR UPDATE OF s",
    )
    .bind(&tenants)
    .bind(&products)
    .execute(&mut *transaction)
    .await?;
    // A body that is not what its hash says is composed anew, whatever its hash says.
    let bodies: Vec<(Uuid, Uuid, String, String)> = sqlx::query_as(
        "SELECT tenant_id, product_id, content_hash, body FROM documents d JOIN unnest($1::uuid[], $2::uuid[]) AS k(t, p)
         ON d.tenant_id = k.t AND d.product_id = k.p",
    )
    .bind(&tenants)
    .bind(&products)
    .fetch_all(&mut *transaction)
    .await?;
    let before = held(&mut transaction, keys).await?;
    let mut spoilt = Vec::new();
    for (tenant, product, hash, body) in bodies {
        if hash_of(&body).is_none_or(|found| found != hash) {
            spoilt.push((tenant, product));
        }
    }
    if !spoilt.is_empty() {
        let (tenants, products) = columns(&spoilt);
        sqlx::query("UPDATE documents d SET content_hash = 'spoilt' FROM unnest($1::uuid[], $2::uuid[]) AS k(t, p) WHERE d.tenant_id = k.t AND d.product_id = k.p")
            .bind(tenants)
            .bind(products)
            .execute(&mut *transaction)
            .await?;
    }
    let origin = Origin { event_time: Utc::now(), correlation_id: "reconcile".to_owned(), traceparent: None };
    let touched = keys.iter().map(|(t, p)| ((TenantId(*t), ProductId(*p)), origin.clone())).collect();
    products::project(&mut transaction, &touched, Utc::now()).await?;
    let after = held(&mut transaction, keys).await?;
    hop.checked += keys.len() as u64;
    let mut wrong = 0;
    for key in keys {
        let is_spoilt = spoilt.contains(key);
        if before.get(key) != after.get(key) || is_spoilt {
            let what = if is_spoilt {
                "the document is not what its hash says"
            } else {
                "page, listing or document is not what follows from its parts"
            };
            hop.found(|| format!("product {}: {what}", key.1));
            wrong += 1;
        }
    }
    if dry_run || wrong == 0 {
        transaction.rollback().await?;
    } else {
        readers::tell(&mut transaction, Changed::Products).await?;
        transaction.commit().await?;
        hop.mended += wrong;
    }
    Ok(())
}

/// The hash a document's body should have, if it can be read.
fn hash_of(body: &str) -> Option<String> {
    let document: SearchDocument = serde_json::from_str(body).ok()?;
    match document.product {
        Some(product) => Some(text::hash(&serde_json::to_string(&product).ok()?)),
        None => Some("removed".to_owned()),
    }
}

/// Compares the active index of this node with the documents.
pub async fn index(context: &CommandContext, keys: &[Key], args: &Args, hop: &mut Hop) -> Result<(), Failure> {
    let active = generations::active(context).await?.generation;
    let (tenants, products) = columns(keys);
    let rows = sqlx::query(
        "SELECT d.tenant_id, d.product_id, d.doc_version, d.body FROM documents d
         JOIN unnest($1::uuid[], $2::uuid[]) AS k(t, p) ON d.tenant_id = k.t AND d.product_id = k.p
         WHERE NOT EXISTS (SELECT FROM document_outbox o WHERE o.tenant_id = d.tenant_id AND o.product_id = d.product_id)
           AND d.doc_version < (extract(epoch FROM now()) - $3) * 1000000",
    )
    .bind(tenants)
    .bind(products)
    .bind(args.settle)
    .fetch_all(&context.pool)
    .await?;
    let snapshot = tokio::task::block_in_place(|| IndexHandle::open(&context.index_dir, &active))?.snapshot();
    let mut again = Vec::new();
    for row in rows {
        let key: Key = (row.try_get("tenant_id")?, row.try_get("product_id")?);
        let (tenant, product) = (TenantId(key.0), ProductId(key.1));
        let version = u64::try_from(row.try_get::<i64, _>("doc_version")?).unwrap_or_default();
        let document: SearchDocument = serde_json::from_str(row.try_get("body")?)?;
        let found = snapshot.version_of(tenant, product)?;
        let wanted = document.product.as_ref().map(|content| HitCard::new(product, content));
        let card = snapshot.card_of(tenant, product)?;
        hop.checked += 1;
        let has = found.unwrap_or_default();
        if has < version {
            hop.found(|| format!("product {product}: {active} has version {has} of {version}"));
            again.push(key);
        } else if has == version && card != wanted {
            hop.found(|| format!("product {product}: {active} shows something else than its document"));
            again.push(key);
        }
    }
    publish_again(context, &again, args.dry_run, hop).await
}

/// Compares the vectors that go with the active generation with the documents, in shops that have vectors.
pub async fn vectors(context: &CommandContext, keys: &[Key], args: &Args, hop: &mut Hop) -> Result<(), Failure> {
    let model = generations::active(context).await?.manifest()?.bundle.model;
    let (tenants, products) = columns(keys);
    let rows: Vec<(Uuid, Uuid, Option<String>, String)> = sqlx::query_as(
        "SELECT d.tenant_id, d.product_id, e.content_hash, d.body
         FROM documents d JOIN unnest($1::uuid[], $2::uuid[]) AS k(t, p) ON d.tenant_id = k.t AND d.product_id = k.p
         LEFT JOIN embeddings e ON e.tenant_id = d.tenant_id AND e.product_id = d.product_id AND e.model_id = $3
         WHERE NOT d.deleted AND EXISTS (SELECT FROM embeddings any_of WHERE any_of.tenant_id = d.tenant_id)
           AND d.doc_version < (extract(epoch FROM now()) - 20 * $4) * 1000000",
    )
    .bind(tenants)
    .bind(products)
    .bind(model.key())
    .bind(args.settle)
    .fetch_all(&context.pool)
    .await?;
    // A catalog that is just being embedded is on its way.
    let lag: i64 =
        sqlx::query_scalar("SELECT coalesce(sum(lag_events), 0)::bigint FROM projection_status WHERE projection = $1")
            .bind(projector::embeddings::projection(&model))
            .fetch_one(&context.pool)
            .await?;
    if lag > 0 {
        return Ok(());
    }
    hop.checked += rows.len() as u64;
    let mut again: Vec<Key> = Vec::new();
    for (tenant, product, embedded, body) in rows {
        let document: SearchDocument = serde_json::from_str(&body)?;
        let present = document.product.map(|product| embed::embedding_hash(&product, &model.text));
        if embedded != present {
            hop.found(|| format!("product {product}: no vector of its present text"));
            again.push((tenant, product));
        }
    }
    publish_again(context, &again, args.dry_run, hop).await
}

/// Has documents composed under a new version, so that index and vectors take them in whatever they hold.
async fn publish_again(context: &CommandContext, keys: &[Key], dry_run: bool, hop: &mut Hop) -> Result<(), Failure> {
    if dry_run || keys.is_empty() {
        return Ok(());
    }
    let (tenants, products) = columns(keys);
    let mut transaction = context.pool.begin().await?;
    sqlx::query(
        "WITH raised AS (
           UPDATE documents d SET doc_version = greatest(d.doc_version + 1, (extract(epoch FROM now()) * 1000000)::bigint)
           FROM unnest($1::uuid[], $2::uuid[]) AS k(t, p) WHERE d.tenant_id = k.t AND d.product_id = k.p
           RETURNING d.tenant_id, d.product_id, d.doc_version)
         INSERT INTO document_outbox (tenant_id, product_id, doc_version, event_time, correlation_id)
         SELECT tenant_id, product_id, doc_version, now(), 'reconcile' FROM raised
         ON CONFLICT (tenant_id, product_id) DO UPDATE SET doc_version = excluded.doc_version, event_time = excluded.event_time",
    )
    .bind(tenants)
    .bind(products)
    .execute(&mut *transaction)
    .await?;
    let (tenants, products) = columns(keys);
    let rows: Vec<(Uuid, Uuid, i64, String)> = sqlx::query_as(
        "SELECT d.tenant_id, d.product_id, d.doc_version, d.body FROM documents d
         JOIN unnest($1::uuid[], $2::uuid[]) AS k(t, p) ON d.tenant_id = k.t AND d.product_id = k.p",
    )
    .bind(tenants)
    .bind(products)
    .fetch_all(&mut *transaction)
    .await?;
    for (tenant, product, version, body) in rows {
        let document: SearchDocument = serde_json::from_str(&body)?;
        let document = SearchDocument { doc_version: u64::try_from(version).unwrap_or_default(), ..document };
        sqlx::query("UPDATE documents SET body = $3 WHERE tenant_id = $1 AND product_id = $2")
            .bind(tenant)
            .bind(product)
            .bind(serde_json::to_string(&document)?)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    hop.mended += keys.len() as u64;
    Ok(())
}
