//! One copy of one generation: built if it isn't there, then following the document topic commit by commit.

use super::{
    CopySettings, PROJECTION, Phase, Shared, build,
    intake::{Rate, in_this_log, take},
    proofs, quarantine, scrub,
};
use crate::{
    deps::{Deps, RoleError},
    metrics::of,
};
use eventlog::{Record, RoundSize, Source, consumer};
use schemas::{Timestamp, Utc, topics};
use search::{
    IndexError, generation,
    offsets::{Offsets, covers},
    writer::IndexWriter,
};
use std::time::{Duration, Instant};

/// Most documents between two commits.
const BATCH: usize = 4_000;
/// Documents in one batch from which on more are taken to wait.
const BACKLOG: usize = 500;
/// Between two commits of a copy that shoppers search: a quarter of what the last one took, and no longer than this. A
/// write that comes alone does not wait.
const LINGER: Duration = Duration::from_millis(50);
/// Between two commits of a copy that nobody searches: what shoppers wait for goes before, and a switch waits for it.
const BACKGROUND_LINGER: Duration = Duration::from_millis(200);
/// How often the report is renewed when nothing comes.
const IDLE: Duration = Duration::from_millis(500);

/// The name of a copy in status and metrics.
pub fn projection(name: &str, active: bool) -> String {
    if active { PROJECTION.to_owned() } else { format!("{PROJECTION}:{name}") }
}

/// Keeps the copy until something fails that it can't mend.
///
/// # Errors
/// The broker's or the index's.
pub async fn keep(mut shared: Shared) -> Result<(), RoleError> {
    let root = shared.deps.config.index_dir.clone();
    let name = shared.name().to_owned();
    loop {
        if !generation::is_complete(&root, &name) {
            build::build(&shared).await?;
            // Before it is there: what is asked of it afterwards stands.
            proofs::forget(&shared.deps, &name).await?;
            build::put_in_place(&root, &name)?;
        }
        let damage = match follow(&mut shared).await {
            Err(error) => match error.downcast::<IndexError>() {
                Ok(damage) if matches!(*damage, IndexError::Damaged { .. }) => damage,
                Ok(other) => return Err(other),
                Err(other) => return Err(other),
            },
            Ok(()) => return Ok(()),
        };
        tracing::error!(error = %damage, index.generation = %name, "the index is damaged; it is built anew beside");
        // Readers of this node are told to let others answer.
        generation::mark_damaged(&root, &name)?;
        build::build(&shared).await?;
        proofs::forget(&shared.deps, &name).await?;
        quarantine(&shared.deps, &name, &damage)?;
        build::put_in_place(&root, &name)?;
    }
}

/// Follows the topic until something fails.
async fn follow(shared: &mut Shared) -> Result<(), RoleError> {
    let (deps, name) = (shared.deps.clone(), shared.name().to_owned());
    let mut writer = tokio::task::block_in_place(|| IndexWriter::open(&deps.config.index_dir, &name))?;
    let mut known = shared.settings.borrow_and_update().clone();
    let topic = deps.log.topic(topics::DOCUMENTS);
    let mut offsets = in_this_log(writer.offsets(), &topic);
    if offsets.len() < writer.offsets().len() {
        // Places in a log that began anew, or in the views while it was built, say nothing any more.
        tokio::task::block_in_place(|| writer.commit(offsets.clone()))?;
    }
    announce(&deps, &name, &known, &offsets);
    let source = Source::open(&deps.log, &format!("index.{name}"), &[topics::DOCUMENTS], &offsets)?;
    let mut scrubbed = scrub::start(&deps.config, &name)?;
    let (mut read, mut rate, mut committed, mut took) = (Vec::new(), Rate::new(), Instant::now(), Duration::ZERO);
    let mut size = RoundSize::default();
    loop {
        let settings = shared.settings.borrow_and_update().clone();
        if settings.active != known.active {
            // The name of the active copy is never without one: who is it now writes over who was.
            if settings.active {
                deps.status.forget(&projection(&name, false));
            }
            announce(&deps, &name, &settings, &offsets);
        }
        known = settings;
        tell(shared, &known, &writer, &offsets, &topic, &rate);
        let held = known.stop_at.as_ref().is_some_and(|stop| covers(&offsets, stop));
        if known.paused || held {
            tokio::select! {
                changed = shared.settings.changed() => changed?,
                damage = &mut scrubbed => return Err(damage?.into()),
            }
            continue;
        }
        let linger = match (&known.stop_at, known.active || known.tried) {
            (Some(_), _) => Duration::ZERO,
            (None, true) => (took / 4).min(LINGER),
            (None, false) => BACKGROUND_LINGER,
        };
        let wait = linger.saturating_sub(committed.elapsed());
        if !wait.is_zero() {
            tokio::select! {
                changed = shared.settings.changed() => changed?,
                damage = &mut scrubbed => return Err(damage?.into()),
                () = tokio::time::sleep(wait) => {}
            }
            continue;
        }
        if !read.iter().any(|record| is_before(record, known.stop_at.as_ref())) {
            tokio::select! {
                batch = source.next_batch(size.records().min(BATCH), size.bytes()) => read.append(&mut batch?),
                changed = shared.settings.changed() => { changed?; continue; }
                damage = &mut scrubbed => return Err(damage?.into()),
                () = tokio::time::sleep(IDLE) => continue,
            }
        }
        let (batch, later): (Vec<Record>, Vec<Record>) =
            read.into_iter().partition(|record| is_before(record, known.stop_at.as_ref()));
        let next = next_offsets(&batch, &later, known.stop_at.as_ref());
        read = later;
        if next.iter().all(|(partition, offset)| offsets.get(partition).is_some_and(|known| known >= offset)) {
            continue;
        }
        next.iter().for_each(|(partition, offset)| {
            let known = offsets.entry(partition.clone()).or_default();
            *known = (*known).max(*offset);
        });
        let began = Instant::now();
        let more_waits = batch.len() >= BACKLOG.min(size.records());
        writer.merge(!more_waits);
        tokio::task::block_in_place(|| write(&mut writer, &batch, &offsets))?;
        (committed, took) = (Instant::now(), began.elapsed());
        size.learn(&batch, took);
        observe(&deps, &name, known.active, &batch);
        source.publish_offsets(&next);
        rate.count(batch.len());
    }
}

/// Where to go on after a batch.
fn next_offsets(batch: &[Record], later: &[Record], stop_at: Option<&Offsets>) -> Offsets {
    let mut next = consumer::next_offsets(batch);
    if let Some(stop) = stop_at {
        // Where a later record has come, nothing below is left, even if the last one was compacted away.
        let passed = later.iter().map(|record| (record.topic.clone(), record.partition));
        next.extend(passed.filter_map(|partition| stop.get(&partition).map(|stop| (partition, *stop))));
    }
    next
}

/// Whether a record may be taken in before the offsets that must not be passed.
fn is_before(record: &Record, stop_at: Option<&Offsets>) -> bool {
    stop_at.is_none_or(|stop| {
        stop.get(&(record.topic.clone(), record.partition)).is_some_and(|stop| record.offset < *stop)
    })
}

fn announce(deps: &Deps, name: &str, settings: &CopySettings, offsets: &Offsets) {
    for key in deps.log.partitions(&[topics::DOCUMENTS]) {
        let next = offsets.get(&key).copied().unwrap_or_default();
        deps.status.applied(&projection(name, settings.active), &key.0, key.1, next, None);
    }
}

/// Writes the report, and wakes who passes it on.
fn tell(shared: &Shared, settings: &CopySettings, writer: &IndexWriter, offsets: &Offsets, topic: &str, rate: &Rate) {
    let name = shared.name();
    let ends = shared.deps.status.ends(&projection(name, settings.active), topic);
    let documents = writer.document_count();
    let held = settings.stop_at.as_ref().is_some_and(|stop| covers(offsets, stop));
    shared.deps.metrics.index_documents.get_or_create(&of(name)).set(i64::try_from(documents).unwrap_or(i64::MAX));
    shared.report(|report| {
        (report.documents, report.expected) = (documents, documents);
        report.rate_per_second = rate.per_second();
        report.offsets.clone_from(offsets);
        report.ends = ends;
        report.phase = match report.lag() {
            _ if settings.paused => Phase::Paused,
            _ if held => Phase::Held,
            lag if lag > 2 * i64::try_from(BACKLOG).unwrap_or_default() => Phase::CatchingUp,
            _ => Phase::Live,
        };
    });
    shared.commits.notify_one();
}

/// Takes in a batch, the newest document of each product alone, and commits.
fn write(writer: &mut IndexWriter, batch: &[Record], offsets: &Offsets) -> Result<(), RoleError> {
    take(writer, batch)?;
    Ok(writer.commit(offsets.clone())?)
}

/// Measures how long each write took to become searchable.
fn observe(deps: &Deps, name: &str, active: bool, batch: &[Record]) {
    let now = Utc::now();
    for record in batch.iter().filter(|_| active) {
        let time: Option<Timestamp> = record.header("ce_time").and_then(|text| text.parse().ok());
        if let Some(time) = time {
            #[expect(clippy::cast_precision_loss, reason = "a duration for a histogram")]
            let seconds = (now - time).num_microseconds().unwrap_or_default().max(0) as f64 / 1e6;
            deps.metrics.write_to_searchable.observe(seconds);
        }
        let span = tracing::debug_span!(
            "index.document",
            correlation.id = record.header("ce_soukcorrelation").unwrap_or_default()
        );
        service::request::continue_trace(&span, record.header("ce_traceparent"));
        span.in_scope(|| tracing::debug!(event.key = %record.key, "searchable"));
    }
    let projection = projection(name, active);
    deps.status.applied_batch(&projection, batch);
    deps.metrics.applied.get_or_create(&of(&projection)).inc_by(batch.len() as u64);
}
