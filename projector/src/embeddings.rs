//! Documents to vectors; text that has not changed is never embedded twice.

use crate::{
    checkpoint::{self, Offsets},
    consumer::{self, Record, Source},
    leader,
    metrics::of,
    role::{Deps, RoleError},
    status,
};
use schemas::{
    Uuid,
    ids::{ProductId, TenantId},
    topics,
};
use search::{
    document::SearchDocument,
    embed::{self, Embedder},
    text,
    vector::{self, VectorRow},
};
use sqlx::{Connection, PgConnection};
use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

/// The projection's name in checkpoints, status and metrics.
pub const PROJECTION: &str = "embed";
/// Documents in one transaction: enough for runs of like length.
const BATCH: usize = 16 * embed::BATCH;

type Key = (TenantId, ProductId);

/// Embeds until something fails.
///
/// # Errors
/// The database's, the broker's or the model's.
pub async fn run(deps: Deps) -> Result<(), RoleError> {
    let files = deps.config.model().ok_or("the embedding model is not configured")?;
    let threads = deps.config.embed_threads;
    let embedder = tokio::task::spawn_blocking(move || Embedder::load(&files, threads)).await??;
    let embedder = Arc::new(Mutex::new(embedder));
    let mut connection = leader::lead(&deps.config.read_database_url, "souk:embed").await?;
    let mut offsets = checkpoint::load(&mut connection, PROJECTION).await?;
    let topic = deps.config.topic(topics::DOCUMENTS);
    for partition in 0..topics::DOCUMENTS.partitions {
        let next = offsets.get(&(topic.clone(), partition)).copied().unwrap_or_default();
        status::applied(PROJECTION, &topic, partition, next, None);
    }
    let source = Source::open(&deps.config, PROJECTION, &[topics::DOCUMENTS], &offsets)?;
    deps.health.set(PROJECTION, true, "");
    loop {
        let batch = source.next_batch(BATCH).await?;
        let next = consumer::next_offsets(&batch);
        let embedded = apply(&mut connection, &embedder, &batch, &offsets, &next).await?;
        deps.metrics.embedded.inc_by(embedded);
        deps.metrics.applied.get_or_create(&of(PROJECTION)).inc_by(batch.len() as u64);
        offsets.extend(next.clone());
        source.publish_offsets(&next);
        status::applied_batch(PROJECTION, &batch);
    }
}

/// The newest document of each product in a batch.
fn newest(batch: &[Record]) -> BTreeMap<Key, SearchDocument> {
    let mut newest: BTreeMap<Key, SearchDocument> = BTreeMap::new();
    for record in batch {
        let Some(document) =
            record.payload.as_deref().and_then(|bytes| serde_json::from_slice::<SearchDocument>(bytes).ok())
        else {
            continue;
        };
        let key = (document.tenant_id, document.product_id);
        if newest.get(&key).is_none_or(|known| known.doc_version < document.doc_version) {
            newest.insert(key, document);
        }
    }
    newest
}

async fn apply(
    connection: &mut PgConnection,
    embedder: &Arc<Mutex<Embedder>>,
    batch: &[Record],
    known: &Offsets,
    next: &Offsets,
) -> Result<u64, RoleError> {
    let mut documents = newest(batch);
    drop_outdated(connection, &mut documents).await?;
    let texts: BTreeMap<Key, (String, String)> = documents
        .iter()
        .filter_map(|(key, document)| {
            let text = text::embedding_text(document.product.as_ref()?);
            Some((*key, (text::hash(&text), text)))
        })
        .collect();
    let unchanged = unchanged(connection, &texts).await?;
    let new: Vec<(Key, String, String)> = texts
        .into_iter()
        .filter(|(key, _)| !unchanged.contains(key))
        .map(|(key, (hash, text))| (key, hash, text))
        .collect();
    let vectors = embed(embedder, new.iter().map(|(_, _, text)| text.clone()).collect()).await?;
    let rows: Vec<VectorRow> = new
        .into_iter()
        .zip(vectors)
        .map(|((key, content_hash, _), vector)| VectorRow {
            tenant: key.0,
            product: key.1,
            content_hash,
            doc_version: documents.get(&key).map_or(0, |document| document.doc_version),
            vector,
        })
        .collect();
    let removed: Vec<Key> = documents.iter().filter(|(_, d)| d.product.is_none()).map(|(key, _)| *key).collect();
    let mut transaction = connection.begin().await?;
    checkpoint::advance(&mut transaction, PROJECTION, known, next).await?;
    vector::upsert(&mut transaction, embed::MODEL_ID, &rows).await?;
    remove(&mut transaction, &removed).await?;
    sqlx::query("SELECT pg_notify($1, '')").bind(crate::views::CHANGED_CHANNEL).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(rows.len() as u64)
}

async fn embed(embedder: &Arc<Mutex<Embedder>>, texts: Vec<String>) -> Result<Vec<Vec<f32>>, RoleError> {
    let embedder = embedder.clone();
    let run = move || embedder.lock().unwrap_or_else(PoisonError::into_inner).embed(&texts);
    Ok(tokio::task::spawn_blocking(run).await??)
}

/// Leaves out what the views have gone beyond: a newer document follows on the topic.
async fn drop_outdated(
    connection: &mut PgConnection,
    documents: &mut BTreeMap<Key, SearchDocument>,
) -> Result<(), sqlx::Error> {
    let keys: Vec<Key> = documents.keys().copied().collect();
    let current: Vec<(Uuid, Uuid, i64)> = sqlx::query_as(
        "SELECT d.tenant_id, d.product_id, d.doc_version FROM unnest($1::uuid[], $2::uuid[]) AS k(t, p)
         JOIN documents d ON d.tenant_id = k.t AND d.product_id = k.p",
    )
    .bind(keys.iter().map(|(tenant, _)| tenant.uuid()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, product)| product.uuid()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    for (tenant, product, version) in current {
        let key = (TenantId(tenant), ProductId(product));
        if documents.get(&key).is_some_and(|document| document.doc_version < u64::try_from(version).unwrap_or_default())
        {
            documents.remove(&key);
        }
    }
    Ok(())
}

/// Products whose vector was taken from the very same text.
async fn unchanged(
    connection: &mut PgConnection,
    texts: &BTreeMap<Key, (String, String)>,
) -> Result<HashSet<Key>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT e.tenant_id, e.product_id FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS k(t, p, h)
         JOIN embeddings e ON e.tenant_id = k.t AND e.product_id = k.p AND e.content_hash = k.h AND e.model_id = $4",
    )
    .bind(texts.keys().map(|(tenant, _)| tenant.uuid()).collect::<Vec<_>>())
    .bind(texts.keys().map(|(_, product)| product.uuid()).collect::<Vec<_>>())
    .bind(texts.values().map(|(hash, _)| hash.as_str()).collect::<Vec<_>>())
    .bind(embed::MODEL_ID)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(tenant, product)| (TenantId(tenant), ProductId(product))).collect())
}

async fn remove(connection: &mut PgConnection, keys: &[Key]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM embeddings USING unnest($1::uuid[], $2::uuid[]) AS k(t, p) WHERE tenant_id = k.t AND product_id = k.p",
    )
    .bind(keys.iter().map(|(tenant, _)| tenant.uuid()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, product)| product.uuid()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
