//! Definitions by tenant, read when they change; no other search waits for the database.

use crate::{
    changes::Change,
    definitions::{Definitions, Named, Written, settings},
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use schemas::ids::TenantId;
use search::generation::Manifest;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{PgPool, Row};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// How often they are read though no signal says that they changed.
const EVERY: Duration = Duration::from_secs(10);
/// Tenants that are remembered.
const TENANTS: usize = 1_000;
/// Generations whose bundles were put beneath a tenant's definitions.
const GENERATIONS: usize = 16;

/// What is known of a tenant.
#[derive(Debug)]
struct Known {
    /// The change as of which it was read.
    change: u64,
    at: Instant,
    stamp: String,
    written: Arc<Written>,
    /// With the bundle of each generation beneath.
    of_generations: HashMap<String, Arc<Definitions>>,
}

/// Definitions by tenant, as of the last change of them.
#[derive(Debug, Clone)]
pub struct Defined {
    pool: PgPool,
    changes: watch::Receiver<Change>,
    known: Arc<Mutex<HashMap<TenantId, Known>>>,
}

impl Defined {
    /// Nothing read yet.
    #[must_use]
    pub fn new(pool: PgPool, changes: watch::Receiver<Change>) -> Self {
        Self { pool, changes, known: Arc::default() }
    }

    /// A tenant's definitions, and beneath them those of a generation's bundle. `newest`: those of this moment, since
    /// a reader that has waited for a token must not get older ones because a signal is still on its way. Everybody
    /// else gets what is known while the database does not answer.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(
        &self,
        tenant: TenantId,
        newest: bool,
        manifest: &Manifest,
    ) -> Result<Arc<Definitions>, sqlx::Error> {
        let change = *self.changes.borrow();
        let known = if newest { None } else { self.known(tenant, manifest) };
        match known {
            Some((definitions, of)) if of == change.definitions || !change.heard => {
                if self.is_due(tenant) {
                    let own = self.clone();
                    tokio::spawn(async move {
                        if let Err(error) = own.read(tenant, change.definitions).await {
                            tracing::warn!(%error, "the database does not answer; known definitions stay in use");
                        }
                    });
                }
                Ok(definitions)
            }
            Some((definitions, _)) => {
                if let Err(error) = self.read(tenant, change.definitions).await {
                    tracing::warn!(%error, "changed definitions can't be read; known ones stay in use");
                    return Ok(definitions);
                }
                Ok(self.known(tenant, manifest).map_or(definitions, |(read, _)| read))
            }
            None => {
                let (written, stamp) = self.read(tenant, change.definitions).await?;
                // Somebody who began to read earlier may have put older ones there meanwhile.
                let known = self.known(tenant, manifest).map(|(definitions, _)| definitions);
                let known = known.filter(|definitions| definitions.stamp == stamp);
                Ok(known.unwrap_or_else(|| Arc::new(over(&written, manifest, stamp))))
            }
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<TenantId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known, and as of which change.
    fn known(&self, tenant: TenantId, manifest: &Manifest) -> Option<(Arc<Definitions>, u64)> {
        let mut all = self.all();
        let known = all.get_mut(&tenant)?;
        if let Some(definitions) = known.of_generations.get(&manifest.generation) {
            return Some((Arc::clone(definitions), known.change));
        }
        let definitions = Arc::new(over(&known.written, manifest, known.stamp.clone()));
        if known.of_generations.len() >= GENERATIONS {
            known.of_generations.clear();
        }
        known.of_generations.insert(manifest.generation.clone(), Arc::clone(&definitions));
        Some((definitions, known.change))
    }

    /// Whether it is time to read a tenant's again; who is told so does.
    fn is_due(&self, tenant: TenantId) -> bool {
        self.all().get_mut(&tenant).is_some_and(|known| {
            let due = known.at.elapsed() >= EVERY;
            if due {
                known.at = Instant::now();
            }
            due
        })
    }

    /// Reads a tenant's definitions and keeps them.
    async fn read(&self, tenant: TenantId, change: u64) -> Result<(Arc<Written>, String), sqlx::Error> {
        let (written, stamp) = self.rows(tenant).await?;
        let mut all = self.all();
        if all.len() >= TENANTS && !all.contains_key(&tenant) {
            all.clear();
        }
        let at = Instant::now();
        // What was made of the same words is not made again.
        let known = match all.remove(&tenant).filter(|known| known.stamp == stamp) {
            Some(known) => Known { change, at, ..known },
            None => Known { change, at, stamp, written: Arc::new(written), of_generations: HashMap::new() },
        };
        let read = (Arc::clone(&known.written), known.stamp.clone());
        all.insert(tenant, known);
        Ok(read)
    }

    /// What a tenant's staff have written, and what differs when anything of it does.
    async fn rows(&self, tenant: TenantId) -> Result<(Written, String), sqlx::Error> {
        let rows = sqlx::query(
            "SELECT kind, name, body FROM merchandising WHERE tenant_id = $1 AND body IS NOT NULL ORDER BY kind, name",
        )
        .bind(tenant.uuid())
        .fetch_all(&self.pool)
        .await?;
        let (mut written, mut stamp) = (Written::default(), Sha256::new());
        for row in rows {
            let (kind, name): (String, String) = (row.try_get("kind")?, row.try_get("name")?);
            let body: Value = row.try_get("body")?;
            stamp.update(json!([kind, name, body]).to_string());
            match kind.as_str() {
                "synonyms" => written.synonyms.extend(named(name, body)),
                "rules" => written.rules.extend(named(name, body)),
                "facets" => written.facets.extend(named(name, body)),
                "experiments" => written.experiments.extend(named(name, body)),
                _ => {}
            }
        }
        for Named { name, content } in &written.experiments {
            for arm in &content.arms {
                if let Err(error) = settings(arm) {
                    tracing::error!(%error, experiment = name, arm = arm.name, "an arm's ranking settings are ignored");
                }
            }
        }
        Ok((written, STANDARD_NO_PAD.encode(stamp.finalize())))
    }
}

/// What is written, with a generation's bundle beneath.
fn over(written: &Written, manifest: &Manifest, stamp: String) -> Definitions {
    let mut written = written.clone();
    written.beneath(&manifest.bundle);
    Definitions::of(written, stamp)
}

/// A definition that this program can't read is left out, and said so: another one's search must not fail.
fn named<T: DeserializeOwned>(name: String, body: Value) -> Option<Named<T>> {
    match serde_json::from_value(body) {
        Ok(content) => Some(Named { name, content }),
        Err(error) => {
            tracing::error!(%error, name, "a merchandising definition can't be read");
            None
        }
    }
}
