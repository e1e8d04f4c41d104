//! A facet on its way: what is counted for it, and what becomes of that.

use super::{
    IndexError, Matched,
    tally::{Columns, text},
    tree,
};
use crate::{
    analyzer::folded,
    collation,
    query::{Facet, FacetCounts, FacetOrder, FacetValue, MAX_FACET_VALUES},
};
use schemas::filter::Field;

/// A facet with what has to be known to count it.
pub(super) struct Asked<'a> {
    pub facet: &'a Facet,
    pub columns: Columns,
    /// The values of its field that are chosen, if it is filtered by values.
    pub chosen: Option<Vec<String>>,
    /// Whether it is counted by ranges.
    pub numeric: bool,
}

impl Asked<'_> {
    /// Nothing counted yet.
    pub fn empty(&self) -> FacetCounts {
        let field = self.facet.field.to_string();
        FacetCounts { field, values: Vec::new(), others: 0, stats: None, ranges: Vec::new() }
    }

    /// The most frequent values, and how often all others occur.
    pub fn count(&self, matched: &Matched) -> Result<(Vec<FacetValue>, u64), IndexError> {
        let wanted = self.facet.search.as_ref().filter(|_| self.facet.field != Field::Category);
        let wanted = wanted.map(|search| folded(search.trim()));
        self.columns.count(matched, size(self.facet, self.chosen.is_some()), wanted.as_deref())
    }

    /// In the order and number asked for, counted over what matched.
    pub fn arranged(&self, mut counts: FacetCounts, base: &Matched) -> Result<FacetCounts, IndexError> {
        if self.facet.field == Field::Category {
            if let Some(search) = &self.facet.search {
                tree::keep(&mut counts.values, &folded(search.trim()));
            }
            counts.values = tree::grow(counts.values, self.facet.limit as usize);
            return Ok(counts);
        }
        arrange(self.facet, &mut counts);
        // A product with several of the others is one hit.
        if counts.others > 0 && self.columns.is_multiple() {
            let shown = counts.values.iter().map(|value| text(&value.value)).collect();
            counts.others = self.columns.beyond(base, &shown)?;
        }
        Ok(counts)
    }
}

/// How many values are needed: all where some of them are looked for.
fn size(facet: &Facet, chosen: bool) -> usize {
    let all = chosen || facet.search.is_some() || facet.field == Field::Category || facet.order != FacetOrder::Count;
    if all { usize::MAX } else { facet.limit.clamp(1, MAX_FACET_VALUES) as usize }
}

/// Orders and cuts the values of a facet.
fn arrange(facet: &Facet, counts: &mut FacetCounts) {
    match &facet.order {
        FacetOrder::Count => counts.values.sort_by(|a, b| {
            (b.selected, b.count).cmp(&(a.selected, a.count)).then_with(|| text(&a.value).cmp(&text(&b.value)))
        }),
        FacetOrder::Value => {
            counts.values.sort_by_cached_key(|value| collation::key(&text(&value.value)));
            // A stable sort leaves texts in their order, behind the numbers.
            counts.values.sort_by(|a, b| match (a.value.as_f64(), b.value.as_f64()) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                (a, b) => b.is_some().cmp(&a.is_some()),
            });
        }
        FacetOrder::Listed(listed) => {
            let place = |value: &FacetValue| listed.iter().position(|listed| *listed == text(&value.value));
            counts.values.sort_by_key(|value| (place(value).unwrap_or(usize::MAX), std::cmp::Reverse(value.count)));
        }
    }
    let limit = facet.limit.clamp(1, MAX_FACET_VALUES) as usize;
    counts.others += counts.values.iter().skip(limit).map(|value| value.count).sum::<u64>();
    counts.values.truncate(limit);
    if facet.search.is_some() {
        counts.others = 0;
    }
}
