//! One set of vectors: the document topic from where the set stands, on and on.

use super::{SetSettings, newest::Newest};
use crate::{
    deps::{Deps, RoleError},
    metrics::of,
    readers, stored,
};
use eventlog::{Offsets, Record, Source, checkpoint, consumer, database};
use schemas::{
    Uuid,
    ids::{ProductId, TenantId},
    signals::Changed,
    topics,
};
use search::{
    bundle::Model,
    document::SearchDocument,
    embed::{self, Embedder},
    text,
    vector::{self, VectorRow},
};
use sqlx::{Connection, PgConnection};
use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex as Locked, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{Mutex, watch};

/// Documents in one transaction at most: enough for runs of like length.
const BATCH: usize = 16 * embed::BATCH;
/// How long a transaction may take: a set that tells seldom where it stands looks as if it stood still.
const TELLS_WITHIN: Duration = Duration::from_secs(3);
/// The same for a set that nobody searches yet: the one in use waits for no longer than this takes.
const BACKGROUND_BATCH: usize = 2 * embed::BATCH;

/// Records that wait from which on newer texts overtake older ones.
const BACKLOG: i64 = 256;

type Key = (TenantId, ProductId);

/// How far a set is.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Documents a second, over its life; 0 before the first.
    pub rate_per_second: f64,
    /// Whether it has reached the end of the topic once.
    pub is_live: bool,
}

/// A set, with what it takes to keep it.
pub struct Set {
    /// What everybody has.
    pub deps: Deps,
    /// The model and the text.
    pub model: Model,
    /// Its name in checkpoints, status and metrics.
    pub projection: String,
    /// The loaded model; sets that differ in the text alone share it, and take turns.
    pub embedder: Arc<Mutex<Embedder>>,
    /// What operators want of it.
    pub settings: watch::Receiver<SetSettings>,
    /// How far it is.
    pub report: Arc<Locked<Report>>,
}

impl Set {
    /// Embeds until something fails.
    ///
    /// # Errors
    /// The database's, the broker's or the model's.
    pub async fn keep(mut self) -> Result<(), RoleError> {
        let Deps { config, log, metrics, status, .. } = self.deps.clone();
        let mut connection = database::connect(&config.read_database_url).await?;
        // While an index is made, what comes new waits for it.
        database::take_time(&mut connection).await?;
        let mut offsets = checkpoint::load(&mut connection, &self.projection).await?;
        let topic = log.topic(topics::DOCUMENTS);
        for key in log.partitions(&[topics::DOCUMENTS]) {
            let next = offsets.get(&key).copied().unwrap_or_default();
            status.applied(&self.projection, &key.0, key.1, next, None);
        }
        let source = Source::open(&log, &self.projection, &[topics::DOCUMENTS], &offsets)?;
        let (began, mut taken) = (Instant::now(), 0_u64);
        // The first one tells how fast it goes.
        let mut fits = embed::BATCH;
        let mut newest = Newest::default();
        loop {
            self.settings.wait_for(|settings| !settings.paused).await?;
            let settings = *self.settings.borrow_and_update();
            let is_behind = status.lag(&self.projection, &topic).is_some_and(|lag| lag > BACKLOG);
            let most = match settings.active {
                true if is_behind => (fits / 2).max(embed::BATCH),
                true => fits,
                false => BACKGROUND_BATCH,
            };
            if settings.active && is_behind {
                // As many as of the backlog: it comes to its end, however much is written.
                metrics.embedded.inc_by(self.overtake(&mut connection, &mut newest, most).await?);
            }
            let batch = source.next_batch(most, consumer::BATCH_BYTES).await?;
            let since = Instant::now();
            let next = consumer::next_offsets(&batch);
            let embedded = self.apply(&mut connection, &batch, &offsets, &next).await?;
            fits = fitting(batch.len(), since.elapsed());
            metrics.embedded.inc_by(embedded);
            metrics.applied.get_or_create(&of(&self.projection)).inc_by(batch.len() as u64);
            offsets.extend(next.clone());
            source.publish_offsets(&next);
            status.applied_batch(&self.projection, &batch);
            taken += batch.len() as u64;
            self.tell(&topic, taken, began);
            if let Some(limit) = settings.rate_limit {
                let due = Duration::from_secs_f64(batch.len() as f64 / f64::from(limit.max(1)));
                tokio::time::sleep(due.saturating_sub(since.elapsed())).await;
            }
        }
    }

    fn tell(&self, topic: &str, taken: u64, began: Instant) {
        let reached = self.deps.status.lag(&self.projection, topic) == Some(0);
        let mut report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = taken as f64 / began.elapsed().as_secs_f64().max(0.001);
        (report.rate_per_second, report.is_live) = (rate, report.is_live || reached);
    }

    async fn apply(
        &self,
        connection: &mut PgConnection,
        batch: &[Record],
        known: &Offsets,
        next: &Offsets,
    ) -> Result<u64, RoleError> {
        let mut documents = newest(batch);
        drop_outdated(connection, &mut documents).await?;
        let rows = self.embedded(connection, &documents).await?;
        let removed: Vec<Key> = documents.iter().filter(|(_, d)| d.product.is_none()).map(|(key, _)| *key).collect();
        let mut transaction = connection.begin().await?;
        checkpoint::advance(&mut transaction, &self.projection, known, next).await?;
        vector::upsert(&mut transaction, &self.model, &rows).await?;
        remove(&mut transaction, &self.model, &removed).await?;
        readers::tell(&mut transaction, Changed::Products).await?;
        transaction.commit().await?;
        Ok(rows.len() as u64)
    }

    /// Embeds the texts that were written last, before those that have waited longer.
    async fn overtake(
        &self,
        connection: &mut PgConnection,
        newest: &mut Newest,
        most: usize,
    ) -> Result<u64, RoleError> {
        let found = newest.take(connection, most).await?;
        let documents =
            found.into_iter().map(|document| ((document.tenant_id, document.product_id), document)).collect();
        let rows = self.embedded(connection, &documents).await?;
        if !rows.is_empty() {
            let mut transaction = connection.begin().await?;
            vector::upsert(&mut transaction, &self.model, &rows).await?;
            readers::tell(&mut transaction, Changed::Products).await?;
            transaction.commit().await?;
        }
        Ok(rows.len() as u64)
    }

    /// The vectors of the texts that have none yet.
    async fn embedded(
        &self,
        connection: &mut PgConnection,
        documents: &BTreeMap<Key, SearchDocument>,
    ) -> Result<Vec<VectorRow>, RoleError> {
        let texts: BTreeMap<Key, (String, String)> = documents
            .iter()
            .filter_map(|(key, document)| {
                let text = embed::embedding_text(document.product.as_ref()?, &self.model.text);
                Some((*key, (text::hash(&text), text)))
            })
            .collect();
        let unchanged = unchanged(connection, &self.model, &texts).await?;
        let new: Vec<(Key, String, String)> = texts
            .into_iter()
            .filter(|(key, _)| !unchanged.contains(key))
            .map(|(key, (hash, text))| (key, hash, text))
            .collect();
        let vectors = embed(&self.embedder, new.iter().map(|(_, _, text)| text.clone()).collect()).await?;
        Ok(new
            .into_iter()
            .zip(vectors)
            .map(|((key, content_hash, _), vector)| VectorRow {
                tenant: key.0,
                product: key.1,
                content_hash,
                doc_version: documents.get(&key).map_or(0, |document| document.doc_version),
                vector,
            })
            .collect())
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

async fn embed(embedder: &Arc<Mutex<Embedder>>, texts: Vec<String>) -> Result<Vec<Vec<f32>>, RoleError> {
    // In the order of asking.
    let mut embedder = Arc::clone(embedder).lock_owned().await;
    Ok(tokio::task::spawn_blocking(move || embedder.embed(&texts)).await??)
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
        if documents.get(&key).is_some_and(|document| document.doc_version < stored::read_version(version)) {
            documents.remove(&key);
        }
    }
    Ok(())
}

/// Products whose vector was taken from the very same text.
async fn unchanged(
    connection: &mut PgConnection,
    model: &Model,
    texts: &BTreeMap<Key, (String, String)>,
) -> Result<HashSet<Key>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT e.tenant_id, e.product_id FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS k(t, p, h)
         JOIN embeddings e ON e.tenant_id = k.t AND e.product_id = k.p AND e.content_hash = k.h AND e.model_id = $4",
    )
    .bind(texts.keys().map(|(tenant, _)| tenant.uuid()).collect::<Vec<_>>())
    .bind(texts.keys().map(|(_, product)| product.uuid()).collect::<Vec<_>>())
    .bind(texts.values().map(|(hash, _)| hash.as_str()).collect::<Vec<_>>())
    .bind(model.key())
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(tenant, product)| (TenantId(tenant), ProductId(product))).collect())
}

async fn remove(connection: &mut PgConnection, model: &Model, keys: &[Key]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM embeddings USING unnest($1::uuid[], $2::uuid[]) AS k(t, p)
         WHERE tenant_id = k.t AND product_id = k.p AND model_id = $3",
    )
    .bind(keys.iter().map(|(tenant, _)| tenant.uuid()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, product)| product.uuid()).collect::<Vec<_>>())
    .bind(model.key())
    .execute(connection)
    .await?;
    Ok(())
}

/// How many documents fit into [`TELLS_WITHIN`] at the speed of the batch before.
fn fitting(documents: usize, took: Duration) -> usize {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate"
    )]
    let fit = (documents as f64 * TELLS_WITHIN.as_secs_f64() / took.as_secs_f64().max(0.001)) as usize;
    fit.clamp(embed::BATCH, BATCH.min(2 * documents.max(embed::BATCH)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_as_large_as_it_can_be_told_of_in_time() {
        assert_eq!(fitting(256, Duration::from_secs(6)), 128);
        assert_eq!(fitting(256, Duration::from_millis(10)), BATCH);
        assert_eq!(fitting(16, Duration::from_millis(10)), 32, "it grows step by step");
        assert_eq!(fitting(16, Duration::from_secs(60)), embed::BATCH);
    }
}
