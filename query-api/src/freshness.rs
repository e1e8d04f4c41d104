//! Consistency tokens honoured: a read waits, within its budget, until it has seen what they name.
//!
//! Views are fresh when the sources have each aggregate at its version or a later one. Search is two
//! hops away: the searcher must have each product's document at the version of the view's, live or
//! removed. An event that changed no document makes nobody wait, since its document is there already.

mod trees;
mod waiters;

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
use service::Supervisor;
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};
use trees::Trees;
pub use waiters::{Place, WaitError, WaitLimits, Waiters, Wanted};

/// How often a commit of the index is looked at when no signal comes.
const POLL: Duration = Duration::from_millis(50);
/// From one look for vectors to the next of the same read, and how many look at the same time.
const VECTORS_POLL: Duration = Duration::from_millis(100);
const VECTOR_LOOKS: usize = 2;

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

/// Most aggregates that a stale answer lists.
const MOST_SERVED: usize = 100;

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

/// What a token is about in the index.
struct Named {
    /// Products, with the versions of their documents.
    products: Vec<(ProductId, u64)>,
    /// Categories, of which every product below is meant, with the versions that the token names.
    categories: Arc<[(Uuid, u64)]>,
}

/// Waits for tokens.
#[derive(Debug, Clone)]
pub struct Freshness {
    pool: PgPool,
    changes: watch::Receiver<Change>,
    index: ActiveIndex,
    waiters: Waiters,
    trees: Trees,
    vector_looks: Arc<Semaphore>,
}

impl Freshness {
    /// From its sources of truth.
    #[must_use]
    pub fn new(
        pool: PgPool,
        changes: watch::Receiver<Change>,
        index: ActiveIndex,
        limits: WaitLimits,
        supervisor: &Supervisor,
    ) -> Self {
        let (waiters, trees) =
            (Waiters::new(pool.clone(), changes.clone(), limits, supervisor), Trees::new(pool.clone()));
        Self { pool, changes, index, waiters, trees, vector_looks: Arc::new(Semaphore::new(VECTOR_LOOKS)) }
    }

    /// Takes a place among the reads that wait, for one whose token names so many aggregates; none is needed without.
    ///
    /// # Errors
    /// [`WaitError::Busy`].
    pub fn enter(&self, tenant: TenantId, aggregates: usize) -> Result<Option<Place>, WaitError> {
        if aggregates == 0 { Ok(None) } else { self.waiters.enter(tenant, aggregates).map(Some) }
    }

    /// How many reads with a token are waiting.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiters.reads()
    }

    /// Waits until there are such tenants, or the deadline has passed.
    ///
    /// # Errors
    /// Those of [`Waiters::wait`].
    pub async fn of_tenants(&self, named: Vec<Wanted>, deadline: Instant) -> Result<(), WaitError> {
        // Nobody knows yet whose they are: all of them share the places of one.
        let _place = self.waiters.enter(TenantId(Uuid::nil()), named.len())?;
        self.waiters.wait(named.into_iter().map(|one| (one, 1)).collect(), deadline).await.map(drop)
    }

    /// Waits until the views have everything that the token names, or the deadline has passed.
    ///
    /// # Errors
    /// Those of [`Waiters::wait`].
    pub async fn of_views(&self, tenant: TenantId, token: &Token, deadline: Instant) -> Result<Verdict, WaitError> {
        let wanted = token.entries().map(|(context, id, version)| (Wanted::Version(tenant, context, id), version));
        let missing = self.waiters.wait(wanted.collect(), deadline).await?;
        if missing.is_empty() {
            return Ok(Verdict::Fresh);
        }
        let served = missing.into_iter().filter_map(|(wanted, version, served)| match wanted {
            Wanted::Version(_, context, aggregate_id) => {
                Some(Served { context, aggregate_id, wanted: version, served })
            }
            Wanted::Slug(_) | Wanted::Tenant(_) => None,
        });
        Ok(Verdict::Stale(served.take(MOST_SERVED).collect()))
    }

    /// Waits until everything that the token names has arrived in the views, in the index and at the hop, or the
    /// deadline has passed. The generation that is waited for is the active one, unless another is to answer. None
    /// if no index is open.
    ///
    /// # Errors
    /// Those of [`Waiters::wait`], and [`WaitError::Busy`].
    pub async fn of_index(
        &self,
        tenant: TenantId,
        token: &Token,
        deadline: Instant,
        hop: Hop,
        index: Option<&IndexHandle>,
    ) -> Result<Option<Seen>, WaitError> {
        let verdict = self.of_views(tenant, token, deadline).await?;
        if token.is_empty() || verdict != Verdict::Fresh {
            return Ok(self.newest(index).map(|handle| Seen { snapshot: handle.snapshot(), verdict }));
        }
        let named = self.named(tenant, token).await?;
        let Some(mut seen) = self.wait_for_index(tenant, &named, deadline, index).await? else { return Ok(None) };
        if hop == Hop::Vectors && seen.verdict == Verdict::Fresh {
            let mut changes = self.changes.clone();
            changes.mark_unchanged();
            while self.lack_vectors(tenant, &named, seen.snapshot.model()).await? {
                let again = Instant::now() + VECTORS_POLL;
                if !until(deadline, changes.changed()).await {
                    seen.verdict = Verdict::Stale(Vec::new());
                    break;
                }
                tokio::time::sleep_until(again.min(deadline)).await;
                changes.mark_unchanged();
            }
        }
        Ok(Some(seen))
    }

    /// Whether a state of the index that was kept has seen what the token names, given that a later one has.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_in(&self, tenant: TenantId, token: &Token, kept: &Snapshot) -> Result<bool, WaitError> {
        let Named { products, categories } = self.named(tenant, token).await?;
        let has_trees = categories.is_empty()
            || self.trees.known(kept.opened(), tenant, &categories).await.is_some_and(|at| at <= kept.data_version);
        Ok(has_trees && lacked(kept, tenant, products).await?.is_empty())
    }

    /// The index as it is open now. A damaged one is replaced by one that was built anew.
    fn newest(&self, index: Option<&IndexHandle>) -> Option<IndexHandle> {
        index.map(|index| self.index.newest(index)).or_else(|| self.index.get())
    }

    /// Waits until the index has every document that the token is about, and gives the very state of which that was
    /// found: by the time of a second look another may have taken its place.
    async fn wait_for_index(
        &self,
        tenant: TenantId,
        named: &Named,
        deadline: Instant,
        index: Option<&IndexHandle>,
    ) -> Result<Option<Seen>, WaitError> {
        let (mut missing, mut looked_in) = (Vec::new(), None);
        loop {
            let Some(handle) = self.newest(index) else {
                if !until(deadline, std::future::pending::<()>()).await {
                    return Ok(None);
                }
                continue;
            };
            let mut commits = handle.subscribe();
            let snapshot = commits.borrow_and_update().clone();
            // Versions only grow in one opening. A folder that was built anew may have less than the one before.
            let opened = snapshot.opened();
            if looked_in.replace(opened) != Some(opened) {
                missing.clone_from(&named.products);
            }
            missing = lacked(&snapshot, tenant, missing).await?;
            if missing.is_empty() {
                if named.categories.is_empty() {
                    return Ok(Some(Seen { snapshot, verdict: Verdict::Fresh }));
                }
                let found = self.trees.wait(&handle, tenant, &named.categories, deadline).await?;
                let verdict = if found.is_some() { Verdict::Fresh } else { Verdict::Stale(Vec::new()) };
                return Ok(Some(Seen { snapshot: handle.snapshot(), verdict }));
            }
            if !until(deadline, commits.changed()).await {
                return Ok(Some(Seen { snapshot, verdict: Verdict::Stale(Vec::new()) }));
            }
        }
    }

    /// What a token is about in the index.
    async fn named(&self, tenant: TenantId, token: &Token) -> Result<Named, sqlx::Error> {
        let (mut contexts, mut ids, mut versions) = (Vec::new(), Vec::new(), Vec::new());
        for (context, id, version) in token.entries() {
            contexts.push(context.name());
            ids.push(id);
            versions.push(i64::try_from(version).unwrap_or(i64::MAX));
        }
        // The limits make each aggregate a lookup of its own: before a fresh table is analysed, the planner would
        // rather read all of the tenant's rows.
        let rows: Vec<(Uuid, i64, bool)> = sqlx::query_as(
            "WITH named AS (SELECT s.product_id, s.aggregate, k.a, k.v
                            FROM unnest($2::text[], $3::uuid[], $4::bigint[]) AS k(c, a, v)
                            CROSS JOIN LATERAL (SELECT product_id, aggregate FROM sources
                                                WHERE tenant_id = $1 AND context = k.c AND aggregate_id = k.a
                                                LIMIT 1) s),
                  products AS (SELECT DISTINCT product_id FROM named WHERE product_id IS NOT NULL)
             SELECT d.product_id, d.doc_version, false FROM products p
             CROSS JOIN LATERAL (SELECT product_id, doc_version FROM documents
                                 WHERE tenant_id = $1 AND product_id = p.product_id LIMIT 1) d
             UNION ALL SELECT a, v, true FROM named WHERE aggregate = 'category'",
        )
        .bind(tenant.uuid())
        .bind(contexts)
        .bind(ids)
        .bind(versions)
        .fetch_all(&self.pool)
        .await?;
        let (mut products, mut categories) = (Vec::new(), Vec::new());
        for (id, version, is_category) in rows {
            if is_category {
                categories.push((id, unsigned(version)));
            } else {
                products.push((ProductId(id), unsigned(version)));
            }
        }
        categories.sort_unstable();
        Ok(Named { products, categories: categories.into() })
    }

    /// Whether a document that the token is about has no vector of its present text.
    async fn lack_vectors(&self, tenant: TenantId, named: &Named, model: &Model) -> Result<bool, WaitError> {
        let _turn = self.vector_looks.acquire().await.map_err(|_| WaitError::Busy)?;
        let products: Vec<Uuid> = named.products.iter().map(|(product, _)| product.uuid()).collect();
        if self.lacks_vector(tenant, &products, model).await? {
            return Ok(true);
        }
        let categories: Vec<Uuid> = named.categories.iter().map(|(id, _)| *id).collect();
        let mut after = Uuid::nil();
        while !categories.is_empty() {
            let page = self.trees.page(tenant, &categories, after).await?;
            let ids: Vec<Uuid> = page.iter().map(|(product, _)| product.uuid()).collect();
            let Some(last) = ids.last() else { break };
            after = *last;
            if self.lacks_vector(tenant, &ids, model).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether one of the products has no vector of its present text.
    async fn lacks_vector(&self, tenant: TenantId, products: &[Uuid], model: &Model) -> Result<bool, sqlx::Error> {
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

/// Documents that are looked up where the request is answered; more are on a thread of their own.
const FEW: usize = 100;

/// Those of the documents that a state of the index does not have at their versions.
async fn lacked(
    snapshot: &Snapshot,
    tenant: TenantId,
    mut documents: Vec<(ProductId, u64)>,
) -> Result<Vec<(ProductId, u64)>, sqlx::Error> {
    // An index that can't be read has not got it; the search itself will say why.
    let lacks = move |snapshot: &Snapshot, product: ProductId, version: u64| {
        snapshot.version_of(tenant, product).ok().flatten().is_none_or(|found| found < version)
    };
    if documents.len() <= FEW {
        documents.retain(|(product, version)| lacks(snapshot, *product, *version));
        return Ok(documents);
    }
    let snapshot = snapshot.clone();
    let look = tokio::task::spawn_blocking(move || {
        documents.retain(|(product, version)| lacks(&snapshot, *product, *version));
        documents
    });
    look.await.map_err(|error| sqlx::Error::Protocol(error.to_string()))
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

fn unsigned(version: i64) -> u64 {
    u64::try_from(version).unwrap_or_default()
}
