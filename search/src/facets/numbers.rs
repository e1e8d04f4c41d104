//! Facets of numbers: what they amount to, and how many lie in each range.

use super::{Facet, FacetCounts, IndexError, RangeCount, Stats, aggregate_one};
use crate::reader::Snapshot;
use serde_json::{Map, Value, json};
use tantivy::query::Query;

/// Ranges that are made if none are asked for; there may be one or two more.
const STEPS: f64 = 8.0;

/// Fills in the figures of a facet over what matches but for the facet's own filter.
pub(super) fn count(
    snapshot: &Snapshot,
    facet: &Facet,
    column: &str,
    base: &dyn Query,
    counts: &mut FacetCounts,
) -> Result<(), IndexError> {
    let result = aggregate_one(snapshot, base, json!({"stats": {"field": column}}))?;
    let number = |name: &str| result[name].as_f64();
    let (Some(min), Some(max), Some(avg)) = (number("min"), number("max"), number("avg")) else { return Ok(()) };
    counts.stats = Some(Stats { min, max, avg, count: result["count"].as_u64().unwrap_or_default() });
    let ranges = if facet.ranges.is_empty() { even(min, max) } else { facet.ranges.clone() };
    let bounds: Vec<Value> = ranges
        .iter()
        .map(|(from, to)| {
            let mut range = Map::new();
            from.map(|from| range.insert("from".to_owned(), from.into()));
            to.map(|to| range.insert("to".to_owned(), to.into()));
            Value::Object(range)
        })
        .collect();
    let result = aggregate_one(snapshot, base, json!({"range": {"field": column, "ranges": bounds}}))?;
    let buckets = result["buckets"].as_array().map(Vec::as_slice).unwrap_or_default();
    counts.ranges = ranges
        .into_iter()
        .map(|(from, to)| {
            // The engine adds ranges of its own for what lies outside.
            let same = |bucket: &&Value| bucket["from"].as_f64() == from && bucket["to"].as_f64() == to;
            let count = buckets.iter().find(same).and_then(|bucket| bucket["doc_count"].as_u64());
            RangeCount { from, to, count: count.unwrap_or_default() }
        })
        .collect();
    Ok(())
}

/// Steps of 1, 2 or 5 times a power of ten that cover everything from the least to the greatest.
fn even(min: f64, max: f64) -> Vec<(Option<f64>, Option<f64>)> {
    let rough = ((max - min) / STEPS).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough).unwrap_or(rough);
    if !step.is_normal() || max <= min {
        return vec![(Some(min), None)];
    }
    let first = (min / step).floor();
    let mut ranges = Vec::new();
    let mut at = first;
    while at * step <= max && ranges.len() < 20 {
        ranges.push((Some(at * step), Some((at + 1.0) * step)));
        at += 1.0;
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn even_steps_cover_everything(min in -1e6..1e6_f64, span in 0.0..1e6_f64) {
            let ranges = even(min, min + span);
            prop_assert!((1..=12).contains(&ranges.len()));
            prop_assert!(ranges[0].0.is_some_and(|from| from <= min));
            prop_assert!(ranges.last().and_then(|last| last.1).is_none_or(|to| to > min + span));
        }
    }
}
