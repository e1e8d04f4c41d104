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
/// Tenants that are remembered, and the bytes of all that their staff have written.
const TENANTS: usize = 1_000;
const BYTES: usize = 64 << 20;
/// Generations whose bundles were put beneath a tenant's definitions.
const GENERATIONS: usize = 16;

/// What is known of a tenant.
#[derive(Debug)]
struct Known {
    /// The change as of which it was read.
    change: u64,
    at: Instant,
    /// When a search asked for it last.
    used: Instant,
    /// Of what was written, as JSON.
    bytes: usize,
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
        known.used = Instant::now();
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
        let Rows { written, stamp, bytes } = self.rows(tenant).await?;
        let mut all = self.all();
        let (known, at) = (all.remove(&tenant), Instant::now());
        make_room(&mut all, bytes);
        // What was made of the same words is not made again.
        let known = match known.filter(|known| known.stamp == stamp) {
            Some(known) => Known { change, at, ..known },
            None => {
                let (written, of_generations) = (Arc::new(written), HashMap::new());
                Known { change, at, used: at, bytes, stamp, written, of_generations }
            }
        };
        let read = (Arc::clone(&known.written), known.stamp.clone());
        all.insert(tenant, known);
        Ok(read)
    }

    /// What a tenant's staff have written, and what differs when anything of it does.
    async fn rows(&self, tenant: TenantId) -> Result<Rows, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT kind, name, body FROM merchandising WHERE tenant_id = $1 AND body IS NOT NULL ORDER BY kind, name",
        )
        .bind(tenant.uuid())
        .fetch_all(&self.pool)
        .await?;
        let (mut written, mut stamp, mut bytes) = (Written::default(), Sha256::new(), 0);
        for row in rows {
            let (kind, name): (String, String) = (row.try_get("kind")?, row.try_get("name")?);
            let body: Value = row.try_get("body")?;
            let text = json!([kind, name, body]).to_string();
            bytes += text.len();
            stamp.update(text);
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
        Ok(Rows { written, stamp: STANDARD_NO_PAD.encode(stamp.finalize()), bytes })
    }
}

/// What a tenant's staff have written, what differs when anything of it does, and how much it is as JSON.
struct Rows {
    written: Written,
    stamp: String,
    bytes: usize,
}

/// Forgets the tenants that nobody asked for the longest, one by one, until another one fits.
fn make_room(all: &mut HashMap<TenantId, Known>, bytes: usize) {
    let mut kept: usize = all.values().map(|known| known.bytes).sum();
    while all.len() >= TENANTS || (kept + bytes > BYTES && !all.is_empty()) {
        let oldest = all.iter().min_by_key(|(_, known)| known.used).map(|(tenant, _)| *tenant);
        let forgotten = oldest.and_then(|oldest| all.remove(&oldest));
        kept -= forgotten.map_or(0, |known| known.bytes);
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

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Uuid;

    fn known(bytes: usize, used: Instant) -> Known {
        let (written, of_generations) = (Arc::default(), HashMap::new());
        Known { change: 1, at: used, used, bytes, stamp: String::new(), written, of_generations }
    }

    #[test]
    fn tenants_are_forgotten_one_by_one() {
        let (tenant, now) = (|number: usize| TenantId(Uuid::from_u128(number as u128)), Instant::now());
        let at = |number: usize| now + Duration::from_secs(number as u64);
        let mut all: HashMap<_, _> = (0..TENANTS).map(|number| (tenant(number), known(1, at(number)))).collect();
        make_room(&mut all, 1);
        assert!(all.len() == TENANTS - 1 && !all.contains_key(&tenant(0)));
        make_room(&mut all, BYTES - 10);
        assert!(all.len() == 10 && all.contains_key(&tenant(TENANTS - 1)), "{}", all.len());
        make_room(&mut all, 2 * BYTES);
        assert!(all.is_empty());
    }
}
