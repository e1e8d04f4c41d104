//! Whether the index has every product below categories that were changed. There may be very many: they are looked
//! up a page at a time beside the reads that wait, once for all of them, and what was found out is remembered.

use super::{WaitError, lacked};
use moka::future::Cache as Moka;
use schemas::{
    Uuid,
    ids::{ProductId, TenantId},
};
use search::reader::IndexHandle;
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};

/// Products of a page.
const PAGE: i64 = 1_000;
/// How many are looked up at the same time, and how many more may wait for that.
const AT_ONCE: usize = 2;
const MOST: usize = 64;
/// How long one may take. Who still waits then gets what there is.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long what was found out is remembered if nobody asks, and for how many categories.
const KEPT: Duration = Duration::from_secs(600);
const CATEGORIES: u64 = 200_000;

/// Categories with the versions that a token names, in one opening of an index.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Asked {
    opened: u64,
    tenant: TenantId,
    categories: Arc<[(Uuid, u64)]>,
}

/// The state of the index in which everything was found, once it is.
type Found = watch::Receiver<Option<u64>>;

/// What is found out, and was.
#[derive(Debug, Clone)]
pub struct Trees {
    pool: PgPool,
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
    found: Moka<Asked, Found>,
}

impl Trees {
    /// Nothing found out yet.
    pub fn new(pool: PgPool) -> Self {
        let weigh = |asked: &Asked, _: &Found| u32::try_from(asked.categories.len()).unwrap_or(u32::MAX);
        let found = Moka::builder().weigher(weigh).max_capacity(CATEGORIES).time_to_idle(KEPT).build();
        Self { pool, turns: Arc::new(Semaphore::new(AT_ONCE)), places: Arc::new(Semaphore::new(MOST)), found }
    }

    /// Waits until the index has everything below the categories; gives the first state of which that is known,
    /// none if the deadline passed before.
    ///
    /// # Errors
    /// [`WaitError::Busy`].
    pub async fn wait(
        &self,
        handle: &IndexHandle,
        tenant: TenantId,
        categories: &Arc<[(Uuid, u64)]>,
        deadline: Instant,
    ) -> Result<Option<u64>, WaitError> {
        let asked = Asked { opened: handle.snapshot().opened(), tenant, categories: Arc::clone(categories) };
        let begin = async { self.begin(handle, &asked).ok_or(()) };
        let mut found = self.found.try_get_with(asked.clone(), begin).await.map_err(|_| WaitError::Busy)?;
        let outcome = tokio::time::timeout_at(deadline, found.wait_for(Option::is_some)).await;
        match outcome.map(|found| found.map(|version| *version)) {
            Ok(Ok(version)) => Ok(version),
            // It could not be found out; the next who asks has it tried again.
            Ok(Err(_)) => {
                self.found.invalidate(&asked).await;
                Ok(None)
            }
            Err(_) => Ok(None),
        }
    }

    /// The state of an opening in which everything below the categories was found, if it was.
    pub async fn known(&self, opened: u64, tenant: TenantId, categories: &Arc<[(Uuid, u64)]>) -> Option<u64> {
        let found = self.found.get(&Asked { opened, tenant, categories: Arc::clone(categories) }).await?;
        *found.borrow()
    }

    /// Begins to find out, beside whoever asks. None if too many are waiting for their turn.
    fn begin(&self, handle: &IndexHandle, asked: &Asked) -> Option<Found> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let (told, found) = watch::channel(None);
        let (own, handle, asked) = (self.clone(), handle.clone(), asked.clone());
        tokio::spawn(async move {
            let _place = place;
            let Ok(_turn) = own.turns.acquire().await else { return };
            match tokio::time::timeout(PATIENCE, own.find(&handle, &asked)).await {
                Ok(Ok(version)) => drop(told.send_replace(Some(version))),
                Ok(Err(error)) => tracing::warn!(%error, "the products below categories can't be looked up"),
                Err(_) => tracing::warn!(tenant.id = %asked.tenant, "the products below categories do not all come"),
            }
        });
        Some(found)
    }

    async fn find(&self, handle: &IndexHandle, asked: &Asked) -> Result<u64, sqlx::Error> {
        let ids: Vec<Uuid> = asked.categories.iter().map(|(id, _)| *id).collect();
        let (mut after, mut commits) = (Uuid::nil(), handle.subscribe());
        loop {
            let page = self.page(asked.tenant, &ids, after).await?;
            let Some((last, _)) = page.last() else { return Ok(commits.borrow().data_version) };
            after = last.uuid();
            let mut missing = page;
            loop {
                let snapshot = commits.borrow_and_update().clone();
                missing = lacked(&snapshot, asked.tenant, missing).await?;
                if missing.is_empty() {
                    break;
                }
                commits.changed().await.map_err(|error| sqlx::Error::Protocol(error.to_string()))?;
            }
        }
    }

    /// The next products below categories, with the versions of their documents.
    pub async fn page(
        &self,
        tenant: TenantId,
        categories: &[Uuid],
        after: Uuid,
    ) -> Result<Vec<(ProductId, u64)>, sqlx::Error> {
        let rows: Vec<(Uuid, i64)> = sqlx::query_as(
            "SELECT p.product_id, d.doc_version FROM product_pages p
             JOIN documents d ON d.tenant_id = p.tenant_id AND d.product_id = p.product_id
             WHERE p.tenant_id = $1 AND p.category_ids && $2 AND p.product_id > $3 ORDER BY p.product_id LIMIT $4",
        )
        .bind(tenant.uuid())
        .bind(categories)
        .bind(after)
        .bind(PAGE)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(product, version)| (ProductId(product), super::unsigned(version))).collect())
    }
}
