//! Products that staff pinned to places. They are hits like others: what they push aside moves down, and they count.

use super::by_ids;
use crate::{
    IndexError,
    query::{Hit, SearchRequest, Sort},
    reader::Snapshot,
};
use schemas::ids::ProductId;

/// Pinned products that pass the filters, by their places, which count from 1.
#[derive(Debug, Default)]
pub struct Pins(Vec<(usize, Hit)>);

impl Pins {
    /// Those of a request; none where another order was asked for.
    pub(super) fn of(snapshot: &Snapshot, request: &SearchRequest) -> Result<Self, IndexError> {
        let asked = &request.steering.pins;
        if asked.is_empty() || !matches!(request.sort, Sort::Relevance | Sort::Shelf) {
            return Ok(Self::default());
        }
        let ids: Vec<ProductId> = asked.iter().map(|(_, id)| *id).collect();
        let mut cards = by_ids(snapshot, request, &ids)?;
        let mut pins = Vec::with_capacity(cards.len());
        for (place, id) in asked {
            if let Some(found) = cards.iter().position(|hit| hit.card.id == *id) {
                pins.push((*place, Hit { pinned: true, ..cards.remove(found) }));
            }
        }
        pins.sort_by_key(|(place, _)| *place);
        Ok(Self(pins))
    }

    /// The products.
    pub fn ids(&self) -> Vec<ProductId> {
        self.0.iter().map(|(_, hit)| hit.card.id).collect()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Which of the other hits may stand on a page: how many before it, and how many on it.
    pub fn others(&self, offset: usize, limit: usize) -> (usize, usize) {
        let places: Vec<usize> = self.0.iter().map(|(place, _)| *place).collect();
        others(&places, offset, limit)
    }

    /// A page of all hits, made of those of the others that may stand on it; of the others there are so many.
    pub fn placed(&self, offset: usize, limit: usize, count: usize, hits: Vec<Hit>) -> Vec<Hit> {
        let asked: Vec<usize> = self.0.iter().map(|(place, _)| *place).collect();
        let places = places(&asked, count);
        let mut hits = hits.into_iter();
        let pinned = |place: usize| places.iter().position(|known| *known == place).and_then(|index| self.0.get(index));
        (offset + 1..=offset + limit)
            .map_while(|place| pinned(place).map(|(_, hit)| hit.clone()).or_else(|| hits.next()))
            .collect()
    }
}

/// See [`Pins::others`], with the places asked for, ascending.
fn others(places: &[usize], offset: usize, limit: usize) -> (usize, usize) {
    let before = places.iter().filter(|place| **place <= offset).count();
    let here = places.iter().filter(|place| (offset + 1..=offset + limit).contains(place)).count();
    (offset - before, limit - here)
}

/// Where pins stand among so many others: in the places asked for, or, behind the end, one after the other.
fn places(asked: &[usize], others: usize) -> Vec<usize> {
    asked.iter().enumerate().map(|(before, place)| (*place).min(others + before + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// A page of numbers: others count up from 0, pins down from -1.
    fn page(asked: &[usize], count: usize, offset: usize, limit: usize) -> Vec<i64> {
        let (skipped, most) = others(asked, offset, limit);
        let places = places(asked, count);
        let mut natural = (skipped..count).take(most).map(|other| other as i64);
        let pinned = |place: usize| places.iter().position(|known| *known == place).map(|index| -1 - index as i64);
        (offset + 1..=offset + limit).map_while(|place| pinned(place).or_else(|| natural.next())).collect()
    }

    proptest! {
        #[test]
        fn pages_of_any_size_hold_everything_once(asked in proptest::collection::btree_set(1..30_usize, 0..6), count in 0..20_usize, limit in 1..9_usize) {
            let asked: Vec<usize> = asked.into_iter().collect();
            let all = count + asked.len();
            let pages: Vec<i64> = (0..all + limit).step_by(limit).flat_map(|offset| page(&asked, count, offset, limit)).collect();
            prop_assert_eq!(&pages, &page(&asked, count, 0, all + 1), "as one page");
            prop_assert_eq!(pages.iter().collect::<BTreeSet<_>>().len(), all);
            prop_assert_eq!(pages.len(), all);
            for (index, place) in asked.iter().enumerate().filter(|(_, place)| **place <= count) {
                prop_assert_eq!(pages[place - 1], -1 - index as i64);
            }
        }
    }
}
