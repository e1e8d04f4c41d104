//! Consistency tokens honoured: a read waits, within its budget, until it has seen what they name.
//!
//! Views are fresh when the sources have each aggregate at its version or a later one. Search is two
//! hops away: the searcher must have each product's document at the version of the view's, live or
//! removed. An event that changed no document makes nobody wait, since its document is there already.

use crate::{changes::Change, index::ActiveIndex};
use schemas::{
    Uuid,
    ids::{ProductId, TenantId},
    token::Token,
    topics::Context,
};
use search::{
    bundle::{EmbeddedText, Model},
    document::SearchDocument,
    embed,
    reader::{IndexHandle, Snapshot},
};
use serde::Serialize;
use sqlx::{PgPool, Row};
use std::time::Duration;
use tokio::{sync::watch, time::Instant};

/// How often a condition is looked at when no signal comes.
const POLL: Duration = Duration::from_millis(50);

/// What has to be fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hop {
    /// The views.
    Views,
    /// The views and the index.
    Index,
    /// The views, the index and the vectors.
    Vectors,
}

/// An aggregate that the answer has not seen at the version asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Served {
    /// The context.
    #[schema(value_type = String)]
    pub context: Context,
    /// The aggregate.
    pub aggregate_id: Uuid,
    /// The version the token names.
    pub wanted: u64,
    /// The version the views have; 0 for none.
    pub served: u64,
}

/// Whether the answer has seen what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It has.
    Fresh,
    /// It has not, within the budget; what the views have of it.
    Stale(Vec<Served>),
}

/// Waits for tokens.
#[derive(Debug, Clone)]
pub struct Freshness {
    pool: PgPool,
    changes: watch::Receiver<Change>,
    index: ActiveIndex,
}

impl Freshness {
    /// From its sources of truth.
    #[must_use]
    pub const fn new(pool: PgPool, changes: watch::Receiver<Change>, index: ActiveIndex) -> Self {
        Self { pool, changes, index }
    }

    /// Waits until everything the token names has arrived at the hop, or the budget is spent. The generation that
    /// is waited for is the active one, unless another is to answer.
    ///
    /// # Errors
    /// The database's.
    pub async fn wait(
        &self,
        tenant: TenantId,
        token: &Token,
        budget: Duration,
        hop: Hop,
        index: Option<&IndexHandle>,
    ) -> Result<Verdict, sqlx::Error> {
        if token.is_empty() {
            return Ok(Verdict::Fresh);
        }
        let deadline = Instant::now() + budget;
        let mut changes = self.changes.clone();
        loop {
            changes.mark_unchanged();
            if self.missing(tenant, token).await?.is_empty() {
                break;
            }
            if !until(deadline, changes.changed()).await {
                return self.verdict(tenant, token).await;
            }
        }
        if hop != Hop::Views && !self.wait_for_index(tenant, token, deadline, index).await? {
            return self.verdict(tenant, token).await;
        }
        if hop == Hop::Vectors {
            let answers = index.cloned().or_else(|| self.index.get());
            let model = answers.map(|handle| handle.manifest().bundle.model.clone()).unwrap_or_default();
            loop {
                changes.mark_unchanged();
                if !self.lacks_vectors(tenant, token, &model).await? {
                    break;
                }
                if !until(deadline, changes.changed()).await {
                    return self.verdict(tenant, token).await;
                }
            }
        }
        Ok(Verdict::Fresh)
    }

    /// Waits until the views may have changed; false when the deadline has passed.
    pub async fn look_again(&self, deadline: Instant) -> bool {
        let mut changes = self.changes.clone();
        changes.mark_unchanged();
        until(deadline, changes.changed()).await
    }

    async fn verdict(&self, tenant: TenantId, token: &Token) -> Result<Verdict, sqlx::Error> {
        Ok(Verdict::Stale(self.missing(tenant, token).await?))
    }

    /// What the views have not seen yet. The limits make each aggregate a lookup of its own: before a
    /// fresh table is analysed, the planner would rather read all of the tenant's rows.
    async fn missing(&self, tenant: TenantId, token: &Token) -> Result<Vec<Served>, sqlx::Error> {
        let (contexts, ids, versions) = columns(token);
        let rows = sqlx::query(
            "SELECT k.c, k.a, k.v, coalesce(s.version, 0) AS served
             FROM unnest($2::text[], $3::uuid[], $4::bigint[]) AS k(c, a, v)
             LEFT JOIN LATERAL (SELECT version FROM sources
                                WHERE tenant_id = $1 AND context = k.c AND aggregate_id = k.a LIMIT 1) s ON true
             WHERE coalesce(s.version, 0) < k.v LIMIT 100",
        )
        .bind(tenant.uuid())
        .bind(contexts)
        .bind(ids)
        .bind(versions)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let context: String = row.try_get("c")?;
                Ok(Served {
                    context: context.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
                    aggregate_id: row.try_get("a")?,
                    wanted: unsigned(row.try_get("v")?),
                    served: unsigned(row.try_get("served")?),
                })
            })
            .collect()
    }

    /// Waits until the searcher has every document the token is about; gives whether it does.
    async fn wait_for_index(
        &self,
        tenant: TenantId,
        token: &Token,
        deadline: Instant,
        index: Option<&IndexHandle>,
    ) -> Result<bool, sqlx::Error> {
        let mut wanted = self.documents(tenant, token).await?;
        loop {
            // A damaged index is replaced by one that was built anew: what is waited for comes to that one.
            let Some(handle) = index.map(|index| self.index.newest(index)).or_else(|| self.index.get()) else {
                if !until(deadline, std::future::pending::<()>()).await {
                    return Ok(false);
                }
                continue;
            };
            let mut commits = handle.subscribe();
            let snapshot = commits.borrow_and_update().clone();
            wanted.retain(|(product, version)| !has(&snapshot, tenant, *product, *version));
            if wanted.is_empty() {
                return Ok(true);
            }
            if !until(deadline, commits.changed()).await {
                return Ok(false);
            }
        }
    }

    /// The products a token is about, with the versions of their documents.
    async fn documents(&self, tenant: TenantId, token: &Token) -> Result<Vec<(ProductId, u64)>, sqlx::Error> {
        let (contexts, ids, _) = columns(token);
        let rows: Vec<(Uuid, i64)> = sqlx::query_as(
            "WITH named AS (SELECT s.product_id, s.aggregate, s.aggregate_id
                            FROM unnest($2::text[], $3::uuid[]) AS k(c, a)
                            CROSS JOIN LATERAL (SELECT product_id, aggregate, aggregate_id FROM sources
                                                WHERE tenant_id = $1 AND context = k.c AND aggregate_id = k.a
                                                LIMIT 1) s),
                  products AS (SELECT product_id FROM named WHERE product_id IS NOT NULL
                               UNION
                               SELECT p.product_id FROM named n
                               JOIN product_pages p ON p.tenant_id = $1 AND p.category_ids @> ARRAY[n.aggregate_id]
                               WHERE n.aggregate = 'category')
             SELECT d.product_id, d.doc_version FROM products p
             CROSS JOIN LATERAL (SELECT product_id, doc_version FROM documents
                                 WHERE tenant_id = $1 AND product_id = p.product_id LIMIT 1) d",
        )
        .bind(tenant.uuid())
        .bind(contexts)
        .bind(ids)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(product, version)| (ProductId(product), unsigned(version))).collect())
    }

    /// Whether a document the token is about has no vector of its present text.
    async fn lacks_vectors(&self, tenant: TenantId, token: &Token, model: &Model) -> Result<bool, sqlx::Error> {
        let products: Vec<Uuid> =
            self.documents(tenant, token).await?.into_iter().map(|(product, _)| product.uuid()).collect();
        // What the shipped set reads is hashed where documents are composed; another text is hashed here.
        let is_shipped_text = model.text == EmbeddedText::default();
        let rows: Vec<(Option<String>, Option<String>, Option<String>)> = sqlx::query_as(
            "SELECT e.content_hash, d.text_hash, CASE WHEN NOT $4 THEN d.body END FROM documents d
             LEFT JOIN embeddings e ON e.tenant_id = d.tenant_id AND e.product_id = d.product_id AND e.model_id = $3
             WHERE d.tenant_id = $1 AND d.product_id = ANY($2) AND NOT d.deleted",
        )
        .bind(tenant.uuid())
        .bind(products)
        .bind(model.key())
        .bind(is_shipped_text)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().any(|(embedded, hash, body)| embedded != present(hash, body, model)))
    }
}

/// The hash of a document's present text.
fn present(hash: Option<String>, body: Option<String>, model: &Model) -> Option<String> {
    let Some(body) = body else { return hash };
    let product = serde_json::from_str::<SearchDocument>(&body).ok()?.product?;
    Some(embed::embedding_hash(&product, &model.text))
}

fn has(snapshot: &Snapshot, tenant: TenantId, product: ProductId, version: u64) -> bool {
    // An index that can't be read has not got it; the search itself will say why.
    snapshot.version_of(tenant, product).ok().flatten().is_some_and(|found| found >= version)
}

/// Waits for a signal or the next look; false when the deadline has passed.
async fn until<T>(deadline: Instant, signal: impl Future<Output = T>) -> bool {
    if Instant::now() >= deadline {
        return false;
    }
    // A timeout is the next look falling due.
    let _ = tokio::time::timeout_at(deadline.min(Instant::now() + POLL), signal).await;
    true
}

fn columns(token: &Token) -> (Vec<&'static str>, Vec<Uuid>, Vec<i64>) {
    let (mut contexts, mut ids, mut versions) = (Vec::new(), Vec::new(), Vec::new());
    for (context, id, version) in token.entries() {
        contexts.push(context.name());
        ids.push(id);
        versions.push(i64::try_from(version).unwrap_or(i64::MAX));
    }
    (contexts, ids, versions)
}

fn unsigned(version: i64) -> u64 {
    u64::try_from(version).unwrap_or_default()
}
