//! The sets of vectors that go with generations: how far each is, and the proof that one is whole.

use crate::{
    context::CommandContext,
    failure::{Failure, Refusal},
    phase::Phase,
};
use schemas::{Utc, Uuid};
use search::{bundle::Model, document::SearchDocument, embed};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// How often it is looked: each look counts.
const LOOK: Duration = Duration::from_secs(1);
/// How long a set that is to be proved may take to what was written before.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the embedding writer may be silent.
const SILENCE: Duration = Duration::from_secs(30);
/// Products whose text is read again for the proof.
const SAMPLE: i64 = 500;

/// A set of vectors, as the embedding writer reports it.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct VectorSet {
    /// Its name: the model's, with the beginning of a hash where it is not the shipped one.
    pub key: String,
    /// Its name in lags and metrics.
    pub projection: String,
    /// What it is doing.
    pub phase: Phase,
    /// Vectors it has.
    pub vectors: i64,
    /// Documents there are.
    pub documents: i64,
    /// Records of the document topic it has not taken in.
    pub lag_events: i64,
    /// Records a second, of late.
    pub rate_per_second: f64,
    /// Why it failed.
    pub error: String,
    /// Seconds since it was reported.
    pub heartbeat_age_seconds: f64,
}

impl VectorSet {
    fn works(&self) -> Result<(), Failure> {
        if self.phase == Phase::Failed {
            let why = format!("{} can't be embedded: {}", self.key, self.error);
            return Err(Failure::refused("vectors_failed", why));
        }
        Ok(())
    }
}

/// The proof that a set is whole; part of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VectorProof {
    /// The set.
    pub set: String,
    /// Documents that have their vector.
    pub documents: i64,
    /// Texts that were hashed again and found to be those embedded.
    pub sampled: i64,
}

/// The sets there are, by name.
///
/// # Errors
/// The database's.
pub async fn all(context: &CommandContext) -> Result<Vec<VectorSet>, Failure> {
    Ok(sqlx::query_as(
        "SELECT key, projection, phase, lag_events, rate_per_second, error,
                (SELECT count(*) FROM embeddings AS e WHERE e.model_id = s.key) AS vectors,
                (SELECT count(*) FROM documents WHERE NOT deleted) AS documents,
                extract(epoch FROM now() - heartbeat_at)::float8 AS heartbeat_age_seconds
         FROM vector_sets AS s ORDER BY key",
    )
    .fetch_all(&context.pool)
    .await?)
}

/// Waits until a set is whole, with a bar; returns at once where nobody embeds or it is whole already.
///
/// # Errors
/// If the model can't be had, or the embedding writer is silent.
pub async fn follow(context: &CommandContext, model: &Model) -> Result<(), Failure> {
    if !are_kept(context).await? {
        return Ok(());
    }
    let key = model.key();
    let bar = context.bar(0, &format!("embedding with {key}"));
    let (mut heard, before) = (Instant::now(), now());
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        let set = all(context).await?.into_iter().find(|set| set.key == key);
        if let Some(set) = &set {
            set.works()?;
            if set.heartbeat_age_seconds < 5.0 {
                heard = Instant::now();
            }
            let unsigned = |number: i64| u64::try_from(number).unwrap_or_default();
            bar.set_length(unsigned(set.documents.max(set.vectors)));
            bar.set_position(unsigned(set.vectors));
            // The count is cheap; what it counts is looked at when it can be true.
            if set.vectors >= set.documents && missing(context, &key, before).await? == 0 {
                bar.finish_and_clear();
                return Ok(());
            }
        }
        if heard.elapsed() > SILENCE {
            return Err(Failure::TimedOut(format!(
                "nobody embeds with {key}: is a projector with the role embed running?"
            )));
        }
    }
}

/// Proves that a set has a vector of the present text of everything that was written before; none where nobody embeds.
///
/// # Errors
/// A refusal with what is missing.
pub async fn prove(context: &CommandContext, model: &Model) -> Result<Option<VectorProof>, Failure> {
    if !are_kept(context).await? {
        return Ok(None);
    }
    let (key, before, began) = (model.key(), now(), Instant::now());
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        if let Some(set) = all(context).await?.into_iter().find(|set| set.key == key) {
            set.works()?;
        }
        let (lacking, wrong) = (missing(context, &key, before).await?, mismatches(context, model, before).await?);
        let documents: i64 =
            sqlx::query_scalar("SELECT count(*) FROM documents WHERE NOT deleted").fetch_one(&context.pool).await?;
        if lacking == 0 && wrong.is_empty() {
            return Ok(Some(VectorProof { set: key, documents, sampled: documents.min(SAMPLE) }));
        }
        if began.elapsed() > PATIENCE {
            let mut findings = vec![format!("{lacking} of {documents} documents have no vector of {key}")];
            findings.extend(
                wrong.iter().take(5).map(|product| format!("product {product}: its vector is of another text")),
            );
            return Err(Failure::Refused(Refusal {
                code: "vectors_missing",
                detail: "searches by meaning would not find what they find today; `reindex status` shows how far the vectors are"
                    .to_owned(),
                findings,
            }));
        }
    }
}

/// Whether anybody embeds here.
async fn are_kept(context: &CommandContext) -> Result<bool, Failure> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT FROM vector_sets)").fetch_one(&context.pool).await?)
}

/// Documents of a version before, in microseconds since 1970, that have no vector in a set.
async fn missing(context: &CommandContext, key: &str, before: i64) -> Result<i64, Failure> {
    Ok(sqlx::query_scalar(
        "SELECT count(*) FROM documents d WHERE NOT d.deleted AND d.doc_version < $2 AND NOT EXISTS (
           SELECT FROM embeddings e WHERE e.tenant_id = d.tenant_id AND e.product_id = d.product_id AND e.model_id = $1)",
    )
    .bind(key)
    .bind(before)
    .fetch_one(&context.pool)
    .await?)
}

/// Products, of some at random, whose vector is not of their present text.
async fn mismatches(context: &CommandContext, model: &Model, before: i64) -> Result<Vec<Uuid>, Failure> {
    let rows: Vec<(Uuid, String, String)> = sqlx::query_as(
        "SELECT d.product_id, d.body, e.content_hash FROM documents d
         JOIN embeddings e ON e.tenant_id = d.tenant_id AND e.product_id = d.product_id AND e.model_id = $1
         WHERE NOT d.deleted AND d.doc_version < $2 ORDER BY random() LIMIT $3",
    )
    .bind(model.key())
    .bind(before)
    .bind(SAMPLE)
    .fetch_all(&context.pool)
    .await?;
    let mut wrong = Vec::new();
    for (product, body, embedded) in rows {
        let document: SearchDocument = serde_json::from_str(&body)?;
        let present = document.product.map(|product| embed::embedding_hash(&product, &model.text));
        if present.is_some_and(|hash| hash != embedded) {
            wrong.push(product);
        }
    }
    Ok(wrong)
}

fn now() -> i64 {
    Utc::now().timestamp_micros()
}
