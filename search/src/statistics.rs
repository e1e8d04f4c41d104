//! The statistics of a shop's catalog: its brands, categories, kinds of products and attribute values, and which
//! attributes go with which words. They are collected from the index, for each tenant apart, and anew when the
//! catalog has changed enough. No list is maintained by hand.

use crate::{IndexError, segments::Segments};
use cached::{Age, Cached};
use schemas::ids::TenantId;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};
use tantivy::{DocSet, SegmentReader, TERMINATED, Term, columnar::StrColumn, schema::IndexRecordOption};

mod cached;
mod kinds;
mod names;
mod texts;
mod vocabulary;

pub use kinds::{Kinds, Profile};
pub use texts::TextStatistics;
pub use vocabulary::{Meaning, Vocabulary};

/// Share of the documents that may come or go before the statistics are collected anew.
const DRIFT: f64 = 0.02;
/// Share above which nobody is answered by what was known before.
const EXPIRED: f64 = 0.2;
/// Operations of the engine for each document after which they are collected anew in any case, and the least of them: about
/// a tenth of the documents has changed then.
const CHANGED: f64 = 0.25;
const LEAST_CHANGED: u64 = 2_000;
/// Documents of an index up to which a search may wait for the statistics: collecting them takes a moment.
const SMALL: u64 = 5_000;
/// Words that are looked up again in the background before new statistics replace known ones.
const PREFETCHED: usize = 3_000;
/// Tenants whose statistics are kept.
const TENANTS: usize = 64;

/// The catalog statistics of each tenant, for the life of an open generation.
#[derive(Debug, Default)]
pub struct StatisticsCache {
    tenants: Mutex<HashMap<TenantId, Arc<Cached<CatalogStatistics>>>>,
}

/// The statistics of one tenant's catalog.
#[derive(Debug)]
pub struct CatalogStatistics {
    documents: u64,
    operations: u64,
    /// What words mean.
    pub vocabulary: Vocabulary,
    /// Which attributes go with which words.
    pub kinds: Kinds,
    /// How long its texts are and how rare its words.
    pub texts: TextStatistics,
}

impl StatisticsCache {
    /// The statistics of a tenant's catalog, as of this commit or one that differs little. Those of a large catalog
    /// that has changed are collected anew in the background; searches use the old ones meanwhile.
    ///
    /// # Errors
    /// The engine's.
    pub fn catalog(&self, segments: &Segments, tenant: TenantId) -> Result<Arc<CatalogStatistics>, IndexError> {
        let cached = {
            let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
            if tenants.len() >= TENANTS && !tenants.contains_key(&tenant) {
                tenants.clear();
            }
            Arc::clone(tenants.entry(tenant).or_default())
        };
        let (documents, operations, own) = (segments.searcher.num_docs(), segments.operations, segments.clone());
        cached.get(
            move |known| known.age(documents, operations),
            move |known| {
                let catalog = CatalogStatistics::collect(&own, tenant)?;
                known.map_or(Ok(()), |known| catalog.prefetch(&own, &known))?;
                Ok(catalog)
            },
        )
    }

    /// Collects for one generation the statistics that others have of another one, with the words that were searched for.
    ///
    /// # Errors
    /// The engine's.
    pub fn collect_like(&self, segments: &Segments, others: &Self, tenant: TenantId) -> Result<(), IndexError> {
        let catalog = self.catalog(segments, tenant)?;
        let known = others.tenants.lock().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned();
        known.and_then(|known| known.value()).map_or(Ok(()), |known| catalog.prefetch(segments, &known))
    }

    /// The tenants whose statistics it has.
    #[must_use]
    pub fn tenants(&self) -> Vec<TenantId> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }
}

impl CatalogStatistics {
    fn collect(segments: &Segments, tenant: TenantId) -> Result<Self, IndexError> {
        Ok(Self {
            documents: segments.searcher.num_docs(),
            operations: segments.operations,
            vocabulary: Vocabulary::collect(segments, tenant)?,
            kinds: Kinds::collect(segments, tenant)?,
            texts: TextStatistics::collect(segments, tenant)?,
        })
    }

    fn prefetch(&self, segments: &Segments, known: &Self) -> Result<(), IndexError> {
        self.texts.prefetch(&segments.searcher, &known.texts)?;
        self.kinds.prefetch(segments, &known.kinds)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of documents")]
    fn age(&self, documents: u64, operations: u64) -> Age {
        let drift = documents.abs_diff(self.documents) as f64 / (self.documents as f64).max(1.0);
        let done = operations.saturating_sub(self.operations);
        if drift <= DRIFT && (done < LEAST_CHANGED || (done as f64) < self.documents as f64 * CHANGED) {
            Age::Fresh
        } else if documents > SMALL && drift <= EXPIRED {
            Age::Stale
        } else {
            Age::Expired
        }
    }
}

/// Words that were looked up, so that they can be looked up again.
fn remembered<K: Clone, V>(known: &Mutex<HashMap<K, V>>) -> Vec<K> {
    known.lock().unwrap_or_else(PoisonError::into_inner).keys().take(PREFETCHED).cloned().collect()
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
fn counts(segments: &Segments, tenant: TenantId, column: &str) -> Result<BTreeMap<String, u64>, IndexError> {
    let term = segments.fields.tenant_term(tenant);
    let mut counts = BTreeMap::new();
    for segment in segments.searcher.segment_readers() {
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
