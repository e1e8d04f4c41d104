//! What the load has seen, counted.

use serde::Serialize;
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

/// Examples that are kept of one kind of trouble.
const EXAMPLES: usize = 3;

/// Counts, while the load goes on.
#[derive(Debug, Default)]
pub struct Seen {
    /// Commands that write-api has acknowledged.
    pub acknowledged: AtomicU64,
    /// Queries that were asked.
    pub queries: AtomicU64,
    /// Queries that the first address did not answer in time, or with a status from 500 on, and the other did.
    pub by_other: AtomicU64,
    /// Queries that neither address answered.
    pub failed: Trouble,
    /// Queries with a token that both addresses answered, and both said that they had not seen it.
    pub stale: Trouble,
    /// Queries with a token whose answer said that it was fresh, and was older.
    pub wrong: Trouble,
    /// Answers of either API that refuse for now.
    pub refusals: AtomicU64,
    /// Of those, what was no problem with a code and `Retry-After`.
    pub improper: Trouble,
}

/// Something that must not be: how often, and some examples.
#[derive(Debug, Default)]
pub struct Trouble {
    count: AtomicU64,
    examples: Mutex<Vec<String>>,
}

impl Trouble {
    /// Counts one.
    pub fn add(&self, example: impl FnOnce() -> String) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let mut examples = self.examples.lock().unwrap_or_else(PoisonError::into_inner);
        if examples.len() < EXAMPLES {
            examples.push(example());
        }
    }
}

/// The counts at the end, or at a moment.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Totals {
    /// Commands that write-api has acknowledged.
    pub acknowledged: u64,
    /// Queries that were asked.
    pub queries: u64,
    /// Queries that the other address answered.
    pub by_other: u64,
    /// Queries that neither address answered.
    pub failed: u64,
    /// Queries with a token that no address had seen in time; both said so.
    pub stale: u64,
    /// Answers that said they were fresh and were older than their token.
    pub wrong: u64,
    /// Answers that refuse for now.
    pub refusals: u64,
    /// Of those, what was no problem with a code and `Retry-After`.
    pub improper: u64,
    /// Examples of what must not be.
    pub examples: Vec<String>,
}

impl Seen {
    /// The counts now.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let now = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let mut examples = Vec::new();
        for (what, trouble) in
            [("failed", &self.failed), ("stale", &self.stale), ("wrong", &self.wrong), ("improper", &self.improper)]
        {
            let kept = trouble.examples.lock().unwrap_or_else(PoisonError::into_inner);
            examples.extend(kept.iter().map(|example| format!("{what}: {example}")));
        }
        Totals {
            acknowledged: now(&self.acknowledged),
            queries: now(&self.queries),
            by_other: now(&self.by_other),
            failed: now(&self.failed.count),
            stale: now(&self.stale.count),
            wrong: now(&self.wrong.count),
            refusals: now(&self.refusals),
            improper: now(&self.improper.count),
            examples,
        }
    }

    /// Counts an answer that refuses for now.
    pub fn refused(&self, status: u16, headers: &reqwest::header::HeaderMap, body: &[u8]) {
        self.refusals.fetch_add(1, Ordering::Relaxed);
        let is_problem = headers.get("content-type").is_some_and(|kind| kind == schemas::problem::MEDIA_TYPE);
        let has_code = serde_json::from_slice::<schemas::problem::Problem>(body).is_ok_and(|it| !it.code.is_empty());
        if !is_problem || !has_code || !headers.contains_key("retry-after") {
            self.improper.add(|| format!("{status} {headers:?} {}", String::from_utf8_lossy(body)));
        }
    }
}
