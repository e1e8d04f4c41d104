//! From which location each of the goods is sent. Pure, so that whoever knows the same levels comes to the same parcels.

use schemas::ids::VariantId;
use std::collections::{BTreeMap, BTreeSet};

/// Pieces that can be sold, by variant and location. What is below zero is missing there.
pub type Levels = BTreeMap<VariantId, BTreeMap<String, i64>>;

/// The location of each of the goods that some location in `order` keeps; others are left out.
///
/// The location that has the most of the goods whole sends those, then the one that has the most of the rest. So one that has
/// everything sends everything. What none has whole is sent from the location with the most pieces. Of equals the first in
/// `order` counts.
pub(super) fn locations<'a>(
    wanted: &BTreeMap<VariantId, i64>,
    levels: &Levels,
    order: &[&'a str],
) -> BTreeMap<VariantId, &'a str> {
    let there = |variant: &VariantId, location: &str| {
        let known = levels.get(variant).and_then(|levels| levels.get(location));
        known.copied().unwrap_or_default().max(0)
    };
    let is_kept = |variant: &VariantId| order.iter().any(|location| there(variant, location) > 0);
    let mut open: BTreeMap<VariantId, i64> =
        wanted.iter().filter(|(variant, _)| is_kept(variant)).map(|(variant, pieces)| (*variant, *pieces)).collect();
    let mut found = BTreeMap::new();
    loop {
        let whole = |location: &str| -> BTreeSet<VariantId> {
            let here = open.iter().filter(|(variant, pieces)| there(variant, location) >= **pieces);
            here.map(|(variant, _)| *variant).collect()
        };
        let Some((location, goods)) = first_with_most(order, whole, BTreeSet::len) else { break };
        open.retain(|variant, _| !goods.contains(variant));
        found.extend(goods.into_iter().map(|variant| (variant, location)));
    }
    for variant in open.into_keys() {
        let most = first_with_most(order, |location| there(&variant, location), |pieces| *pieces);
        found.extend(most.map(|(location, _)| (variant, location)));
    }
    found
}

/// The location with the most of something, and what it has; none if no location has any.
fn first_with_most<'a, T, N: Ord + Default>(
    order: &[&'a str],
    of: impl Fn(&str) -> T,
    count: impl Fn(&T) -> N,
) -> Option<(&'a str, T)> {
    // Of equals the last is taken, so the order is gone through from its end.
    let all = order.iter().rev().map(|location| (*location, of(location)));
    all.max_by_key(|(_, found)| count(found)).filter(|(_, found)| count(found) > N::default())
}
