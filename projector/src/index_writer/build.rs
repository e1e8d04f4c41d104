//! A generation is built in the background, in a folder of its own name with [`BUILDING`] behind it, on threads of low priority that
//! rest most of their time while shoppers search. A build that was interrupted goes on from its last commit.

use super::{CopySettings, Phase, Shared, Source, intake};
use crate::deps::RoleError;
use eventlog::{Record, consumer, database};
use schemas::topics::DOCUMENTS;
use search::{
    IndexError,
    background::{self, Throttle},
    document::SearchDocument,
    generation,
    offsets::{Offsets, covers},
    writer::IndexWriter,
};
use sqlx::{PgConnection, Row};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, oneshot};

/// Behind the name of a generation's folder while it is built.
pub const BUILDING: &str = ".building";
/// Documents of the views, and records of the topic, in one step, between looks at the settings.
const PAGE: usize = 2_000;
const STEP: usize = 500;
/// Documents and time after which what was taken in is committed: what an interruption costs.
const COMMIT_DOCUMENTS: usize = 400_000;
const COMMIT_AFTER: Duration = Duration::from_secs(15);
/// Records behind the end of the topic at which what was built is merged.
const NEAR: i64 = 2_000;
/// The same at which the live copy takes over, which doesn't rest.
const CLOSE: i64 = 200;
/// The place in the views, kept among the offsets as if they were a topic.
const VIEWS: &str = "views:documents";

/// A partition, with its first and its next offset.
type Bounds = ((String, i32), (i64, i64));

/// Ends the threads when their task is gone.
struct Ended(Throttle);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Builds the generation in the background; it is complete when this returns.
///
/// # Errors
/// The broker's, the database's or the index's; the next call goes on where this one was.
pub async fn build(shared: &Shared) -> Result<(), RoleError> {
    let throttle = Throttle::beside(&shared.deps.config.index_dir);
    let _guard = Ended(throttle.clone());
    let (done, mut outcome) = oneshot::channel();
    let build = Build { shared: shared.clone(), throttle: throttle.clone() };
    background::spawn("index-build", move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let outcome = match runtime {
            Ok(runtime) => runtime.block_on(build.run()),
            Err(error) => Err(error.into()),
        };
        // Nobody waits any more if the task was ended.
        let _ = done.send(outcome);
    })?;
    let mut settings = shared.settings.clone();
    loop {
        let is_urgent = |settings: &CopySettings| settings.at_once || settings.active;
        throttle.hurry(is_urgent(&settings.borrow_and_update()));
        tokio::select! {
            outcome = &mut outcome => return outcome?,
            changed = settings.changed() => changed?,
        }
    }
}

/// Gives a generation that was built its name.
///
/// # Errors
/// If the file system fails.
pub fn put_in_place(root: &Path, name: &str) -> Result<(), IndexError> {
    Ok(std::fs::rename(generation::folder(root, &format!("{name}{BUILDING}")), generation::folder(root, name))?)
}

struct Build {
    shared: Shared,
    throttle: Throttle,
}

impl Build {
    async fn run(self) -> Result<(), RoleError> {
        let (root, folder) = (&self.shared.deps.config.index_dir, format!("{}{BUILDING}", self.shared.name()));
        let settings = self.settings();
        if generation::manifest(root, &folder).is_ok_and(|found| found != *self.shared.manifest) {
            generation::remove(root, &folder)?;
        }
        if let (Source::Copy, Some(basis)) = (settings.source, &settings.basis)
            && generation::is_complete(root, basis)
        {
            return Ok(generation::copy(root, basis, &folder, &self.shared.manifest)?);
        }
        generation::create_in(root, &folder, &self.shared.manifest)?;
        let mut writer = match IndexWriter::open_to_build(root, &folder, &self.throttle) {
            Err(IndexError::Damaged { reason, .. }) => {
                tracing::warn!(reason, index.folder = %folder, "what was built so far is damaged; the build begins anew");
                generation::remove(root, &folder)?;
                generation::create_in(root, &folder, &self.shared.manifest)?;
                IndexWriter::open_to_build(root, &folder, &self.throttle)?
            }
            opened => opened?,
        };
        let mut rate = intake::Rate::new();
        if settings.source == Source::Views {
            self.views(&mut writer, &mut rate).await?;
        }
        self.topic(&mut writer, &mut rate, NEAR).await?;
        tracing::info!(index.generation = %self.shared.name(), documents = writer.document_count(), "built; merging");
        writer.compact(std::thread::available_parallelism().map_or(1, usize::from))?;
        self.topic(&mut writer, &mut rate, CLOSE).await?;
        Ok(writer.close()?)
    }

    fn settings(&self) -> CopySettings {
        self.shared.settings.borrow().clone()
    }

    /// Waits while the build is paused and as long as its limit wants; an error once it is no longer wanted.
    async fn yield_to_settings(&self, taken: usize, began: Instant) -> Result<(), RoleError> {
        let mut settings = self.shared.settings.clone();
        loop {
            self.throttle.rest()?;
            let (paused, limit) = {
                let settings = settings.borrow_and_update();
                (settings.paused, settings.rate_limit)
            };
            self.shared.report(|report| report.phase = if paused { Phase::Paused } else { Phase::Building });
            let wait = match limit {
                _ if paused => Duration::from_millis(200),
                Some(limit) => {
                    #[expect(clippy::cast_precision_loss, reason = "a duration")]
                    let due = Duration::from_secs_f64(taken as f64 / f64::from(limit.max(1)));
                    due.saturating_sub(began.elapsed()).min(Duration::from_millis(200))
                }
                None => Duration::ZERO,
            };
            if wait.is_zero() {
                return Ok(());
            }
            // A change of settings ends the pause, and so does the time.
            let _ = tokio::time::timeout(wait, settings.changed()).await;
        }
    }

    /// Takes in the composed documents of the read database, in the order of their versions: one that changes
    /// meanwhile comes again further on.
    async fn views(&self, writer: &mut IndexWriter, rate: &mut intake::Rate) -> Result<(), RoleError> {
        let mut connection = database::connect_durable(&self.shared.deps.config.read_database_url).await?;
        // All documents are counted.
        database::take_time(&mut connection).await?;
        let mut offsets = intake::in_this_log(writer.offsets(), &self.shared.deps.log.topic(DOCUMENTS));
        if offsets.is_empty() {
            // Whatever is published from here on comes from the topic.
            offsets = self.ends()?.into_iter().map(|(partition, (_, end))| (partition, end)).collect();
        }
        let place = (VIEWS.to_owned(), 0);
        let mut after = writer.offsets().get(&place).copied().unwrap_or(-1);
        let expected: i64 = sqlx::query_scalar("SELECT count(*) FROM documents").fetch_one(&mut connection).await?;
        self.shared.report(|report| report.expected = u64::try_from(expected).unwrap_or_default());
        let mut uncommitted = Uncommitted::new();
        // Page after page by the index of versions, also where nothing is known yet of what the table holds.
        for setting in ["enable_seqscan", "enable_bitmapscan", "enable_sort"] {
            sqlx::query("SELECT set_config($1, 'off', false)").bind(setting).execute(&mut connection).await?;
        }
        let mut pages = pages(connection, after, self.throttle.clone())?;
        let mut began = Instant::now();
        while let Some(page) = pages.recv().await {
            let Page { documents, last } = page?;
            after = last;
            writer.upsert_all(&documents)?;
            offsets.insert(place.clone(), after);
            rate.count(documents.len());
            self.tell(writer, rate, &offsets);
            if uncommitted.is_due(documents.len()) {
                writer.commit(offsets.clone())?;
            }
            self.yield_to_settings(documents.len(), began).await?;
            began = Instant::now();
        }
        offsets.insert(place, after);
        Ok(writer.commit(offsets)?)
    }

    /// Reads the topic until no more records than these are left, or more come than it can take in: the live copy
    /// takes over then.
    async fn topic(&self, writer: &mut IndexWriter, rate: &mut intake::Rate, left: i64) -> Result<(), RoleError> {
        let log = &self.shared.deps.log;
        let mut offsets = intake::in_this_log(writer.offsets(), &self.shared.deps.log.topic(DOCUMENTS));
        let mut bounds = self.ends()?;
        for (partition, (low, _)) in &bounds {
            // Nothing is kept below; a partition without a record has been read.
            let known = offsets.entry(partition.clone()).or_default();
            *known = (*known).max(*low);
        }
        let source = consumer::Source::open(log, &format!("index.{}", self.shared.name()), &[DOCUMENTS], &offsets)?;
        let (mut uncommitted, mut before) = (Uncommitted::new(), i64::MAX);
        loop {
            let ends: Offsets = bounds.iter().map(|(partition, (_, end))| (partition.clone(), *end)).collect();
            while !covers(&offsets, &ends) {
                let began = Instant::now();
                let batch: Vec<Record> =
                    match tokio::time::timeout(Duration::from_secs(1), source.next_batch(STEP, consumer::BATCH_BYTES))
                        .await
                    {
                        Ok(batch) => batch?,
                        Err(_) => Vec::new(),
                    };
                offsets.extend(consumer::next_offsets(&batch));
                intake::take(writer, &batch)?;
                rate.count(batch.len());
                self.shared.report(|report| report.ends.clone_from(&ends));
                self.tell(writer, rate, &offsets);
                if uncommitted.is_due(batch.len()) {
                    writer.commit(offsets.clone())?;
                }
                self.yield_to_settings(batch.len(), began).await?;
            }
            writer.commit(offsets.clone())?;
            bounds = self.ends()?;
            let behind: i64 = bounds
                .iter()
                .map(|(partition, (_, end))| (end - offsets.get(partition).copied().unwrap_or_default()).max(0))
                .sum();
            if behind <= left || behind >= before {
                return Ok(());
            }
            before = behind;
        }
    }

    fn tell(&self, writer: &IndexWriter, rate: &intake::Rate, offsets: &Offsets) {
        self.shared.report(|report| {
            report.documents = writer.document_count();
            report.rate_per_second = rate.per_second();
            report.offsets.clone_from(offsets);
            let behind = u64::try_from(report.lag()).unwrap_or_default();
            report.expected = report.expected.max(report.documents + behind);
        });
    }

    /// The first and the next offset of each partition.
    fn ends(&self) -> Result<Vec<Bounds>, RoleError> {
        Ok(self.shared.deps.log.extents_of(DOCUMENTS)?.into_iter().collect())
    }
}

/// Documents of the read database, in the order of their versions.
struct Page {
    documents: Vec<SearchDocument>,
    /// The last one's version.
    last: i64,
}

/// Reads the documents behind a version, page by page, on a thread of its own: the next page is read and parsed while
/// one is indexed. It ends with the receiver.
fn pages(
    mut connection: PgConnection,
    mut after: i64,
    throttle: Throttle,
) -> Result<mpsc::Receiver<Result<Page, RoleError>>, RoleError> {
    let (sender, receiver) = mpsc::channel(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // As low in priority as the thread it is started from.
    std::thread::Builder::new().name("index-pages".to_owned()).spawn(move || {
        runtime.block_on(async {
            loop {
                let page = page(&mut connection, after, &throttle).await.transpose();
                let Some(page) = page else { return };
                let next = page.as_ref().ok().map(|page| page.last);
                // Nobody listens any more, or it went wrong: either way this was the last page.
                let (Ok(()), Some(last)) = (sender.send(page).await, next) else { return };
                after = last;
            }
        });
    })?;
    Ok(receiver)
}

/// The documents next behind a version; none at the end.
async fn page(connection: &mut PgConnection, after: i64, throttle: &Throttle) -> Result<Option<Page>, RoleError> {
    let rows = sqlx::query(
        "SELECT doc_version, body FROM documents WHERE doc_version > $1 ORDER BY doc_version FETCH FIRST $2 ROWS WITH TIES",
    )
    .bind(after)
    .bind(i64::try_from(PAGE)?)
    .fetch_all(connection)
    .await?;
    let Some(last) = rows.last() else { return Ok(None) };
    let last = last.try_get("doc_version")?;
    let documents = rows.iter().map(|row| {
        throttle.rest()?;
        Ok(serde_json::from_str(row.try_get("body")?)?)
    });
    Ok(Some(Page { documents: documents.collect::<Result<_, RoleError>>()?, last }))
}

/// What has been taken in since the last commit.
struct Uncommitted {
    documents: usize,
    since: Instant,
}

impl Uncommitted {
    fn new() -> Self {
        Self { documents: 0, since: Instant::now() }
    }

    fn is_due(&mut self, more: usize) -> bool {
        self.documents += more;
        let due = self.documents >= COMMIT_DOCUMENTS || self.since.elapsed() >= COMMIT_AFTER;
        if due {
            *self = Self::new();
        }
        due
    }
}
