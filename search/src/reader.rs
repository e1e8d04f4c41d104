//! Reads a generation that another process writes, and knows of each commit at once.

use crate::{
    IndexError,
    bundle::Model,
    generation::{self, Manifest},
    offsets::{self, Offsets},
    query::HitCard,
    ranking::Ranking,
    schema::schema,
    segments::Segments,
    statistics::StatisticsCache,
};
use notify::{RecursiveMode, Watcher};
use schemas::ids::{ProductId, TenantId};
use std::{
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};
use tantivy::{
    DocAddress, DocSet, IndexReader, ReloadPolicy, TERMINATED, TantivyDocument, Term,
    schema::{IndexRecordOption, Value},
};
use tokio::sync::watch;

/// How often the commit file is looked at when no signal comes.
const POLL: Duration = Duration::from_millis(250);

/// A point in the index's life: what is searched, and a number that grows with each commit seen.
#[derive(Clone)]
pub struct Snapshot {
    /// What is searched.
    pub segments: Segments,
    /// Grows with every commit that was taken in; part of cache keys.
    pub data_version: u64,
    /// The commit's payload, as JSON: the offsets of the document topic up to which it has everything, as
    /// topic, partition and next offset.
    pub offsets: Arc<str>,
    /// How to rank.
    pub ranking: Ranking,
    /// What the generation was built with.
    pub manifest: Arc<Manifest>,
    /// The statistics of the shops' catalogs.
    pub statistics: Arc<StatisticsCache>,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("data_version", &self.data_version).finish_non_exhaustive()
    }
}

impl Snapshot {
    /// Where the vectors come from that go with it.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.manifest.bundle.model
    }

    /// Which opening of a folder it is a state of: versions of one only grow.
    #[must_use]
    pub const fn opened(&self) -> u64 {
        self.data_version >> 32
    }

    /// The version of a product's document here, live or removed; none if it was never seen.
    ///
    /// # Errors
    /// If the index can't be read.
    pub fn version_of(&self, tenant: TenantId, product: ProductId) -> Result<Option<u64>, IndexError> {
        self.address_of(tenant, product)?.map_or(Ok(None), |at| self.version_at(at))
    }

    /// The version of the document at an address.
    pub(crate) fn version_at(&self, at: DocAddress) -> Result<Option<u64>, IndexError> {
        let segment = self.segments.searcher.segment_reader(at.segment_ord);
        Ok(segment.fast_fields().u64("version")?.first(at.doc_id))
    }

    /// What a hit shows of a product; none if it can't be found.
    ///
    /// # Errors
    /// If the index can't be read.
    pub fn card_of(&self, tenant: TenantId, product: ProductId) -> Result<Option<HitCard>, IndexError> {
        let Some(at) = self.address_of(tenant, product)? else { return Ok(None) };
        let record: TantivyDocument = self.segments.searcher.doc(at)?;
        let text = record.get_first(self.segments.fields.card).and_then(|value| value.as_str().map(str::to_owned));
        Ok(text.map(|text| serde_json::from_str(&text)).transpose().map_err(std::io::Error::from)?)
    }

    /// The offsets up to which it has everything.
    #[must_use]
    pub fn next_offsets(&self) -> Offsets {
        offsets::parse(&self.offsets).unwrap_or_default()
    }

    /// Where a product's document is, live or removed.
    pub(crate) fn address_of(&self, tenant: TenantId, product: ProductId) -> Result<Option<DocAddress>, IndexError> {
        let term = Term::from_field_text(self.segments.fields.key, &format!("{tenant}:{product}"));
        for (ordinal, segment) in (0..).zip(self.segments.searcher.segment_readers()) {
            let inverted = segment.inverted_index(self.segments.fields.key)?;
            let Some(mut postings) = inverted.read_postings(&term, IndexRecordOption::Basic)? else { continue };
            let mut doc = postings.doc();
            while doc != TERMINATED {
                if segment.alive_bitset().is_none_or(|alive| alive.is_alive(doc)) {
                    return Ok(Some(DocAddress::new(ordinal, doc)));
                }
                doc = postings.advance();
            }
        }
        Ok(None)
    }
}

/// A generation opened for reading. Cheap to share; dropping the last clone ends the watching.
#[derive(Clone)]
pub struct IndexHandle {
    current: Arc<watch::Sender<Snapshot>>,
    manifest: Arc<Manifest>,
    watching: Arc<Watching>,
}

struct Watching {
    _watcher: Mutex<Option<notify::RecommendedWatcher>>,
    wake: mpsc::Sender<()>,
    /// How many hold the snapshot as it is; locked while a commit is taken in.
    held: Arc<Mutex<usize>>,
}

/// Keeps a generation's snapshot as it is, until it is dropped.
pub struct Hold(Arc<Watching>);

impl std::fmt::Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hold")
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        *self.0.held.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        // What was committed meanwhile is taken in at once; the thread that listens ends only with the handle.
        let _ = self.0.wake.send(());
    }
}

impl std::fmt::Debug for IndexHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexHandle").field("generation", &self.manifest.generation).finish_non_exhaustive()
    }
}

impl IndexHandle {
    /// Opens a generation and starts watching it, on a thread of its own.
    ///
    /// # Errors
    /// [`IndexError::Missing`] or [`IndexError::Damaged`].
    pub fn open(root: &Path, generation_name: &str) -> Result<Self, IndexError> {
        let (index, manifest) = generation::open(root, generation_name)?;
        // Before the reader: what is committed between the two is taken in at the first look.
        let meta = index.load_metas()?;
        let reader: IndexReader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let folder = generation::folder(root, generation_name);
        let own = std::fs::metadata(&folder)?.ino();
        let (_, fields) = schema();
        let manifest = Arc::new(manifest);
        let first = Snapshot {
            segments: Segments {
                searcher: reader.searcher(),
                fields,
                operations: meta.opstamp,
                columns: Arc::default(),
            },
            data_version: first_version(),
            manifest: Arc::clone(&manifest),
            offsets: meta.payload.unwrap_or_default().into(),
            ranking: manifest.bundle.ranking,
            statistics: Arc::default(),
        };
        let current = Arc::new(watch::Sender::new(first));
        let (wake, woken) = mpsc::channel();
        let watcher = watcher(&folder, wake.clone());
        let weak = Arc::downgrade(&current);
        let held = Arc::new(Mutex::new(0));
        let holds = Arc::clone(&held);
        std::thread::Builder::new().name("index-reload".to_owned()).spawn(move || {
            loop {
                if woken.recv_timeout(POLL) == Err(mpsc::RecvTimeoutError::Disconnected) {
                    return;
                }
                while woken.try_recv().is_ok() {}
                let Some(current) = weak.upgrade() else { return };
                let held = holds.lock().unwrap_or_else(PoisonError::into_inner);
                // A folder that was built anew under the name is another index: what it holds is no commit of this one.
                let is_own = || std::fs::metadata(&folder).is_ok_and(|found| found.ino() == own);
                if *held == 0 && is_own() {
                    reload(&index, &reader, &current, &is_own);
                }
            }
        })?;
        Ok(Self { current, manifest, watching: Arc::new(Watching { _watcher: Mutex::new(watcher), wake, held }) })
    }

    /// What the generation was built with.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The newest commit that was taken in.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.current.borrow().clone()
    }

    /// Keeps the snapshot as it is while the answer lives, whatever is committed: what is read meanwhile stands
    /// at offsets that don't move.
    #[must_use]
    pub fn hold(&self) -> Hold {
        *self.watching.held.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Hold(Arc::clone(&self.watching))
    }

    /// A receiver that changes with every commit taken in.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Snapshot> {
        self.current.subscribe()
    }
}

/// The first version of a handle: no handle of this process ever had it, since a folder that was built anew under its
/// name must not be taken for the one before.
fn first_version() -> u64 {
    static OPENED: AtomicU64 = AtomicU64::new(0);
    (OPENED.fetch_add(1, Ordering::Relaxed) << 32) + 1
}

/// Takes in a commit, if there is a new one. While the writer swaps files a reload may fail; the
/// next signal or poll tries again.
fn reload(index: &tantivy::Index, reader: &IndexReader, current: &watch::Sender<Snapshot>, is_own: &dyn Fn() -> bool) {
    let (newest, offsets) = match index.load_metas() {
        Ok(meta) if meta.opstamp != current.borrow().segments.operations => (meta.opstamp, meta.payload),
        Ok(_) => return,
        Err(error) => {
            tracing::debug!(%error, "the commit file can't be read right now");
            return;
        }
    };
    match reader.reload() {
        // It may have been put aside while it was read.
        Ok(()) if !is_own() => {}
        Ok(()) => {
            let searcher = reader.searcher();
            let (columns, segments) = (Arc::clone(&current.borrow().segments.columns), searcher.clone());
            current.send_modify(|snapshot| {
                snapshot.segments.searcher = searcher;
                snapshot.offsets = offsets.unwrap_or_default().into();
                snapshot.data_version += 1;
                snapshot.segments.operations = newest;
            });
            columns.keep(segments.segment_readers());
        }
        Err(error) => tracing::warn!(%error, "the index could not be reloaded; the last state stays in use"),
    }
}

/// Signals each change of the commit file; without inotify, polling alone has to do.
fn watcher(folder: &Path, wake: mpsc::Sender<()>) -> Option<notify::RecommendedWatcher> {
    let wake = Mutex::new(wake);
    let on_event = move |event: notify::Result<notify::Event>| {
        let is_commit = event.is_ok_and(|event| {
            !event.kind.is_access()
                && event.paths.iter().any(|path| path.file_name().is_some_and(|name| name == "meta.json"))
        });
        if is_commit {
            // The thread that listens ends only with the handle.
            let _ = wake.lock().unwrap_or_else(PoisonError::into_inner).send(());
        }
    };
    let watcher = notify::recommended_watcher(on_event).and_then(|mut watcher| {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watcher.inspect_err(|error| tracing::warn!(%error, "commits are not signalled; polling every 250 ms")).ok()
}
