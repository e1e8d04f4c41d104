//! Documents to vectors; text that has not changed is never embedded twice.
//!
//! Every generation that is kept names a model and what it reads: each such pair is a set of vectors of its own, kept
//! side by side with the others as long as a generation wants it, and forgotten with the last one.

use crate::{
    deps::{Deps, RoleError},
    index_writer::generations,
    tasks,
};
use eventlog::{database, leader};
use schemas::topics;
use search::{
    bundle::Model,
    embed::{Embedder, Models},
    vector,
};
use sqlx::PgConnection;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex as Locked, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Mutex, watch},
    task::{AbortHandle, JoinSet},
};

mod newest;
mod set;

use set::{Report, Set};

/// The name of the shipped set in checkpoints, status and metrics; others have a hash behind it.
pub const PROJECTION: &str = "embed";
/// How often it is looked which sets are wanted.
const LOOK: Duration = Duration::from_millis(500);
/// How often the sets are reported.
const REPORT: Duration = Duration::from_secs(1);
/// How long a set that failed and that nobody searches rests.
const PAUSE: Duration = Duration::from_secs(5);

/// What operators want of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SetSettings {
    /// Whether queries are answered with it.
    pub active: bool,
    /// Whether it stands still.
    pub paused: bool,
    /// Documents a second it may take.
    pub rate_limit: Option<u32>,
}

/// A set that runs.
struct Running {
    model: Model,
    settings: watch::Sender<SetSettings>,
    report: Arc<Locked<Report>>,
    task: AbortHandle,
}

/// A set that could not be kept.
struct Failed {
    model: Model,
    reason: String,
    again: Instant,
}

/// A set's name in checkpoints, status and metrics.
#[must_use]
pub fn projection(model: &Model) -> String {
    match model.suffix() {
        suffix if suffix.is_empty() => PROJECTION.to_owned(),
        suffix => format!("{PROJECTION}:{suffix}"),
    }
}

/// Keeps the sets until the one in use fails or the database does.
///
/// # Errors
/// The database's, the broker's or the model's.
pub async fn run(deps: Deps) -> Result<(), RoleError> {
    let models = deps.config.models().ok_or("the embedding model is not configured")?;
    let mut connection = leader::lead(&deps.config.read_database_url, "souk:embed").await?;
    database::take_time(&mut connection).await?;
    let mut keeper = Keeper {
        deps,
        models,
        engines: Vec::new(),
        running: BTreeMap::new(),
        failed: BTreeMap::new(),
        tasks: JoinSet::new(),
    };
    let mut reported: Option<Instant> = None;
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        keeper.look(&mut connection).await?;
        if reported.is_none_or(|at| at.elapsed() >= REPORT) {
            reported = Some(Instant::now());
            keeper.report(&mut connection).await?;
        }
    }
}

struct Keeper {
    deps: Deps,
    models: Models,
    /// Loaded models, each for all the sets that are made with it.
    engines: Vec<(Model, Arc<Mutex<Embedder>>)>,
    running: BTreeMap<String, Running>,
    failed: BTreeMap<String, Failed>,
    tasks: JoinSet<(String, Result<(), RoleError>)>,
}

impl Keeper {
    async fn look(&mut self, connection: &mut PgConnection) -> Result<(), RoleError> {
        let wanted = wanted(connection).await?;
        while let Some((key, reason)) = tasks::next_ended(&mut self.tasks)? {
            let Some(gone) = self.running.remove(&key) else { continue };
            if gone.settings.borrow().active {
                return Err(reason.into());
            }
            self.has_failed(gone.model, reason);
        }
        for (key, (model, settings)) in &wanted {
            match self.running.get(key) {
                Some(running) => {
                    running.settings.send_if_modified(|known| std::mem::replace(known, *settings) != *settings);
                }
                None if self.failed.get(key).is_none_or(|failed| failed.again <= Instant::now()) => {
                    match self.start(connection, model, *settings).await {
                        Ok(()) => {}
                        Err(error) if settings.active => return Err(error),
                        Err(error) => self.has_failed(model.clone(), error.to_string()),
                    }
                }
                None => {}
            }
        }
        let serves = wanted.iter().find(|(_, (_, settings))| settings.active);
        if serves.is_some_and(|(key, _)| self.running.contains_key(key)) {
            self.deps.health.set(PROJECTION, true, "");
        }
        self.forget_unwanted(connection, &wanted).await
    }

    fn has_failed(&mut self, model: Model, reason: String) {
        tracing::warn!(vectors.set = %model.key(), error = %reason, "a set of vectors failed and starts again");
        self.failed.insert(model.key(), Failed { model, reason, again: Instant::now() + PAUSE });
    }

    async fn start(
        &mut self,
        connection: &mut PgConnection,
        model: &Model,
        settings: SetSettings,
    ) -> Result<(), RoleError> {
        let embedder = self.engine(model).await?;
        vector::create_index(connection, model).await?;
        let (sender, receiver) = watch::channel(settings);
        let report = Arc::new(Locked::new(Report::default()));
        let set = Set {
            deps: self.deps.clone(),
            model: model.clone(),
            projection: projection(model),
            embedder,
            settings: receiver,
            report: Arc::clone(&report),
        };
        let key = model.key();
        self.failed.remove(&key);
        tracing::info!(vectors.set = %key, "keeping a set of vectors");
        let name = key.clone();
        let task = self.tasks.spawn(async move { (name, set.keep().await) });
        self.running.insert(key, Running { model: model.clone(), settings: sender, report, task });
        Ok(())
    }

    /// The loaded model of a set.
    async fn engine(&mut self, model: &Model) -> Result<Arc<Mutex<Embedder>>, RoleError> {
        let engine = model.engine();
        if let Some((_, loaded)) = self.engines.iter().find(|(known, _)| *known == engine) {
            return Ok(Arc::clone(loaded));
        }
        let (models, wanted, threads) = (self.models.clone(), engine.clone(), self.deps.config.embed_threads);
        let loaded = tokio::task::spawn_blocking(move || models.load(&wanted, threads)).await??;
        let loaded = Arc::new(Mutex::new(loaded));
        self.engines.push((engine, Arc::clone(&loaded)));
        Ok(loaded)
    }

    /// Forgets the sets that no generation names any more, those of earlier processes as well.
    async fn forget_unwanted(
        &mut self,
        connection: &mut PgConnection,
        wanted: &BTreeMap<String, (Model, SetSettings)>,
    ) -> Result<(), RoleError> {
        self.failed.retain(|key, _| wanted.contains_key(key));
        self.running.retain(|key, running| {
            let keep = wanted.contains_key(key);
            if !keep {
                running.task.abort();
            }
            keep
        });
        let used: Vec<Model> = wanted.values().map(|(model, _)| model.engine()).collect();
        self.engines.retain(|(model, _)| used.contains(model));
        // Nothing is deleted beneath a task that has not ended yet, nor before there is a generation at all.
        if self.tasks.len() != self.running.len() || !wanted.values().any(|(_, settings)| settings.active) {
            return Ok(());
        }
        let keys: Vec<&str> = wanted.keys().map(String::as_str).collect();
        let gone: Vec<(String, serde_json::Value, String)> =
            sqlx::query_as("SELECT key, model, projection FROM vector_sets WHERE key <> ALL($1)")
                .bind(&keys)
                .fetch_all(&mut *connection)
                .await?;
        for (key, model, projection) in gone {
            tracing::info!(vectors.set = %key, "no generation wants these vectors any more; they are forgotten");
            if let Ok(model) = serde_json::from_value::<Model>(model) {
                vector::forget(connection, &model).await?;
            }
            sqlx::query("DELETE FROM checkpoints WHERE projection = $1")
                .bind(&projection)
                .execute(&mut *connection)
                .await?;
            sqlx::query("DELETE FROM vector_sets WHERE key = $1").bind(&key).execute(&mut *connection).await?;
            self.deps.status.forget(&projection);
        }
        Ok(())
    }

    async fn report(&self, connection: &mut PgConnection) -> Result<(), RoleError> {
        let topic = self.deps.log.topic(topics::DOCUMENTS);
        for (key, running) in &self.running {
            let Report { rate_per_second, is_live } =
                running.report.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let projection = projection(&running.model);
            let lag = self.deps.status.lag(&projection, &topic);
            let phase = match running.settings.borrow().paused {
                true => "paused",
                false if is_live || lag == Some(0) => "live",
                false => "building",
            };
            let row =
                Row { key, model: &running.model, phase, lag: lag.unwrap_or(0), rate: rate_per_second, error: "" };
            row.store(connection).await?;
        }
        for (key, failed) in &self.failed {
            let row =
                Row { key, model: &failed.model, phase: "failed", lag: 0, rate: 0.0, error: failed.reason.as_str() };
            row.store(connection).await?;
        }
        Ok(())
    }
}

struct Row<'a> {
    key: &'a str,
    model: &'a Model,
    phase: &'a str,
    lag: i64,
    rate: f64,
    error: &'a str,
}

impl Row<'_> {
    async fn store(&self, connection: &mut PgConnection) -> Result<(), RoleError> {
        sqlx::query(
            "INSERT INTO vector_sets (key, model, projection, phase, lag_events, rate_per_second, error, heartbeat_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, now())
             ON CONFLICT (key) DO UPDATE SET phase = excluded.phase, lag_events = excluded.lag_events,
               rate_per_second = excluded.rate_per_second, error = excluded.error, heartbeat_at = excluded.heartbeat_at",
        )
        .bind(self.key)
        .bind(serde_json::to_value(self.model)?)
        .bind(projection(self.model))
        .bind(self.phase)
        .bind(self.lag)
        .bind(self.rate)
        .bind(self.error)
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// The sets the generations want, with what is wanted of each: what serves one that answers is never held up for
/// another that is built.
async fn wanted(connection: &mut PgConnection) -> Result<BTreeMap<String, (Model, SetSettings)>, RoleError> {
    let mut wanted: BTreeMap<String, (Model, SetSettings)> = BTreeMap::new();
    for (manifest, settings) in generations::wanted(connection).await?.into_values() {
        let model = manifest.bundle.model;
        let own = SetSettings { active: settings.active, paused: settings.paused, rate_limit: settings.rate_limit };
        wanted
            .entry(model.key())
            .and_modify(|(_, known)| {
                known.active |= own.active;
                known.paused &= own.paused;
                known.rate_limit = known.rate_limit.zip(own.rate_limit).map(|(one, other)| one.max(other));
            })
            .or_insert((model, own));
    }
    for (_, settings) in wanted.values_mut().filter(|(_, settings)| settings.active) {
        *settings = SetSettings { active: true, ..SetSettings::default() };
    }
    Ok(wanted)
}
