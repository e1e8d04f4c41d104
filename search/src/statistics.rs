//! The statistics of a shop's catalog: its brands, categories, kinds of products and attribute values, and which
//! attributes go with which words. They are collected from the index, for each tenant apart, and anew when the
//! catalog has changed enough. No list is maintained by hand.

use crate::{IndexError, segments::Segments};
use cached::{Age, Cached};
use schemas::ids::TenantId;
use std::{
    cmp::Reverse,
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

/// Share of the shop's documents that may come or go before the statistics are collected anew.
const DRIFT: f64 = 0.02;
/// Share from which they are collected anew beforehand, without a search that asks.
const GROWN: f64 = 0.2;
/// Operations of the engine for each document of the index after which they are collected anew in any case, and the least of
/// them: about a tenth of the documents has changed then.
const CHANGED: f64 = 0.25;
const LEAST_CHANGED: u64 = 2_000;
/// Documents of a shop up to which a search may wait for the statistics: collecting them takes a moment.
const SMALL: u64 = 5_000;
/// Operations after which the documents of a large shop are counted again, for each of its documents.
const RECOUNTED: f64 = 0.01;
/// Words that are looked up again in the background before new statistics replace known ones.
const PREFETCHED: usize = 3_000;
/// Tenants whose statistics are kept.
const TENANTS: usize = 64;
/// Tenants whose statistics are collected beforehand.
const PREPARED: usize = 32;

/// The catalog statistics of each tenant, for the life of an open generation.
#[derive(Debug, Default)]
pub struct StatisticsCache {
    tenants: Mutex<Remembered>,
}

/// Tenants that are remembered, each with when it was needed last, by a clock that counts uses.
#[derive(Debug, Default)]
struct Remembered {
    clock: u64,
    tenants: HashMap<TenantId, (u64, Arc<Cached<CatalogStatistics>>)>,
}

impl Remembered {
    /// The statistics of a tenant, which are needed now. Where there is no room for another tenant, the one is
    /// forgotten that was not needed for the longest.
    fn of(&mut self, tenant: TenantId) -> Arc<Cached<CatalogStatistics>> {
        if self.tenants.len() >= TENANTS && !self.tenants.contains_key(&tenant) {
            let oldest = self.tenants.iter().min_by_key(|(_, (used, _))| *used).map(|(tenant, _)| *tenant);
            oldest.map(|oldest| self.tenants.remove(&oldest));
        }
        self.clock += 1;
        let (used, cached) = self.tenants.entry(tenant).or_default();
        *used = self.clock;
        Arc::clone(cached)
    }

    /// What is known of a tenant, however old; that somebody looks is no need.
    fn known(&self, tenant: TenantId) -> Option<Arc<CatalogStatistics>> {
        self.tenants.get(&tenant).and_then(|(_, cached)| cached.value())
    }
}

/// The statistics of one tenant's catalog.
#[derive(Debug)]
pub struct CatalogStatistics {
    operations: u64,
    /// All documents of the index then.
    all: u64,
    /// What they were judged to be last, and at which operation.
    judged: Mutex<(u64, Age)>,
    /// What words mean.
    pub vocabulary: Vocabulary,
    /// Which attributes go with which words.
    pub kinds: Kinds,
    /// How long its texts are and how rare its words.
    pub texts: TextStatistics,
}

impl StatisticsCache {
    fn cached(&self, tenant: TenantId) -> Arc<Cached<CatalogStatistics>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner).of(tenant)
    }

    /// The statistics of a tenant's catalog, as of this commit or one that differs little. Those of a large catalog
    /// that has changed are collected anew in the background; searches use the old ones meanwhile.
    ///
    /// # Errors
    /// The engine's.
    pub fn catalog(&self, segments: &Segments, tenant: TenantId) -> Result<Arc<CatalogStatistics>, IndexError> {
        let own = segments.clone();
        self.cached(tenant).get(
            |known| known.age(segments, tenant),
            move |known| CatalogStatistics::collect_after(&own, tenant, known.as_deref()),
        )
    }

    /// The tenants with large catalogs whose statistics are not known or are those of a catalog of another size, the
    /// largest first: a search of theirs would wait, or be answered by what is no longer so. While catalogs grow, those of a
    /// much smaller one serve; once they rest, none does.
    ///
    /// # Errors
    /// The engine's.
    pub fn due(&self, segments: &Segments, grow: bool) -> Result<Vec<TenantId>, IndexError> {
        let mut large = large(segments)?;
        for (many, tenant) in &mut large {
            // Without what was replaced and is not merged away yet.
            *many = segments.documents_of(*tenant)?;
        }
        let known = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = |(many, tenant): &(u64, TenantId)| {
            let known = known.known(*tenant);
            known.is_none_or(|known| known.drift(*many) > if grow { GROWN } else { DRIFT })
        };
        Ok(large.into_iter().filter(is_due).map(|(_, tenant)| tenant).collect())
    }

    /// Collects the statistics of a tenant's catalog anew, whatever is known of it. Searches use what they have meanwhile;
    /// one that has nothing waits.
    ///
    /// # Errors
    /// The engine's.
    pub fn prepare(&self, segments: &Segments, tenant: TenantId) -> Result<(), IndexError> {
        let make = |known: Option<Arc<_>>| CatalogStatistics::collect_after(segments, tenant, known.as_deref());
        self.cached(tenant).renewed(make)
    }

    /// Collects for one generation the statistics that others have of another one, with the words that were searched for.
    ///
    /// # Errors
    /// The engine's.
    pub fn collect_like(&self, segments: &Segments, others: &Self, tenant: TenantId) -> Result<(), IndexError> {
        let catalog = self.catalog(segments, tenant)?;
        let known = others.tenants.lock().unwrap_or_else(PoisonError::into_inner).known(tenant);
        known.map_or(Ok(()), |known| catalog.prefetch(segments, &known))
    }

    /// The tenants whose statistics it has.
    #[must_use]
    pub fn tenants(&self) -> Vec<TenantId> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner).tenants.keys().copied().collect()
    }
}

/// The tenants with large catalogs, with about how many documents each has, the largest first: those that are prepared for.
///
/// # Errors
/// The engine's.
pub fn large(segments: &Segments) -> Result<Vec<(u64, TenantId)>, IndexError> {
    let mut large: Vec<(u64, TenantId)> = segments.tenants()?.into_iter().filter(|(many, _)| *many > SMALL).collect();
    large.sort_unstable_by_key(|(many, _)| Reverse(*many));
    large.truncate(PREPARED);
    Ok(large)
}

impl CatalogStatistics {
    fn collect(segments: &Segments, tenant: TenantId) -> Result<Self, IndexError> {
        Ok(Self {
            operations: segments.operations,
            all: segments.searcher.num_docs(),
            judged: Mutex::new((segments.operations, Age::Fresh)),
            vocabulary: Vocabulary::collect(segments, tenant)?,
            kinds: Kinds::collect(segments, tenant)?,
            texts: TextStatistics::collect(segments, tenant)?,
        })
    }

    /// With the words that were looked up in what it replaces.
    fn collect_after(segments: &Segments, tenant: TenantId, known: Option<&Self>) -> Result<Self, IndexError> {
        let catalog = Self::collect(segments, tenant)?;
        known.map_or(Ok(()), |known| catalog.prefetch(segments, known))?;
        Ok(catalog)
    }

    fn prefetch(&self, segments: &Segments, known: &Self) -> Result<(), IndexError> {
        self.texts.prefetch(&segments.searcher, &known.texts)?;
        self.kinds.prefetch(segments, &known.kinds)
    }

    /// How far they are from the shop's catalog as it is. What other shops do moves them only by the renewal in the
    /// background that comes with many operations. An index that can't be read is found by the search itself.
    #[expect(clippy::cast_precision_loss, reason = "counts of documents")]
    fn age(&self, segments: &Segments, tenant: TenantId) -> Age {
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        let since = segments.operations.abs_diff(judged.0);
        let own = self.texts.documents();
        if since == 0 || (own > SMALL && (since as f64) < own as f64 * RECOUNTED) {
            return judged.1;
        }
        let documents = segments.documents_of(tenant).unwrap_or(own);
        let done = segments.operations.saturating_sub(self.operations);
        let rewritten = done >= LEAST_CHANGED && done as f64 >= self.all as f64 * CHANGED;
        let age = match self.drift(documents) > DRIFT {
            false if !rewritten => Age::Fresh,
            true if documents <= SMALL => Age::Expired,
            _ => Age::Stale,
        };
        *judged = (segments.operations, age);
        age
    }

    /// Share of the documents by which the catalog has grown or shrunk.
    #[expect(clippy::cast_precision_loss, reason = "counts of documents")]
    fn drift(&self, documents: u64) -> f64 {
        let own = self.texts.documents();
        documents.abs_diff(own) as f64 / (own as f64).max(1.0)
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

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Uuid;

    #[test]
    fn where_there_is_no_room_the_shop_is_forgotten_that_was_not_needed_for_the_longest() {
        let tenant = |number: usize| TenantId(Uuid::from_u128(number as u128));
        let mut remembered = Remembered::default();
        let first: Vec<_> = (0..TENANTS).map(|number| remembered.of(tenant(number))).collect();
        remembered.of(tenant(0));
        remembered.of(tenant(TENANTS));
        assert_eq!(remembered.tenants.len(), TENANTS);
        for number in (0..TENANTS).filter(|number| *number != 1) {
            assert!(Arc::ptr_eq(&first[number], &remembered.of(tenant(number))), "{number} was needed");
        }
        assert!(!remembered.tenants.contains_key(&tenant(1)));
    }
}
