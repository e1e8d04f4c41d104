//! Facets of numbers: what they amount to, and how many lie in each range.

use crate::query::{Facet, FacetCounts, RangeCount, Stats};

/// Ranges that are made if none are asked for; there may be one or two more.
const STEPS: f64 = 8.0;

/// Fills in the figures of a facet over the numbers of what matches but for the facet's own filter.
///
/// A product may have several numbers; it is counted once in each range, however many of them lie in it.
pub(super) fn count(facet: &Facet, numbers: &[(usize, f64)], counts: &mut FacetCounts) {
    let Some((_, first)) = numbers.first() else { return };
    let (mut min, mut max, mut sum) = (*first, *first, 0.0);
    for (_, number) in numbers {
        (min, max, sum) = (min.min(*number), max.max(*number), sum + number);
    }
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
    let avg = sum / numbers.len() as f64;
    counts.stats = Some(Stats { min, max, avg, count: products(numbers.iter().map(|(product, _)| *product)) });
    let ranges = if facet.ranges.is_empty() { even(min, max) } else { facet.ranges.clone() };
    let lies_in = |number: f64, (from, to): (Option<f64>, Option<f64>)| {
        from.is_none_or(|from| number >= from) && to.is_none_or(|to| number < to)
    };
    counts.ranges = ranges
        .into_iter()
        .map(|(from, to)| {
            let inside = numbers.iter().filter(|(_, number)| lies_in(*number, (from, to)));
            RangeCount { from, to, count: products(inside.map(|(product, _)| *product)) }
        })
        .collect();
}

/// How many products there are in a list that has those of one product side by side.
fn products(list: impl Iterator<Item = usize>) -> u64 {
    let (mut count, mut last) = (0, None);
    for product in list {
        count += u64::from(last != Some(product));
        last = Some(product);
    }
    count
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
