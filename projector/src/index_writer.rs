//! Documents into index generations: one copy of each generation that is wanted, each with its own place in the
//! document topic, which stands in tantivy's own commit.
//!
//! [`run`] keeps a `copy` for every generation that the read database names, `build` fills new ones in the
//! background and at low priority, `nodes` reports how far they are and what the query-api processes beside them serve.

use crate::{
    deps::{Deps, RoleError},
    tasks,
};
use eventlog::database;
use schemas::Utc;
use search::{
    IndexError,
    bundle::Bundle,
    generation::{self, Manifest},
    offsets::Offsets,
};
use sqlx::PgConnection;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    task::{AbortHandle, JoinSet},
    time::Instant,
};

mod build;
mod claim;
mod copy;
pub mod generations;
mod intake;
mod nodes;
mod proofs;
mod scrub;

pub use claim::Claim;
pub use generations::{CopySettings, RELEASE, Source, next_name};
pub use nodes::{Phase, Report};

/// The projection's name in status and metrics; copies of generations that are not active add theirs.
pub const PROJECTION: &str = "index";
/// How often the read database is asked which generations are wanted.
const LOOK: Duration = Duration::from_millis(150);
/// How often reports are written.
const REPORT: Duration = Duration::from_secs(1);
/// Between two reports of where the active copy stands, at least.
const BETWEEN_PLACES: Duration = Duration::from_millis(10);
/// Pause before a copy that failed is started again.
const PAUSE: Duration = Duration::from_secs(1);

/// What the tasks of one copy share.
#[derive(Debug, Clone)]
struct Shared {
    deps: Deps,
    manifest: Arc<Manifest>,
    settings: watch::Receiver<CopySettings>,
    report: Arc<Mutex<Report>>,
    /// Woken by each commit, of whichever copy.
    commits: Arc<Notify>,
}

impl Shared {
    fn name(&self) -> &str {
        &self.manifest.generation
    }

    fn report(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A copy that runs.
struct Running {
    settings: watch::Sender<CopySettings>,
    report: Arc<Mutex<Report>>,
    task: AbortHandle,
}

/// Keeps the copies until the active one fails or the database does.
///
/// # Errors
/// The database's, the broker's or the index's; a damaged generation is built anew.
pub async fn run(deps: Deps) -> Result<(), RoleError> {
    let mut connection = database::connect_durable(&deps.config.read_database_url).await?;
    std::fs::create_dir_all(&deps.config.index_dir)?;
    let claim = Claim::take(&mut connection, &deps.config.index_dir, &deps.config.node).await?;
    generations::first(&mut connection).await?;
    deps.health.set(PROJECTION, true, "");
    let shipped = Bundle::default();
    let (mut copies, mut tasks) = (BTreeMap::<String, Running>::new(), JoinSet::new());
    let mut paused: BTreeMap<String, Instant> = BTreeMap::new();
    let mut readers = nodes::Readers::default();
    let mut reported = Instant::now();
    let mut places = Places::open(&deps).await?;
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = places.commit() => {
                places.tell(&deps, &copies).await?;
                continue;
            }
        }
        generations::replace_outdated(&mut connection, &shipped).await?;
        let wanted = generations::wanted(&mut connection).await?;
        while let Some((name, reason)) = tasks::next_ended(&mut tasks)? {
            let Some(gone) = copies.remove(&name) else { continue };
            if gone.settings.borrow().active {
                return Err(format!("{name}: {reason}").into());
            }
            tracing::warn!(index.generation = %name, error = %reason, "a copy failed and starts again");
            nodes::failed(&mut connection, &deps.config.node, &name, &reason).await?;
            paused.insert(name, Instant::now() + PAUSE);
        }
        copies.retain(|name, running| {
            let keep = wanted.contains_key(name);
            if !keep {
                running.task.abort();
                deps.status.forget(&copy::projection(name, false));
            }
            keep
        });
        for (name, (manifest, settings)) in &wanted {
            match copies.get(name) {
                Some(running) => {
                    running.settings.send_if_modified(|known| std::mem::replace(known, settings.clone()) != *settings);
                }
                None if paused.get(name).is_none_or(|until| *until <= Instant::now()) => {
                    copies.insert(name.clone(), start(&deps, manifest, settings, &places.commits, &mut tasks));
                }
                None => {}
            }
        }
        proofs::answer(&mut connection, &deps, &copies_of(&copies)).await?;
        places.tell(&deps, &copies).await?;
        let changed = readers.look(&deps.config.index_dir);
        if changed || reported.elapsed() >= REPORT {
            reported = Instant::now();
            claim.renew(&mut connection).await?;
            nodes::store(&mut connection, &deps, &copies_of(&copies), &readers).await?;
            generations::advance(&mut connection).await?;
            remove_unwanted(&mut connection, &deps, &copies, &tasks).await?;
        }
    }
}

fn start(
    deps: &Deps,
    manifest: &Manifest,
    settings: &CopySettings,
    commits: &Arc<Notify>,
    tasks: &mut JoinSet<(String, Result<(), RoleError>)>,
) -> Running {
    let (sender, receiver) = watch::channel(settings.clone());
    let report = Arc::new(Mutex::new(Report::default()));
    let shared = Shared {
        deps: deps.clone(),
        manifest: Arc::new(manifest.clone()),
        settings: receiver,
        report: Arc::clone(&report),
        commits: Arc::clone(commits),
    };
    let task = tasks.spawn(async move {
        let name = shared.name().to_owned();
        (name, copy::keep(shared).await)
    });
    Running { settings: sender, report, task }
}

fn copies_of(copies: &BTreeMap<String, Running>) -> Vec<(String, Report)> {
    let report = |running: &Running| running.report.lock().unwrap_or_else(PoisonError::into_inner).clone();
    copies.iter().map(|(name, running)| (name.clone(), report(running))).collect()
}

/// Where the copy that shoppers search stands, for the relay of documents, which waits for it.
struct Places {
    /// Another connection than the reports': what the next commit says anew need not outlive a crash.
    connection: PgConnection,
    commits: Arc<Notify>,
    told: Offsets,
    at: Instant,
}

impl Places {
    async fn open(deps: &Deps) -> Result<Self, RoleError> {
        let connection = database::connect(&deps.config.read_database_url).await?;
        Ok(Self { connection, commits: Arc::default(), told: Offsets::new(), at: Instant::now() })
    }

    /// Waits for a commit that is to be told of. Nothing is lost if the wait is given up.
    async fn commit(&self) {
        tokio::time::sleep_until(self.at + BETWEEN_PLACES).await;
        self.commits.notified().await;
    }

    async fn tell(&mut self, deps: &Deps, copies: &BTreeMap<String, Running>) -> Result<(), RoleError> {
        if let Some((name, at)) = active_at(copies).filter(|(_, at)| *at != self.told) {
            nodes::move_on(&mut self.connection, &deps.config.node, &name, &at).await?;
            (self.told, self.at) = (at, Instant::now());
        }
        Ok(())
    }
}

/// The copy that shoppers search, and where it stands.
fn active_at(copies: &BTreeMap<String, Running>) -> Option<(String, Offsets)> {
    let (name, running) = copies.iter().find(|(_, running)| running.settings.borrow().active)?;
    Some((name.clone(), running.report.lock().unwrap_or_else(PoisonError::into_inner).offsets.clone()))
}

/// Removes the folders and reports of generations that were pruned, once nobody writes them.
async fn remove_unwanted(
    connection: &mut PgConnection,
    deps: &Deps,
    copies: &BTreeMap<String, Running>,
    tasks: &JoinSet<(String, Result<(), RoleError>)>,
) -> Result<(), RoleError> {
    if tasks.len() != copies.len() {
        return Ok(());
    }
    let known: BTreeSet<String> =
        sqlx::query_scalar("SELECT generation FROM index_generations WHERE state <> 'cancelled'")
            .fetch_all(&mut *connection)
            .await?
            .into_iter()
            .collect();
    for entry in std::fs::read_dir(&deps.config.index_dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let of = name.strip_suffix(build::BUILDING).unwrap_or(&name);
        if generation::is_name(of) && !known.contains(of) && entry.file_type()?.is_dir() {
            tracing::info!(index.folder = %name, "the generation is gone; its folder is removed");
            generation::remove(&deps.config.index_dir, &name)?;
        }
    }
    nodes::forget_gone(connection).await?;
    Ok(())
}

/// Puts a damaged folder aside and says where it is.
fn quarantine(deps: &Deps, name: &str, error: &IndexError) -> Result<(), RoleError> {
    let aside = generation::quarantine(&deps.config.index_dir, name, Utc::now())?;
    deps.metrics.index_quarantined.inc();
    tracing::error!(%error, index.generation = name, index.aside = %aside.display(), "the index is damaged; it was built anew, and what was damaged is put aside");
    Ok(())
}
