//! What an import came to.

use super::{repair::RepairCounts, wait::Waited};
use serde::{Deserialize, Serialize};
use std::{fmt::Write, path::PathBuf, time::Duration};

/// Lines by what became of them; `read` is their sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Lines read.
    pub read: u64,
    /// Products that are new.
    pub created: u64,
    /// Products whose content, price or stock is another one now.
    pub changed: u64,
    /// Products that were so already.
    pub unchanged: u64,
    /// Lines that did not get in, or not whole.
    pub rejected: u64,
    /// Lines that were left alone because of another one.
    pub not_tried: u64,
}

/// The end of an import.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Lines by what became of them, those of earlier runs of the same import included.
    #[serde(flatten)]
    pub counts: Counts,
    /// Lines an earlier run had settled.
    pub resumed_after: u64,
    /// Seconds this run took.
    pub seconds: f64,
    /// Lines this run settled per second.
    pub products_per_second: f64,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The file of rejected lines, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejects: Option<PathBuf>,
    /// What was repaired, by kind.
    pub repaired: RepairCounts,
    /// The file that lists it, before and after, if there is anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repairs: Option<PathBuf>,
    /// How long the read side took, if that was waited for.
    #[serde(flatten)]
    pub waited: Waited,
}

impl Report {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let counts = &self.counts;
        let mut text = format!(
            "{}{} lines in {}: {} created, {} changed, {} unchanged, {} rejected",
            if self.dry_run { "dry run, nothing written: " } else { "" },
            grouped(counts.read),
            duration(Duration::from_secs_f64(self.seconds)),
            grouped(counts.created),
            grouped(counts.changed),
            grouped(counts.unchanged),
            grouped(counts.rejected),
        );
        // Writing into a String can't fail, so the results below are let go.
        if counts.not_tried > 0 {
            let _ = write!(text, ", {} not tried", grouped(counts.not_tried));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is small and positive")]
        let rate = self.products_per_second.round() as u64;
        let _ = write!(text, "; {} products/s", grouped(rate));
        if self.resumed_after > 0 {
            let _ = write!(text, "\nthe first {} lines were settled by an earlier run", grouped(self.resumed_after));
        }
        if self.repaired.records > 0 {
            let _ = write!(text, "\n{}:", repaired(self.repaired.records));
            for (repair, values) in &self.repaired.values {
                let _ = write!(text, "\n  {:>8} {}", grouped(*values), repair.words());
            }
        }
        if let Some(path) = &self.repairs {
            let _ = write!(text, "\nbefore and after: {}", path.display());
        }
        if let Some(path) = &self.rejects {
            let _ = write!(text, "\nthe rejected lines and why: {}", path.display());
        }
        if let Some(ms) = self.waited.searchable_ms {
            let _ = write!(text, "\nall searchable {} after the last write", milliseconds(ms));
        }
        if self.waited.searchable_ms.is_none() && !self.dry_run && counts.created + counts.changed > 0 {
            text.push_str("\nall is written; the last of it becomes searchable after this (`souk status` shows what is on its way, --wait searchable waits)");
        }
        if let Some(vectors) = &self.waited.vectors {
            let _ = write!(text, "\n{vectors}");
        }
        text
    }
}

/// `12,345`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `8.4 s`, `3 min 5 s`.
#[must_use]
pub fn duration(time: Duration) -> String {
    match time.as_secs() {
        0..100 => format!("{:.1} s", time.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

fn milliseconds(ms: u64) -> String {
    if ms < 1_000 { format!("{ms} ms") } else { duration(Duration::from_millis(ms)) }
}

fn repaired(lines: u64) -> String {
    if lines == 1 { "1 line was repaired".to_owned() } else { format!("{} lines were repaired", grouped(lines)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::repair::Repair;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (19_406, "19,406"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    fn report() -> Report {
        Report {
            counts: Counts { read: 19_406, created: 19_400, rejected: 6, ..Counts::default() },
            resumed_after: 500,
            seconds: 8.0,
            products_per_second: 2_425.75,
            dry_run: false,
            rejects: Some("x.rejected.ndjson".into()),
            repairs: Some("x.repaired.ndjson".into()),
            repaired: RepairCounts { records: 31, values: [(Repair::Spaces, 1_031)].into() },
            waited: Waited { searchable_ms: Some(412), vectors: None },
        }
    }

    #[test]
    fn what_was_not_waited_for_is_said() {
        let says = |report: &Report| report.text().contains("--wait searchable");
        let hurried = || Report { waited: Waited::default(), ..report() };
        let idle = Report { counts: Counts { read: 3, unchanged: 3, ..Counts::default() }, ..hurried() };
        let dry = Report { dry_run: true, ..hurried() };
        let hurried = hurried();
        assert_eq!([&report(), &hurried, &idle, &dry].map(says), [false, true, false, false]);
    }

    #[test]
    fn the_summary_names_everything() {
        let report = report();
        let text = report.text();
        for part in [
            "19,406 lines in 8.0 s",
            "19,400 created",
            "6 rejected",
            "2,426 products/s",
            "first 500",
            "x.rejected",
            "31 lines were repaired",
            "1,031 freed of surplus space",
            "x.repaired",
            "412 ms",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let json = serde_json::to_value(&report).expect("JSON");
        assert_eq!((&json["read"], &json["searchable_ms"]), (&19_406.into(), &412.into()));
    }
}
