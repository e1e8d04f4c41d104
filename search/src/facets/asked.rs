//! A facet on its way: how the engine is asked for it, and what its answer becomes.

use super::{Facet, FacetCounts, FacetOrder, FacetValue, MAX_FACET_VALUES, SEARCHED, tree};
use schemas::filter::Field;
use serde_json::{Value, json};

/// A facet with what has to be known to count it.
pub(super) struct Asked<'a> {
    pub facet: &'a Facet,
    pub column: String,
    /// The values of its field that are chosen, if it is filtered by values.
    pub chosen: Option<Vec<String>>,
    /// Whether it is counted by ranges.
    pub numeric: bool,
}

impl Asked<'_> {
    /// How the engine is asked for the values.
    pub fn terms(&self) -> Value {
        terms(&self.column, size(self.facet, self.chosen.is_some()))
    }

    /// Nothing counted yet.
    pub fn empty(&self) -> FacetCounts {
        let field = self.facet.field.to_string();
        FacetCounts { field, values: Vec::new(), others: 0, stats: None, ranges: Vec::new() }
    }

    /// The values as the engine has counted them.
    pub fn values(&self, counted: &Value) -> Vec<FacetValue> {
        let buckets = counted["buckets"].as_array().map(Vec::as_slice).unwrap_or_default();
        let read = |bucket: &Value| {
            let count = bucket["doc_count"].as_u64().unwrap_or_default();
            let value = value(&self.facet.field, bucket);
            FacetValue { value, count, selected: false, total_if_toggled: count, children: Vec::new() }
        };
        buckets.iter().map(read).collect()
    }

    /// The facet of what was counted over the hits themselves.
    pub fn counts(&self, counted: &Value) -> FacetCounts {
        let others = counted["sum_other_doc_count"].as_u64().unwrap_or_default();
        self.arranged(FacetCounts { others, values: self.values(counted), ..self.empty() })
    }

    /// In the order and number asked for.
    pub fn arranged(&self, mut counts: FacetCounts) -> FacetCounts {
        if self.facet.field == Field::Category {
            counts.values = tree::grow(counts.values, self.facet.limit as usize);
        } else {
            arrange(self.facet, &mut counts);
        }
        counts
    }
}

/// How many values the engine is asked for: all where some of them are looked for.
fn size(facet: &Facet, chosen: bool) -> u32 {
    let all = chosen || facet.search.is_some() || facet.field == Field::Category || facet.order != FacetOrder::Count;
    if all { SEARCHED } else { facet.limit.clamp(1, MAX_FACET_VALUES) }
}

/// The most frequent values of a column.
pub(super) fn terms(column: &str, size: u32) -> Value {
    json!({"terms": {"field": column, "size": size, "segment_size": size.max(100) * 2, "order": {"_count": "desc"}}})
}

/// A value as a filter names it.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Searches, orders and cuts the values of a facet.
fn arrange(facet: &Facet, counts: &mut FacetCounts) {
    if let Some(search) = &facet.search {
        let wanted = search.to_lowercase();
        counts.values.retain(|value| text(&value.value).to_lowercase().contains(wanted.trim()));
        counts.others = 0;
    }
    match &facet.order {
        FacetOrder::Count => counts.values.sort_by(|a, b| {
            (b.selected, b.count).cmp(&(a.selected, a.count)).then_with(|| text(&a.value).cmp(&text(&b.value)))
        }),
        FacetOrder::Value => counts.values.sort_by(|a, b| match (a.value.as_f64(), b.value.as_f64()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => text(&a.value).to_lowercase().cmp(&text(&b.value).to_lowercase()),
        }),
        FacetOrder::Listed(listed) => {
            let place = |value: &FacetValue| listed.iter().position(|listed| *listed == text(&value.value));
            counts.values.sort_by_key(|value| (place(value).unwrap_or(usize::MAX), std::cmp::Reverse(value.count)));
        }
    }
    let limit = facet.limit.clamp(1, MAX_FACET_VALUES) as usize;
    counts.others += counts.values.iter().skip(limit).map(|value| value.count).sum::<u64>();
    counts.values.truncate(limit);
}

/// Booleans come back as 0 and 1 with their text beside them.
fn value(field: &Field, bucket: &Value) -> Value {
    match bucket["key_as_string"].as_str() {
        Some(text @ ("true" | "false")) => Value::Bool(text == "true"),
        _ if *field == Field::Available => Value::Bool(bucket["key"].as_f64().is_some_and(|key| key > 0.5)),
        _ => bucket["key"].clone(),
    }
}
