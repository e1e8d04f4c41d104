//! How far each projection of this process is, as a value that every role is given. [`report`] writes it, once a
//! second, into the read database and the metrics.
//!
//! What a lag means is judged by [`judgement`], how old it is told by [`arrivals`], and whose it is by [`tenants`].

use eventlog::Record;
use judgement::{Sample, Verdict, Window};
use schemas::{Timestamp, Utc, Uuid};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tenants::Tenants;

pub mod arrivals;
pub mod judgement;
pub mod observed;
pub mod report;
pub mod tenants;

/// Seconds between two measurements of the ends.
pub const LOOK_SECONDS: f64 = 1.0;

/// Where a projection stands in one partition, or a relay in its outbox.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The next offset it will read; for a relay, the rows it has sent since its start.
    pub next_offset: i64,
    /// The end of the log.
    pub end_offset: i64,
    /// Events between the two.
    pub lag_events: i64,
    /// Age of the oldest of them in seconds.
    pub lag_seconds: f64,
    /// Events a second since the last report.
    pub rate_per_second: f64,
}

/// One partition of a projection, or a relay's outbox.
#[derive(Debug, Clone)]
pub struct Part {
    /// Where it stands.
    pub progress: Progress,
    /// Whether it is an outbox, which its relay measures itself.
    pub is_relay: bool,
    /// What its lag means.
    pub verdict: Verdict,
    /// Whether a position was reported since the last look.
    committed: bool,
    last_event_time: Option<Timestamp>,
    measured_offset: i64,
    /// Whether the end of its partition is known.
    is_measured: bool,
    arrivals: arrivals::Arrivals,
}

/// Projection, topic and partition.
pub type Key = (String, String, i32);

impl Part {
    fn new(next_offset: i64, is_relay: bool) -> Self {
        let progress =
            Progress { next_offset, end_offset: next_offset, lag_events: 0, lag_seconds: 0.0, rate_per_second: 0.0 };
        Self {
            progress,
            is_relay,
            verdict: Verdict::default(),
            committed: true,
            last_event_time: None,
            measured_offset: next_offset,
            is_measured: is_relay,
            arrivals: arrivals::Arrivals::default(),
        }
    }

    /// Takes in where the end of the partition is, `at` seconds on a clock that only goes forward.
    fn judge(&mut self, end: i64, at: f64, now: Timestamp) {
        let progress = &mut self.progress;
        progress.end_offset = end;
        progress.lag_events = (end - progress.next_offset).max(0);
        self.arrivals.look(at, end, progress.next_offset);
        #[expect(clippy::cast_precision_loss, reason = "seconds and rates for people")]
        {
            progress.lag_seconds = if progress.lag_events == 0 {
                0.0
            } else {
                // Of what waited before this process began to look is known only that it is newer than what was applied.
                let applied_age =
                    || self.last_event_time.map_or(0.0, |time| (now - time).num_milliseconds().max(0) as f64 / 1e3);
                self.arrivals.age(at, progress.next_offset).unwrap_or_else(applied_age)
            };
            progress.rate_per_second = (progress.next_offset - self.measured_offset) as f64 / LOOK_SECONDS;
        }
        self.measured_offset = progress.next_offset;
        self.is_measured = true;
    }

    /// The moment as a sample.
    fn sample(&mut self) -> Sample {
        let committed = std::mem::take(&mut self.committed);
        let Progress { next_offset, lag_events: lag, .. } = self.progress;
        Sample { next_offset, lag, committed }
    }
}

/// The status of every projection of one process; clones share it.
#[derive(Debug, Clone)]
pub struct Status(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Drawn at the start: tells this process from all others.
    process: Uuid,
    began: Instant,
    parts: BTreeMap<Key, Part>,
    /// The lag of each projection over its partitions of late. One loop applies them all, often one partition's backlog
    /// after the other's: a partition that waits for its turn has not stopped.
    wholes: BTreeMap<String, Window>,
    forgotten: Vec<String>,
    tenants: Tenants,
}

impl Default for Status {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State {
            process: Uuid::now_v7(),
            began: Instant::now(),
            parts: BTreeMap::new(),
            wholes: BTreeMap::new(),
            forgotten: Vec::new(),
            tenants: Tenants::default(),
        })))
    }
}

impl Status {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells this process from all others that report.
    #[must_use]
    pub fn process(&self) -> Uuid {
        self.state().process
    }

    /// Records the state of a relay, measured by itself.
    pub fn record(&self, relay: &str, topic: &str, progress: Progress) {
        let mut state = self.state();
        let part = state.parts.entry((relay.to_owned(), topic.to_owned(), 0)).or_insert_with(|| Part::new(0, true));
        (part.progress, part.committed) = (progress, true);
    }

    /// Records what of each tenant waits in a relay's outbox; tenants that are not named have nothing there.
    pub fn waiting(&self, relay: &str, rows: &[tenants::Waiting]) {
        self.state().tenants.waiting(relay, rows);
    }

    /// Records that a projection has applied everything below `next_offset`.
    pub fn applied(
        &self,
        projection: &str,
        topic: &str,
        partition: i32,
        next_offset: i64,
        event_time: Option<Timestamp>,
    ) {
        let mut state = self.state();
        let part = state
            .parts
            .entry((projection.to_owned(), topic.to_owned(), partition))
            .or_insert_with(|| Part::new(next_offset, false));
        (part.progress.next_offset, part.committed) = (next_offset, true);
        part.last_event_time = event_time.or(part.last_event_time);
    }

    /// Records that a projection has applied a batch.
    pub fn applied_batch(&self, projection: &str, batch: &[Record]) {
        let last: BTreeMap<(&str, i32), &Record> =
            batch.iter().map(|record| ((record.topic.as_str(), record.partition), record)).collect();
        for ((topic, partition), record) in last {
            let time = record.header("ce_time").and_then(|text| text.parse().ok());
            self.applied(projection, topic, partition, record.offset + 1, time);
        }
        self.state().tenants.applied(projection, batch, Instant::now(), Utc::now());
    }

    /// The ends of a projection's partitions of a topic, as last measured.
    #[must_use]
    pub fn ends(&self, projection: &str, topic: &str) -> BTreeMap<(String, i32), i64> {
        let of = |(key, part): (&Key, &Part)| {
            (key.0 == projection && key.1 == topic).then(|| ((key.1.clone(), key.2), part.progress.end_offset))
        };
        self.state().parts.iter().filter_map(of).collect()
    }

    /// Records of a topic that a projection has not applied, as last measured; none before the first measurement.
    #[must_use]
    pub fn lag(&self, projection: &str, topic: &str) -> Option<i64> {
        let left = |part: &Part| {
            let Progress { next_offset, end_offset, .. } = part.progress;
            part.is_measured.then_some((end_offset - next_offset).max(0))
        };
        let state = self.state();
        let mut own = state.parts.iter().filter(|(key, _)| key.0 == projection && key.1 == topic).peekable();
        own.peek()?;
        own.map(|(_, part)| left(part)).sum()
    }

    /// From now on this process follows a projection in these partitions, each with its topic's name, and in no others. What
    /// it told of those stays for whoever follows them now.
    pub fn follows(&self, projection: &str, partitions: &[(String, i32)]) {
        let mut state = self.state();
        state.parts.retain(|(name, topic, partition), _| {
            name != projection || partitions.iter().any(|own| (&own.0, own.1) == (topic, *partition))
        });
        // The lag of other partitions says nothing of the trend of these.
        state.wholes.remove(projection);
    }

    /// Stops reporting a projection that is no more, or has another name now. Its rows are deleted: where another
    /// process runs it, they are back with its next report.
    pub fn forget(&self, projection: &str) {
        let mut state = self.state();
        state.parts.retain(|(name, _, _), _| name != projection);
        state.forgotten.push(projection.to_owned());
    }

    /// Forgets where every projection stood: the log has begun anew.
    pub fn forget_logs(&self) {
        self.state().parts.retain(|_, part| part.is_relay);
    }

    /// Forgets what is about topics other than these.
    pub fn keep_topics(&self, topics: &[String]) {
        self.state().parts.retain(|(_, topic, _), part| part.is_relay || topics.contains(topic));
    }

    /// Every part as it is now.
    #[must_use]
    pub fn parts(&self) -> BTreeMap<Key, Part> {
        self.state().parts.clone()
    }

    /// The lag of each projection over its partitions of late.
    #[must_use]
    pub fn wholes(&self) -> BTreeMap<String, Window> {
        self.state().wholes.clone()
    }

    /// The next offset of every partition that is read.
    #[must_use]
    pub fn positions(&self) -> Vec<(Key, i64)> {
        let state = self.state();
        let logs = state.parts.iter().filter(|(_, part)| !part.is_relay);
        logs.map(|(key, part)| (key.clone(), part.progress.next_offset)).collect()
    }

    /// Takes in the ends of partitions, and with them the moment of every part.
    pub fn measured(&self, ends: &BTreeMap<(String, i32), i64>) {
        let mut state = self.state();
        let (at, now) = (state.began.elapsed().as_secs_f64(), Utc::now());
        let mut moments: BTreeMap<String, Sample> = BTreeMap::new();
        for ((projection, topic, partition), part) in &mut state.parts {
            if let (false, Some(end)) = (part.is_relay, ends.get(&(topic.clone(), *partition))) {
                part.judge(*end, at, now);
            }
            moments.entry(projection.clone()).or_default().add(part.sample());
        }
        state.wholes.retain(|projection, _| moments.contains_key(projection));
        for (projection, moment) in moments {
            state.wholes.entry(projection).or_default().push(moment);
        }
        let verdicts: BTreeMap<String, Verdict> =
            state.wholes.iter().map(|(projection, window)| (projection.clone(), window.verdict())).collect();
        for ((projection, _, _), part) in &mut state.parts {
            let whole = verdicts.get(projection).filter(|_| part.progress.lag_events > 0);
            part.verdict = whole.copied().unwrap_or_default();
        }
    }

    /// The projections that were forgotten since the last call.
    #[must_use]
    pub fn take_forgotten(&self) -> Vec<String> {
        std::mem::take(&mut self.state().forgotten)
    }

    /// The tenants' figures that have changed since the last call.
    #[must_use]
    pub fn take_changed_tenants(&self) -> Vec<tenants::Row> {
        self.state().tenants.take_changed(Instant::now())
    }

    /// Has figures that could not be stored taken again.
    pub fn tenants_not_stored(&self, rows: Vec<tenants::Row>) {
        self.state().tenants.not_stored(rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use judgement::State as Means;
    use std::time::Duration;

    /// 29,000 documents wait in four partitions, and are worked off at 70 a second, a partition's backlog after the
    /// other's and 250 at a time, as the embedding writer does.
    #[test]
    fn a_slow_but_steady_consumer_is_fine_in_every_partition() {
        let (status, topic) = (Status::default(), "documents");
        let end = 7_250;
        let ends: BTreeMap<(String, i32), i64> = (0..4).map(|n| ((topic.to_owned(), n), end)).collect();
        for partition in 0..4 {
            status.applied("embed", topic, partition, 0, None);
        }
        for second in 0..400_i64 {
            let done = second * 70 / 250 * 250;
            for partition in 0..4_i32 {
                let own = (done - i64::from(partition) * end).clamp(0, end);
                if own > 0 {
                    status.applied("embed", topic, partition, own, None);
                }
            }
            status.measured(&ends);
            for ((_, _, partition), part) in status.parts() {
                assert_eq!(part.verdict.state, Means::Ok, "second {second}, partition {partition}");
                if second >= 10 && part.progress.lag_events > 0 {
                    assert_eq!(part.verdict.trend, "draining", "second {second}, partition {partition}");
                    assert!(part.verdict.catch_up_seconds.is_some(), "second {second}, partition {partition}");
                }
            }
        }
    }

    #[test]
    fn a_consumer_that_does_nothing_has_stopped_in_every_partition_that_waits() {
        let (status, topic) = (Status::default(), "documents");
        for partition in 0..2 {
            status.applied("embed", topic, partition, 0, None);
        }
        let ends = BTreeMap::from([((topic.to_owned(), 0), 10), ((topic.to_owned(), 1), 0)]);
        for _ in 0..=judgement::WINDOW {
            status.measured(&ends);
        }
        let states: Vec<Means> = status.parts().values().map(|part| part.verdict.state).collect();
        assert_eq!(states, [Means::Stop, Means::Ok]);
    }

    #[test]
    fn one_event_after_an_idle_hour_is_not_an_hour_late() {
        let mut part = Part::new(10, false);
        let now = Utc::now();
        part.last_event_time = Some(now - Duration::from_secs(3_600));
        part.judge(10, 0.0, now);
        assert_eq!((part.progress.lag_events, part.progress.lag_seconds), (0, 0.0));
        part.judge(11, 1.0, now);
        assert_eq!((part.progress.lag_events, part.progress.lag_seconds), (1, 0.0));
        part.judge(11, 3.0, now);
        assert_eq!((part.progress.lag_events, part.progress.lag_seconds), (1, 2.0));
    }

    #[test]
    fn a_backlog_from_before_the_start_is_as_old_as_what_was_applied_of_it() {
        let (mut part, now) = (Part::new(0, false), Utc::now());
        part.judge(900, 0.0, now);
        assert_eq!(part.progress.lag_seconds, 0.0, "nothing is known yet");
        part.progress.next_offset = 10;
        part.last_event_time = Some(now - Duration::from_secs(50));
        part.judge(900, 1.0, now);
        assert_eq!((part.progress.lag_events, part.progress.lag_seconds), (890, 50.0));
        assert_eq!(part.progress.rate_per_second, 10.0);
    }
}
