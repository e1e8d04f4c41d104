//! Who waits for versions that the views don't have yet. Everybody is in one register, and each look at the read
//! database is one statement for all of them: its load does not depend on how many wait, nor for what.
//!
//! What is new in the register is looked for at once. After that it is looked for again when a signal says that the
//! views changed, and now and then without one.

mod register;

use crate::changes::Change;
use register::{Known, Register};
use schemas::{Uuid, ids::TenantId, topics::Context};
use service::Supervisor;
use sqlx::PgPool;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// How often everything is looked for when no signal comes, while signals are heard.
const POLL: Duration = Duration::from_millis(500);
/// The same while none are heard.
const DEAF_POLL: Duration = Duration::from_millis(50);
/// From one look for everything to the next, at least: signals may come without a pause.
const GAP: Duration = Duration::from_millis(5);
/// Most aggregates that one statement looks for.
const BATCH: usize = 2_000;

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// A version of an aggregate of a tenant.
    Version(TenantId, Context, Uuid),
    /// That there is a tenant of this slug, as version 1.
    Slug(String),
    /// That there is a tenant of this id, as version 1.
    Tenant(TenantId),
}

/// Why nobody waits any longer.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// More wait already than may.
    #[error("more reads wait for tokens than may; try again in a moment")]
    Busy,
    /// This process was told to end before it had come.
    #[error("this process ends, and what the token names has not arrived yet; another one answers")]
    Ending,
    /// The read database could not be asked.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// How many may wait at the same time.
#[derive(Debug, Clone, Copy)]
pub struct WaitLimits {
    /// Reads of all tenants.
    pub reads: usize,
    /// Reads of one tenant.
    pub reads_of_tenant: usize,
    /// Aggregates that the reads of one tenant name.
    pub aggregates_of_tenant: usize,
}

/// The register, and the task that looks.
#[derive(Debug, Clone)]
pub struct Waiters {
    register: Arc<Mutex<Register>>,
    /// There is something new to look for.
    new: Arc<Notify>,
    limits: WaitLimits,
}

/// A place of a read among those that wait; it is given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    register: Arc<Mutex<Register>>,
    tenant: TenantId,
    aggregates: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.register).leave(self.tenant, self.aggregates);
    }
}

fn lock(register: &Mutex<Register>) -> MutexGuard<'_, Register> {
    register.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Waiters {
    /// Nobody waits yet; the looks end with the last clone.
    #[must_use]
    pub fn new(pool: PgPool, changes: watch::Receiver<Change>, limits: WaitLimits, supervisor: &Supervisor) -> Self {
        let (register, new) = (Arc::<Mutex<Register>>::default(), Arc::<Notify>::default());
        let looks = Looks { pool, changes, register: Arc::clone(&register), new: Arc::clone(&new) };
        supervisor.spawn("token-waiters", looks.run());
        Self { register, new, limits }
    }

    /// Takes a place for a read whose token names so many aggregates.
    ///
    /// # Errors
    /// [`WaitError::Busy`].
    pub fn enter(&self, tenant: TenantId, aggregates: usize) -> Result<Place, WaitError> {
        if lock(&self.register).enter(tenant, aggregates, &self.limits) {
            return Ok(Place { register: Arc::clone(&self.register), tenant, aggregates });
        }
        Err(WaitError::Busy)
    }

    /// How many reads wait now.
    #[must_use]
    pub fn reads(&self) -> usize {
        lock(&self.register).reads()
    }

    /// Waits until the views have every version, or the deadline has passed; gives what they lack then, with the
    /// version that they have. Everything is looked for once, however near the deadline is.
    ///
    /// # Errors
    /// The database's, if it could not be asked even once.
    pub async fn wait(
        &self,
        wanted: Vec<(Wanted, u64)>,
        deadline: Instant,
    ) -> Result<Vec<(Wanted, u64, u64)>, WaitError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let (waiter, mut progress) = lock(&self.register).add(wanted, Instant::now());
        let _gone = Gone { register: &self.register, waiter };
        self.new.notify_one();
        // The task that looks ends only with the process.
        let looked = progress.wait_for(|known| known.unseen == 0 || known.failed.is_some()).await;
        if let Some(error) = looked.ok().and_then(|known| known.failed.clone()) {
            return Err(WaitError::Database(sqlx::Error::Protocol(error)));
        }
        let arrived = progress.wait_for(|known: &Known| known.left == 0);
        // At the deadline there is something left.
        let _ = tokio::time::timeout_at(deadline, arrived).await;
        Ok(lock(&self.register).left_of(waiter))
    }
}

/// Takes a read out of the register when it is answered or given up.
struct Gone<'a> {
    register: &'a Mutex<Register>,
    waiter: u64,
}

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        lock(self.register).remove(self.waiter);
    }
}

/// Looks for what is waited for, one statement at a time.
struct Looks {
    pool: PgPool,
    changes: watch::Receiver<Change>,
    register: Arc<Mutex<Register>>,
    new: Arc<Notify>,
}

impl Looks {
    async fn run(mut self) {
        let (mut last, mut is_signalled, mut hears) = (Instant::now(), false, true);
        // When a signal was last followed, and from when on something is looked for that rested then.
        let mut rested: Option<(Instant, Instant)> = None;
        // Ends with the last who may wait; this task has one.
        while Arc::strong_count(&self.register) > 1 {
            let pause = match is_signalled {
                true => GAP,
                false if hears && self.changes.borrow().heard => POLL,
                false => DEAF_POLL,
            };
            let is_listening = hears && !is_signalled && lock(&self.register).is_waited();
            let everything = tokio::select! {
                () = self.new.notified() => false,
                signal = self.changes.changed(), if is_listening => {
                    (is_signalled, hears) = (true, signal.is_ok());
                    continue;
                }
                () = tokio::time::sleep_until(rested.map_or(last + pause, |(_, until)| until.min(last + pause))) => true,
            };
            if everything {
                let now = Instant::now();
                let followed = rested.map(|(followed, _)| followed).filter(|_| now < last + pause);
                if followed.is_none() {
                    (last, is_signalled) = (now, false);
                }
                let next = lock(&self.register).all_are_due(now, followed);
                rested = next.map(|until| (followed.unwrap_or(now), until.max(now + GAP)));
            }
            self.look().await;
        }
    }

    /// Looks for everything that is due; what is new meanwhile comes next.
    async fn look(&self) {
        loop {
            let (look, batch) = lock(&self.register).take(BATCH);
            if batch.is_empty() {
                return;
            }
            let found = self.find(&batch).await;
            if let Err(error) = &found {
                tracing::warn!(%error, "what reads wait for can't be looked up");
            }
            lock(&self.register).settle(look, &batch, found.map_err(|error| error.to_string()), Instant::now());
        }
    }

    /// The versions that the views have now of those that have moved.
    async fn find(&self, batch: &[(Wanted, u64)]) -> Result<Vec<(Wanted, u64)>, sqlx::Error> {
        let (mut tenants, mut contexts, mut ids, mut known) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut slugs, mut shops) = (Vec::new(), Vec::new());
        for (wanted, version) in batch {
            match wanted {
                Wanted::Version(tenant, context, id) => {
                    tenants.push(tenant.uuid());
                    contexts.push(context.name());
                    ids.push(*id);
                    known.push(i64::try_from(*version).unwrap_or(i64::MAX));
                }
                Wanted::Slug(slug) => slugs.push(slug.as_str()),
                Wanted::Tenant(id) => shops.push(id.uuid()),
            }
        }
        // The limit makes each aggregate a lookup of its own: before a fresh table is analysed, the planner would
        // rather read all of it. A category has arrived when the products below it have been composed.
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT k.t, k.c, k.a, s.version, NULL
             FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[]) AS k(t, c, a, v)
             CROSS JOIN LATERAL (SELECT version FROM sources
                                 WHERE tenant_id = k.t AND context = k.c AND aggregate_id = k.a LIMIT 1) s
             WHERE s.version > k.v
               AND NOT EXISTS (SELECT FROM category_walks WHERE tenant_id = k.t AND category_ids @> ARRAY[k.a])
             UNION ALL SELECT id, NULL, NULL, 1, slug FROM tenants WHERE slug = ANY($5)
             UNION ALL SELECT id, NULL, NULL, 1, NULL FROM tenants WHERE id = ANY($6)",
        )
        .bind(tenants)
        .bind(contexts)
        .bind(ids)
        .bind(known)
        .bind(slugs)
        .bind(shops)
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(read).collect()
    }
}

/// What a look found: the tenant, the context and the aggregate, its version, and the slug where that was asked for.
type Row = (Uuid, Option<String>, Option<Uuid>, i64, Option<String>);

fn read((tenant, context, id, version, slug): Row) -> Result<(Wanted, u64), sqlx::Error> {
    let wanted = match (context, id, slug) {
        (Some(context), Some(id), _) => {
            let context = context.parse::<Context>().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            Wanted::Version(TenantId(tenant), context, id)
        }
        (_, _, Some(slug)) => Wanted::Slug(slug),
        _ => Wanted::Tenant(TenantId(tenant)),
    };
    Ok((wanted, u64::try_from(version).unwrap_or_default()))
}
