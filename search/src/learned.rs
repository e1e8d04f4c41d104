//! What a shop's catalog teaches: its brands, categories, kinds and attribute values, and which attributes go
//! with which words. Learnt from the index by code, for each tenant apart, and anew when the catalog has
//! changed enough; nothing of it is written down by hand.

use crate::{IndexError, reader::Snapshot};
use kept::{Age, Kept};
use schemas::ids::TenantId;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};
use tantivy::{DocSet, SegmentReader, TERMINATED, Term, columnar::StrColumn, schema::IndexRecordOption};

mod kept;
mod kinds;
mod names;
mod statistics;
mod vocabulary;

pub use kinds::{Kinds, Profile};
pub use statistics::Statistics;
pub use vocabulary::{Meaning, Vocabulary};

/// Share of the documents that may come or go before a catalog is learnt anew.
const DRIFT: f64 = 0.02;
/// Share above which nobody is answered by what was known before.
const OUTGROWN: f64 = 0.2;
/// Operations of the engine for each document after which it is learnt anew in any case, and the least of them: about
/// a tenth of the documents has changed then.
const CHANGED: f64 = 0.25;
const LEAST_CHANGED: u64 = 2_000;
/// Documents of an index up to which a search may wait for lessons: they are learnt in a moment.
const SMALL: u64 = 5_000;
/// Words that are looked up again in the background before new lessons replace known ones.
const RECALLED: usize = 3_000;
/// Tenants that are remembered.
const TENANTS: usize = 64;

/// What was learnt, for the life of an open generation.
#[derive(Debug, Default)]
pub struct Learned {
    tenants: Mutex<HashMap<TenantId, Arc<Kept<Lessons>>>>,
}

/// What was learnt of one tenant.
#[derive(Debug)]
pub struct Lessons {
    documents: u64,
    operations: u64,
    /// What words mean.
    pub vocabulary: Vocabulary,
    /// Which attributes go with which words.
    pub kinds: Kinds,
    /// How long its texts are and how rare its words.
    pub statistics: Statistics,
}

impl Learned {
    /// The lessons of a tenant, as of this snapshot or one that differs little. A large catalog that has changed is
    /// learnt anew in the background, while searches go by what was known.
    ///
    /// # Errors
    /// The engine's.
    pub fn of(&self, snapshot: &Snapshot, tenant: TenantId) -> Result<Arc<Lessons>, IndexError> {
        let kept = {
            let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
            if tenants.len() >= TENANTS && !tenants.contains_key(&tenant) {
                tenants.clear();
            }
            Arc::clone(tenants.entry(tenant).or_default())
        };
        let (documents, operations, own) = (snapshot.searcher.num_docs(), snapshot.operations, snapshot.clone());
        kept.get(
            move |known| known.age(documents, operations),
            move |known| {
                let lessons = Lessons::learn(&own, tenant)?;
                known.map_or(Ok(()), |known| lessons.recall(&own, &known))?;
                Ok(lessons)
            },
        )
    }

    /// Learns of a snapshot what others know of another one: their tenants, and the words that were searched for.
    ///
    /// # Errors
    /// The engine's.
    pub fn learn_like(&self, snapshot: &Snapshot, others: &Self, tenant: TenantId) -> Result<(), IndexError> {
        let lessons = self.of(snapshot, tenant)?;
        let known = others.tenants.lock().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned();
        known.and_then(|known| known.value()).map_or(Ok(()), |known| lessons.recall(snapshot, &known))
    }

    /// The tenants it knows something of.
    #[must_use]
    pub fn tenants(&self) -> Vec<TenantId> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }
}

impl Lessons {
    fn learn(snapshot: &Snapshot, tenant: TenantId) -> Result<Self, IndexError> {
        Ok(Self {
            documents: snapshot.searcher.num_docs(),
            operations: snapshot.operations,
            vocabulary: Vocabulary::learn(snapshot, tenant)?,
            kinds: Kinds::learn(snapshot, tenant)?,
            statistics: Statistics::learn(snapshot, tenant)?,
        })
    }

    fn recall(&self, snapshot: &Snapshot, known: &Self) -> Result<(), IndexError> {
        self.statistics.recall(&snapshot.searcher, &known.statistics)?;
        self.kinds.recall(snapshot, &known.kinds)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of documents")]
    fn age(&self, documents: u64, operations: u64) -> Age {
        let drift = documents.abs_diff(self.documents) as f64 / (self.documents as f64).max(1.0);
        let done = operations.saturating_sub(self.operations);
        if drift <= DRIFT && (done < LEAST_CHANGED || (done as f64) < self.documents as f64 * CHANGED) {
            Age::Fresh
        } else if documents > SMALL && drift <= OUTGROWN {
            Age::Worn
        } else {
            Age::Outgrown
        }
    }
}

/// Words that were looked up, so that they can be looked up again.
fn remembered<K: Clone, V>(known: &Mutex<HashMap<K, V>>) -> Vec<K> {
    known.lock().unwrap_or_else(PoisonError::into_inner).keys().take(RECALLED).cloned().collect()
}

/// Calls `each` with every live document of a segment that holds a term.
fn documents(segment: &SegmentReader, term: &Term, mut each: impl FnMut(u32)) -> Result<(), IndexError> {
    let inverted = segment.inverted_index(term.field())?;
    let Some(mut postings) = inverted.read_postings(term, IndexRecordOption::Basic)? else { return Ok(()) };
    let alive = segment.alive_bitset();
    while postings.doc() != TERMINATED {
        if alive.is_none_or(|alive| alive.is_alive(postings.doc())) {
            each(postings.doc());
        }
        postings.advance();
    }
    Ok(())
}

/// How many of a tenant's documents have each value of a text column.
fn counts(snapshot: &Snapshot, tenant: TenantId, column: &str) -> Result<BTreeMap<String, u64>, IndexError> {
    let term = snapshot.fields.tenant_term(tenant);
    let mut counts = BTreeMap::new();
    for segment in snapshot.searcher.segment_readers() {
        let Some(values) = segment.fast_fields().str(column)? else { continue };
        let mut of_segment: HashMap<u64, u64> = HashMap::new();
        documents(segment, &term, |doc| {
            values.term_ords(doc).for_each(|ord| *of_segment.entry(ord).or_default() += 1);
        })?;
        for (ord, count) in of_segment {
            *counts.entry(text(&values, ord)?).or_default() += count;
        }
    }
    Ok(counts)
}

fn text(column: &StrColumn, ord: u64) -> Result<String, IndexError> {
    let mut text = String::new();
    column.ord_to_str(ord, &mut text)?;
    Ok(text)
}
