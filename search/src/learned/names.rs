//! The names of the attributes in a tenant's columns as numbers that hold for all segments: a column's own
//! numbers differ from segment to segment, and looking a name up costs more than counting it.

use super::{IndexError, documents, text};
use crate::reader::Snapshot;
use schemas::ids::TenantId;
use std::collections::HashMap;
use tantivy::{DocId, SegmentReader, columnar::StrColumn, index::SegmentId};

/// Attribute names, numbered.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: HashMap<String, u32>,
    /// How many products have each.
    counts: Vec<u64>,
    /// For each segment known when this was learnt, the number of each of its column's.
    segments: HashMap<SegmentId, HashMap<u64, u32>>,
}

impl Names {
    /// Counts the names that a tenant's products have; and the products.
    pub(super) fn learn(snapshot: &Snapshot, tenant: TenantId) -> Result<(Self, u64), IndexError> {
        let term = snapshot.fields.tenant_term(tenant);
        let (mut names, mut total) = (Self::default(), 0);
        for segment in snapshot.searcher.segment_readers() {
            let Some(column) = segment.fast_fields().str("names")? else { continue };
            let mut of_segment: HashMap<u64, u64> = HashMap::new();
            documents(segment, &term, |doc| {
                total += 1;
                column.term_ords(doc).for_each(|ord| *of_segment.entry(ord).or_default() += 1);
            })?;
            let mut numbers = HashMap::with_capacity(of_segment.len());
            for (ord, count) in of_segment {
                let next = u32::try_from(names.counts.len()).unwrap_or(u32::MAX);
                let number = *names.numbers.entry(text(&column, ord)?).or_insert(next);
                if number == next {
                    names.counts.push(0);
                }
                names.counts[number as usize] += count;
                numbers.insert(ord, number);
            }
            names.segments.insert(segment.segment_id(), numbers);
        }
        Ok((names, total))
    }

    /// How many products have a name.
    pub(super) fn count(&self, number: u32) -> u64 {
        self.counts.get(number as usize).copied().unwrap_or(1)
    }

    /// The numbers of what a column's document has; names that have come since this was learnt are left out.
    pub(super) fn of(&self, segment: &SegmentReader, column: &StrColumn, doc: DocId) -> Result<Vec<u32>, IndexError> {
        let known = self.segments.get(&segment.segment_id());
        let number = |ord: u64| match known {
            Some(numbers) => Ok(numbers.get(&ord).copied()),
            None => text(column, ord).map(|name| self.numbers.get(&name).copied()),
        };
        column.term_ords(doc).filter_map(|ord| number(ord).transpose()).collect()
    }
}
