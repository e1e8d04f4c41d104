//! Documents into the active index generation; the offsets stand in tantivy's own commit.

use crate::{
    consumer::{self, Record, Source},
    metrics::of,
    role::{Deps, RoleError},
    status,
};
use schemas::{Timestamp, Utc, topics};
use search::{
    IndexError,
    document::SearchDocument,
    generation::{self, Manifest},
    writer::{IndexWriter, Offsets},
};
use sqlx::{Connection, PgConnection};
use std::collections::BTreeMap;

/// The projection's name in status and metrics.
pub const PROJECTION: &str = "index";
/// Most documents between two commits.
const BATCH: usize = 4_000;
/// Documents in one batch from which on more are taken to wait.
const BACKLOG: usize = 500;

/// Indexes until something fails.
///
/// # Errors
/// The broker's or the index's; a damaged generation is put aside, and the next start builds it anew.
pub async fn run(deps: Deps) -> Result<(), RoleError> {
    let name = active_generation(&deps).await?;
    let mut writer = open(&deps, &name)?;
    let mut offsets: Offsets = writer.offsets().clone();
    let topic = deps.config.topic(topics::DOCUMENTS);
    for partition in 0..topics::DOCUMENTS.partitions {
        let next = offsets.get(&(topic.clone(), partition)).copied().unwrap_or_default();
        status::applied(PROJECTION, &topic, partition, next, None);
    }
    let source = Source::open(&deps.config, PROJECTION, &[topics::DOCUMENTS], &offsets)?;
    deps.health.set(PROJECTION, true, "");
    deps.metrics
        .index_documents
        .get_or_create(&of(&name))
        .set(i64::try_from(writer.document_count()).unwrap_or(i64::MAX));
    loop {
        let batch = source.next_batch(BATCH).await?;
        let next = consumer::next_offsets(&batch);
        offsets.extend(next.clone());
        tokio::task::block_in_place(|| write(&mut writer, &batch, &offsets))?;
        observe(&deps, &batch);
        source.publish_offsets(&next);
        let documents = i64::try_from(writer.document_count()).unwrap_or(i64::MAX);
        deps.metrics.index_documents.get_or_create(&of(&name)).set(documents);
    }
}

/// The generation the read database names, created and made active if there is none yet.
async fn active_generation(deps: &Deps) -> Result<String, RoleError> {
    let mut connection = PgConnection::connect(&deps.config.read_database_url).await?;
    let manifest = Manifest::current("g1", Utc::now());
    sqlx::query(
        "INSERT INTO index_generations (generation, state, manifest, activated_at) VALUES ($1, 'active', $2, now())
         ON CONFLICT DO NOTHING",
    )
    .bind(&manifest.generation)
    .bind(serde_json::to_value(&manifest)?)
    .execute(&mut connection)
    .await?;
    let name: String = sqlx::query_scalar("SELECT generation FROM index_generations WHERE state = 'active'")
        .fetch_one(&mut connection)
        .await?;
    std::fs::create_dir_all(&deps.config.index_dir)?;
    generation::create(&deps.config.index_dir, &Manifest { generation: name.clone(), ..manifest })?;
    Ok(name)
}

fn open(deps: &Deps, name: &str) -> Result<IndexWriter, RoleError> {
    let opened = tokio::task::block_in_place(|| IndexWriter::open(&deps.config.index_dir, name));
    if let Err(IndexError::Damaged { .. }) = &opened {
        let aside = generation::quarantine(&deps.config.index_dir, name, Utc::now())?;
        tracing::error!(index.generation = name, index.aside = %aside.display(), "the index is damaged; it is put aside and built anew");
    }
    Ok(opened?)
}

fn write(writer: &mut IndexWriter, batch: &[Record], offsets: &Offsets) -> Result<(), RoleError> {
    writer.merge(batch.len() < BACKLOG);
    let mut newest: BTreeMap<&str, SearchDocument> = BTreeMap::new();
    for record in batch {
        // Our own documents can be read; a tombstone of Kafka's has nothing left to say.
        let Some(payload) = &record.payload else { continue };
        match serde_json::from_slice::<SearchDocument>(payload) {
            Ok(document) => {
                if newest.get(record.key.as_str()).is_none_or(|known| known.doc_version < document.doc_version) {
                    newest.insert(&record.key, document);
                }
            }
            Err(error) => tracing::error!(
                %error, event.key = %record.key, event.offset = record.offset, event.partition = record.partition,
                "a record of the document topic is no search document; left out"
            ),
        }
    }
    for document in newest.values() {
        writer.upsert(document)?;
    }
    Ok(writer.commit(offsets.clone())?)
}

/// Measures how long each write took to become searchable.
fn observe(deps: &Deps, batch: &[Record]) {
    let now = Utc::now();
    for record in batch {
        let time: Option<Timestamp> = record.header("ce_time").and_then(|text| text.parse().ok());
        if let Some(time) = time {
            #[expect(clippy::cast_precision_loss, reason = "a duration for a histogram")]
            let seconds = (now - time).num_microseconds().unwrap_or_default().max(0) as f64 / 1e6;
            deps.metrics.write_to_searchable.observe(seconds);
        }
        let span = tracing::debug_span!(
            "index.document",
            correlation.id = record.header("ce_soukcorrelation").unwrap_or_default()
        );
        service::request::continue_trace(&span, record.header("ce_traceparent"));
        span.in_scope(|| tracing::debug!(event.key = %record.key, "searchable"));
    }
    status::applied_batch(PROJECTION, batch);
    deps.metrics.applied.get_or_create(&of(PROJECTION)).inc_by(batch.len() as u64);
}
