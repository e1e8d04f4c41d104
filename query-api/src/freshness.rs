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

/// What has to be fresh beside the views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hop {
    /// The index.
    Index,
    /// The index and the vectors.
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

/// The state of the index that an answer is made from, and whether it has seen what was asked for: proved of this
/// state, not of one that was there a moment before.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The state.
    pub snapshot: Snapshot,
    /// Whether it has seen it.
    pub verdict: Verdict,
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

    /// Waits until the views have everything that the token names, or the deadline has passed.
    ///
    /// # Errors
    /// The database's.
    pub async fn of_views(&self, tenant: TenantId, token: &Token, deadline: Instant) -> Result<Verdict, sqlx::Error> {
        if token.is_empty() {
            return Ok(Verdict::Fresh);
        }
        let mut changes = self.changes.clone();
        loop {
            changes.mark_unchanged();
            let missing = self.missing(tenant, token).await?;
            if missing.is_empty() {
                return Ok(Verdict::Fresh);
            }
            if !until(deadline, changes.changed()).await {
                return Ok(Verdict::Stale(missing));
            }
        }
    }

    /// Waits until everything that the token names has arrived in the views, in the index and at the hop, or the
    /// deadline has passed. The generation that is waited for is the active one, unless another is to answer. None
    /// if no index is open.
    ///
    /// # Errors
    /// The database's.
    pub async fn of_index(
        &self,
        tenant: TenantId,
        token: &Token,
        deadline: Instant,
        hop: Hop,
        index: Option<&IndexHandle>,
    ) -> Result<Option<Seen>, sqlx::Error> {
        let verdict = self.of_views(tenant, token, deadline).await?;
        if token.is_empty() || verdict != Verdict::Fresh {
            return Ok(self.newest(index).map(|handle| Seen { snapshot: handle.snapshot(), verdict }));
        }
        let Some(mut seen) = self.wait_for_index(tenant, token, deadline, index).await? else { return Ok(None) };
        if hop == Hop::Vectors && seen.verdict == Verdict::Fresh {
            let mut changes = self.changes.clone();
            changes.mark_unchanged();
            while self.lacks_vectors(tenant, token, seen.snapshot.model()).await? {
                if !until(deadline, changes.changed()).await {
                    seen.verdict = Verdict::Stale(Vec::new());
                    break;
                }
                changes.mark_unchanged();
            }
        }
        Ok(Some(seen))
    }

    /// Whether a state of the index that was kept has seen what the token names, given that the views have.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_in(&self, tenant: TenantId, token: &Token, kept: &Snapshot) -> Result<bool, sqlx::Error> {
        let wanted = self.documents(tenant, token).await?;
        Ok(wanted.iter().all(|(product, version)| has(kept, tenant, *product, *version)))
    }

    /// The index as it is open now. A damaged one is replaced by one that was built anew.
    fn newest(&self, index: Option<&IndexHandle>) -> Option<IndexHandle> {
        index.map(|index| self.index.newest(index)).or_else(|| self.index.get())
    }

    /// Waits until the views may have changed; false when the deadline has passed.
    pub async fn look_again(&self, deadline: Instant) -> bool {
        let mut changes = self.changes.clone();
        changes.mark_unchanged();
        until(deadline, changes.changed()).await
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

    /// Waits until the index has every document that the token is about, and gives the very state of which that was
    /// found: by the time of a second look another may have taken its place.
    async fn wait_for_index(
        &self,
        tenant: TenantId,
        token: &Token,
        deadline: Instant,
        index: Option<&IndexHandle>,
    ) -> Result<Option<Seen>, sqlx::Error> {
        let wanted = self.documents(tenant, token).await?;
        let (mut missing, mut looked_in) = (wanted.clone(), None);
        loop {
            let Some(handle) = self.newest(index) else {
                if !until(deadline, std::future::pending::<()>()).await {
                    return Ok(None);
                }
                continue;
            };
            let mut commits = handle.subscribe();
            let snapshot = commits.borrow_and_update().clone();
            // Versions only grow in one folder. One that was built anew may have less than the one before.
            if looked_in.replace(snapshot.opened()) != Some(snapshot.opened()) {
                missing.clone_from(&wanted);
            }
            missing.retain(|(product, version)| !has(&snapshot, tenant, *product, *version));
            if missing.is_empty() {
                return Ok(Some(Seen { snapshot, verdict: Verdict::Fresh }));
            }
            if !until(deadline, commits.changed()).await {
                return Ok(Some(Seen { snapshot, verdict: Verdict::Stale(Vec::new()) }));
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
