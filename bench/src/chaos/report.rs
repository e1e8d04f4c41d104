//! What came of a scenario, as a table and as what is not as it has to be.

use super::{faults::Outcome, rolling::Rolled, seen::Totals};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, time::Duration};

/// What came of a scenario.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Which.
    pub scenario: String,
    /// Whether there was always somebody who could answer a query.
    pub answers_always: bool,
    /// How soon somebody had to take over from each process.
    pub within: Duration,
    /// The broker.
    pub broker: String,
    /// Partitions of every topic, if they were named.
    pub partitions: Option<i32>,
    /// Each fault.
    pub outcomes: Vec<Outcome>,
    /// What the load has seen.
    pub totals: Totals,
    /// Acknowledged commands that are not there.
    pub lost: u64,
    /// Everything else that is not as it has to be in the end.
    pub wrong: Vec<String>,
    /// What came of a rolling update.
    pub rolled: Option<Rolled>,
}

impl Report {
    /// What is not as it has to be; empty if all is well.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let Totals { failed, stale, wrong, improper, .. } = self.totals;
        let late = self.outcomes.iter().filter(|it| it.taken_over.is_some_and(|time| time > self.within));
        let mut found = self.wrong.clone();
        found.extend(self.rolled.as_ref().and_then(Rolled::violation));
        found.extend(late.map(|outcome| format!("nobody took over in time: {outcome}")));
        for (count, what) in [
            (self.lost, "acknowledged commands are lost"),
            (wrong, "answers were older than their token"),
            (improper, "refusals were no problems with Retry-After"),
            (if self.answers_always { failed } else { 0 }, "queries failed"),
            (
                if self.answers_always { stale } else { 0 },
                "queries were not answered in time with what they had to show",
            ),
        ] {
            if count > 0 {
                found.push(format!("{count} {what}"));
            }
        }
        if !found.is_empty() {
            found.extend(self.totals.examples.clone());
        }
        found
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, whom, taken_over, recovered } = self;
        let taken_over = taken_over.map_or(String::new(), |time| format!(" taken over in {}", seconds(time)));
        write!(f, "{fault} of {whom}:{taken_over} well again in {}", seconds(*recovered))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenario, broker, partitions, outcomes, totals, lost, rolled, .. } = self;
        let partitions = partitions.map_or(String::new(), |partitions| format!(", {partitions} partitions"));
        writeln!(f, "{scenario} ({broker}{partitions})")?;
        writeln!(
            f,
            "  {:<34} {:>5} {:>16} {:>8} {:>16} {:>8}",
            "", "times", "taken over p50", "max", "well again p50", "max"
        )?;
        let mut rows: BTreeMap<(&str, &str), [Vec<Duration>; 2]> = BTreeMap::new();
        for outcome in outcomes {
            let row = rows.entry((&outcome.fault, &outcome.whom)).or_default();
            row[0].extend(outcome.taken_over);
            row[1].push(outcome.recovered);
        }
        for ((fault, whom), [taken_over, recovered]) in rows {
            let times = recovered.len();
            let ([over, over_max], [again, again_max]) = (median_and_max(taken_over), median_and_max(recovered));
            let what = format!("{fault}, {whom}");
            writeln!(f, "  {what:<34} {times:>5} {over:>16} {over_max:>8} {again:>16} {again_max:>8}")?;
        }
        if let Some(rolled) = rolled {
            writeln!(f, "  releases  {rolled}")?;
        }
        let Totals { acknowledged, queries, by_other, failed, stale, wrong, refusals, improper, .. } = totals;
        writeln!(f, "  writes    {acknowledged} acknowledged, {lost} lost")?;
        writeln!(f, "  queries   {queries}, of which {by_other} by the other address; {failed} failed")?;
        writeln!(f, "  tokens    {wrong} answers older than theirs; {stale} not seen in time, and said so")?;
        write!(f, "  refusals  {refusals}, of which {improper} without a problem and Retry-After")
    }
}

fn median_and_max(mut times: Vec<Duration>) -> [String; 2] {
    times.sort_unstable();
    let told = |time: Option<&Duration>| time.map_or("-".to_owned(), |time| seconds(*time));
    [told(times.get(times.len() / 2)), told(times.last())]
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(answers_always: bool, taken_over: u64) -> Report {
        let outcome = Outcome {
            fault: "kill -9".to_owned(),
            whom: "projector-1".to_owned(),
            taken_over: Some(Duration::from_secs(taken_over)),
            recovered: Duration::from_secs(1),
        };
        Report {
            scenario: "a test".to_owned(),
            answers_always,
            within: Duration::from_secs(10),
            broker: "embedded".to_owned(),
            partitions: Some(12),
            outcomes: vec![outcome],
            totals: Totals::default(),
            lost: 0,
            wrong: Vec::new(),
            rolled: None,
        }
    }

    #[test]
    fn what_must_not_be_is_told() {
        assert!(report(true, 9).violations().is_empty());
        assert_eq!(report(true, 11).violations().len(), 1);
        let mut lossy = report(false, 9);
        (lossy.lost, lossy.totals.failed) = (2, 5);
        assert_eq!(lossy.violations(), ["2 acknowledged commands are lost"], "PostgreSQL is everybody's");
        lossy.totals.improper = 1;
        assert_eq!(lossy.violations().len(), 2);
    }

    #[test]
    fn the_table_has_a_row_for_each_fault_of_each_process() {
        let mut many = report(true, 3);
        many.outcomes.extend(report(true, 5).outcomes);
        let table = many.to_string();
        assert!(table.contains("kill -9, projector-1                   2           5.00 s   5.00 s"), "{table}");
    }
}
