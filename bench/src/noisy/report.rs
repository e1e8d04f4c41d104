//! What was measured, as a table and as a judgement.

use super::{
    Args,
    backlog::{Behind, Furthest},
    neighbour::{Refused, Sent},
    quiet::Measured,
};
use crate::figures::Figures;
use serde::Serialize;
use std::{fmt, time::Duration};

/// How many times the quiet p99 a p99 may be.
const WITHIN: f64 = 3.0;

/// The measured shop, quiet and beside each load.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The profile that query-api was built with.
    profile: String,
    seconds: u64,
    writes_per_second: u64,
    searches_per_second: u64,
    quiet: Measured,
    loads: Vec<Beside>,
    /// Whether each p99 stayed within three times the quiet one, and nothing failed.
    within: bool,
}

/// The measured shop beside one load.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Beside {
    load: &'static str,
    #[serde(flatten)]
    measured: Measured,
    /// How many times the quiet p99 is; none before it is known.
    times_write: Option<f64>,
    times_search: Option<f64>,
    sent: Sent,
    /// By projection, the furthest that it was behind.
    behind: Furthest,
    /// Whether nothing waited when it began.
    began_calm: bool,
    /// Until nothing waited any more; none if that took too long.
    calm_after_seconds: Option<f64>,
}

impl Beside {
    pub(super) fn new(
        load: &'static str,
        measured: Measured,
        sent: Sent,
        behind: Furthest,
        began_calm: bool,
        calm: Option<Duration>,
    ) -> Self {
        let calm_after_seconds = calm.map(|calm| calm.as_secs_f64());
        let (times_write, times_search) = (None, None);
        Self { load, measured, times_write, times_search, sent, behind, began_calm, calm_after_seconds }
    }

    fn missed(&self) -> Vec<String> {
        let too_slow = |what: &str, times: Option<f64>| {
            let times = times.filter(|times| *times > WITHIN)?;
            Some(format!("{}: p99 of {what} is {times:.1} times the quiet one", self.load))
        };
        let slow = [too_slow("write to searchable", self.times_write), too_slow("searches", self.times_search)];
        slow.into_iter().flatten().chain(failed(self.load, &self.measured)).collect()
    }
}

fn failed(when: &str, measured: &Measured) -> Vec<String> {
    let counts = [(measured.failed, "requests failed"), (measured.never_found, "writes were never found")];
    counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{when}: {count} {what}")).collect()
}

impl Report {
    pub(super) fn new(args: &Args, profile: String, quiet: Measured) -> Self {
        let mut report = Self {
            profile,
            seconds: args.seconds,
            writes_per_second: args.writes,
            searches_per_second: args.queries,
            quiet,
            loads: Vec::new(),
            within: true,
        };
        report.within = report.missed().is_empty();
        report
    }

    pub(super) fn add(&mut self, mut beside: Beside) {
        let times = |now: &Figures, quiet: &Figures| Some(now.p99_ms / quiet.p99_ms.max(0.001));
        beside.times_write = times(&beside.measured.write_to_searchable, &self.quiet.write_to_searchable);
        beside.times_search = times(&beside.measured.search, &self.quiet.search);
        self.loads.push(beside);
        self.within = self.missed().is_empty();
    }

    /// What is not as it has to be: a p99 of more than three times the quiet one, and what failed or was lost.
    #[must_use]
    pub fn missed(&self) -> Vec<String> {
        let beside = self.loads.iter().flat_map(Beside::missed);
        failed("quiet", &self.quiet).into_iter().chain(beside).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { profile, seconds, writes_per_second: writes, searches_per_second: searches, .. } = self;
        writeln!(
            f,
            "{writes} writes/s and {searches} searches/s of one shop, {seconds} s each; souk's profile: {profile}"
        )?;
        writeln!(f, "{:<12} {:>30}  {:>30} {:>8}", "", "write to searchable", "search", "")?;
        let (p50, p99, times) = ("p50 ms", "p99 ms", "of quiet");
        writeln!(f, "{:<12} {p50:>9} {p99:>10} {times:>9}  {p50:>9} {p99:>10} {times:>9} {:>8}", "", "failed")?;
        row(f, "quiet", &self.quiet, None, None)?;
        for load in &self.loads {
            row(f, load.load, &load.measured, load.times_write, load.times_search)?;
        }
        for load in &self.loads {
            detail(f, load)?;
        }
        for (what, count) in
            self.loads.iter().map(|load| &load.measured).chain([&self.quiet]).flat_map(|one| &one.failures)
        {
            writeln!(f, "failed {count} times: {what}")?;
        }
        let missed = self.missed();
        if missed.is_empty() {
            return writeln!(f, "p99 stayed within {WITHIN} times the quiet figure, 0 failed");
        }
        missed.iter().try_for_each(|what| writeln!(f, "missed: {what}"))
    }
}

fn row(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    measured: &Measured,
    times_write: Option<f64>,
    times_search: Option<f64>,
) -> fmt::Result {
    let times = |times: Option<f64>| times.map_or_else(String::new, |times| format!("{times:.1}"));
    let (write, search) = (&measured.write_to_searchable, &measured.search);
    write!(f, "{name:<12} {:>9.1} {:>10.1} {:>9}  ", write.p50_ms, write.p99_ms, times(times_write))?;
    write!(f, "{:>9.1} {:>10.1} {:>9} ", search.p50_ms, search.p99_ms, times(times_search))?;
    writeln!(f, "{:>8}", measured.failed + measured.never_found)
}

/// What was sent, what came of it, and what was behind.
fn detail(f: &mut fmt::Formatter<'_>, beside: &Beside) -> fmt::Result {
    let Sent { accepted, refused, broken } = &beside.sent;
    write!(f, "{}: {accepted} accepted", beside.load)?;
    for Refused { refusal, count } in refused {
        write!(f, ", {count} refused {} {}", refusal.status, refusal.code.as_deref().unwrap_or("without a code"))?;
    }
    if *broken > 0 {
        write!(f, ", {broken} connections broke")?;
    }
    let mut behind: Vec<(&String, &Behind)> = beside.behind.iter().filter(|(_, behind)| behind.seconds > 0.5).collect();
    behind.sort_by(|one, other| other.1.seconds.total_cmp(&one.1.seconds));
    for (name, Behind { events, seconds }) in behind.into_iter().take(3) {
        write!(f, "; {name} was {seconds:.1} s and {events} events behind")?;
    }
    let calm = beside.calm_after_seconds;
    let calm = calm.map_or_else(|| "not calm after 300 s".to_owned(), |calm| format!("calm again after {calm:.0} s"));
    writeln!(f, "; {calm}{}", if beside.began_calm { "" } else { "; something waited when it began" })
}
