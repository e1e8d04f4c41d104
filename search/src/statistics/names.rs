//! The names of the attributes in a tenant's columns as numbers that hold for all segments: a column's own
//! numbers differ from segment to segment, and looking a name up costs more than counting it.

use super::{IndexError, documents, text};
use crate::{columns, segments::Segments};
use schemas::ids::TenantId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tantivy::{DocId, SegmentReader, columnar::StrColumn, index::SegmentId};

/// Segments whose numbers are remembered; a busy writer makes new ones all the time.
const SEGMENTS: usize = 500;

/// Attribute names, numbered.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: HashMap<String, u32>,
    /// How many products have each.
    counts: Vec<u64>,
    /// For each segment that was asked for, the number of each of its column's.
    segments: Mutex<HashMap<SegmentId, Arc<[Option<u32>]>>>,
}

impl Names {
    /// Counts the names that a tenant's products have; and the products.
    pub(super) fn collect(segments: &Segments, tenant: TenantId) -> Result<(Self, u64), IndexError> {
        let term = segments.fields.tenant_term(tenant);
        let (mut names, mut total) = (Self::default(), 0);
        for segment in segments.searcher.segment_readers() {
            let Some(column) = segment.fast_fields().str("names")? else { continue };
            let mut of_segment: HashMap<u64, u64> = HashMap::new();
            documents(segment, &term, |doc| {
                total += 1;
                column.term_ords(doc).for_each(|ord| *of_segment.entry(ord).or_default() += 1);
            })?;
            for (ord, count) in of_segment {
                let next = u32::try_from(names.counts.len()).unwrap_or(u32::MAX);
                let number = *names.numbers.entry(text(&column, ord)?).or_insert(next);
                if number == next {
                    names.counts.push(0);
                }
                names.counts[number as usize] += count;
            }
        }
        Ok((names, total))
    }

    /// How many products have a name.
    pub(super) fn count(&self, number: u32) -> u64 {
        self.counts.get(number as usize).copied().unwrap_or(1)
    }

    /// The numbers of what a column's document has; names that have come since are left out.
    pub(super) fn numbers_of(
        &self,
        segment: &SegmentReader,
        column: &StrColumn,
        doc: DocId,
    ) -> Result<Vec<u32>, IndexError> {
        let numbers = self.numbers(segment.segment_id(), column)?;
        let number = |ord: u64| usize::try_from(ord).ok().and_then(|ord| numbers.get(ord).copied().flatten());
        Ok(column.term_ords(doc).filter_map(number).collect())
    }

    /// The number of each name of a segment, which may be one that a merge has made since.
    fn numbers(&self, segment: SegmentId, column: &StrColumn) -> Result<Arc<[Option<u32>]>, IndexError> {
        let lock = || self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&segment) {
            return Ok(Arc::clone(known));
        }
        let number = |name: &[u8]| std::str::from_utf8(name).ok().and_then(|name| self.numbers.get(name).copied());
        let numbers: Arc<[Option<u32>]> = columns::each_term(column.dictionary(), number)?.into();
        let mut segments = lock();
        if segments.len() >= SEGMENTS {
            segments.clear();
        }
        segments.insert(segment, Arc::clone(&numbers));
        Ok(numbers)
    }
}
