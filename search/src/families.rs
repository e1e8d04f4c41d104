//! Families: products that are one thing in several colours, sizes or editions, sold apart. A page's worth of
//! hits shows only so many of each, and the others go behind.
//!
//! Products of the same brand are of one family if their titles differ in few words (Jaccard's index of the
//! titles' terms), or if their part numbers are the same but for letters at the end (`LC51C`, `LC51M`). Both are
//! read from the products themselves; nothing is listed.

use crate::{
    analyzer,
    query::{HitCard, ScorePart},
};
use std::collections::BTreeSet;
use tantivy::tokenizer::TextAnalyzer;

/// Hits in a row of which only so many may be of one family.
pub const PAGE: usize = 10;
/// Least share of common terms among all terms of two titles.
const ALIKE: f64 = 0.6;
/// Least characters of a part number without the letters at its end.
const SHORTEST_STEM: usize = 3;

/// Which of the hits stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Where it stood before.
    pub index: usize,
    /// Whether others of its family stand in front of it that would have been behind it, or it behind others.
    pub behind: bool,
}

/// What explanations say of a hit that went behind.
#[must_use]
pub fn behind() -> ScorePart {
    ScorePart { part: "family: others like it come first, and this one further down".to_owned(), score: 0.0 }
}

/// The order in which hits stand so that among each [`PAGE`] of them, as far as there are others, at most `most`
/// are of one family; 0 leaves the order as it is. The analyzer is that of queries.
#[must_use]
pub fn spread(analyzer: TextAnalyzer, cards: &[&HitCard], most: usize) -> Vec<Place> {
    let families = if most == 0 { (0..cards.len()).collect() } else { families(analyzer, cards) };
    let mut left: Vec<usize> = (0..cards.len()).collect();
    let mut places = Vec::with_capacity(cards.len());
    while !left.is_empty() {
        let mut page: Vec<usize> = Vec::with_capacity(PAGE);
        let mut later = Vec::with_capacity(left.len());
        for index in left {
            let same = page.iter().filter(|other| families[**other] == families[index]).count();
            if page.len() < PAGE && (most == 0 || same < most) { page.push(index) } else { later.push(index) }
        }
        // Where there is nothing else, more of a family are better than a gap.
        let short = (PAGE - page.len()).min(later.len());
        page.extend(later.drain(..short));
        places.extend(page);
        left = later;
    }
    let behind = |(place, index): (usize, usize)| Place { index, behind: place > index };
    places.into_iter().enumerate().map(behind).collect()
}

/// Puts hits at their places, those beyond the places behind; `each` is told of those that went behind others.
pub fn arranged<T>(hits: Vec<T>, places: &[Place], mut each: impl FnMut(&mut T)) -> Vec<T> {
    let mut hits: Vec<Option<T>> = hits.into_iter().map(Some).collect();
    let mut all = Vec::with_capacity(hits.len());
    for place in places {
        if let Some(mut hit) = hits.get_mut(place.index).and_then(Option::take) {
            if place.behind {
                each(&mut hit);
            }
            all.push(hit);
        }
    }
    all.extend(hits.into_iter().flatten());
    all
}

/// For each product the index of the first of its family.
fn families(mut analyzer: TextAnalyzer, cards: &[&HitCard]) -> Vec<usize> {
    let traits: Vec<Traits> = cards.iter().map(|card| Traits::new(card, &mut analyzer)).collect();
    let mut families: Vec<usize> = Vec::with_capacity(cards.len());
    for (index, own) in traits.iter().enumerate() {
        // Only the first of a family is looked at: a chain of likenesses would join what is not alike.
        let first = (0..index).find(|other| families[*other] == *other && traits[*other].is_like(own));
        families.push(first.unwrap_or(index));
    }
    families
}

/// What tells a product's family.
struct Traits {
    brand: Option<String>,
    terms: BTreeSet<String>,
    stem: Option<String>,
}

impl Traits {
    fn new(card: &HitCard, analyzer: &mut TextAnalyzer) -> Self {
        Self {
            brand: card.brand.as_ref().map(|brand| brand.to_lowercase()),
            terms: analyzer::terms(analyzer, &card.title).into_iter().collect(),
            stem: card.part_number.as_deref().and_then(stem),
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        if self.brand != other.brand {
            return false;
        }
        if self.stem.is_some() && self.stem == other.stem {
            return true;
        }
        #[expect(clippy::cast_precision_loss, reason = "terms of a title")]
        let [common, all] =
            [self.terms.intersection(&other.terms).count(), self.terms.union(&other.terms).count()].map(|n| n as f64);
        all > 0.0 && common >= ALIKE * all
    }
}

/// A part number without the letters behind its last digit: they tell colours and editions apart.
fn stem(part_number: &str) -> Option<String> {
    let code = analyzer::code(part_number)?;
    let end = code.rfind(|c: char| c.is_ascii_digit())? + 1;
    (code[..end].chars().count() >= SHORTEST_STEM).then(|| code[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::SearchProduct;
    use proptest::prelude::*;
    use schemas::{Uuid, ids::ProductId};

    fn card(title: &str, brand: Option<&str>, part_number: Option<&str>) -> HitCard {
        let product = SearchProduct {
            title: title.to_owned(),
            brand: brand.map(str::to_owned),
            part_number: part_number.map(str::to_owned),
            ..SearchProduct::default()
        };
        HitCard::new(ProductId(Uuid::nil()), &product)
    }

    fn order(cards: &[HitCard], most: usize) -> Vec<usize> {
        let places = spread(analyzer::english_query(), &cards.iter().collect::<Vec<_>>(), most);
        places.into_iter().map(|place| place.index).collect()
    }

    #[test]
    fn colours_of_one_thing_make_room_for_others() {
        let shirt = |color| card(&format!("Plain cotton shirt with long sleeves {color}"), Some("Acme"), None);
        let mut cards: Vec<HitCard> = ["red", "blue", "green", "white"].into_iter().map(shirt).collect();
        cards.extend((0..9).map(|number| card(&format!("shirt{number}"), Some("Acme"), None)));
        assert_eq!(order(&cards, 2), [0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 2, 3, 12]);
        assert_eq!(order(&cards, 0), (0..13).collect::<Vec<_>>());
        // Behind others of the family there are only others of the family.
        assert_eq!(order(&cards[..4], 2), [0, 1, 2, 3]);
        let places = spread(analyzer::english_query(), &cards.iter().collect::<Vec<_>>(), 2);
        assert_eq!(places.iter().map(|place| place.behind).filter(|behind| *behind).count(), 2);
    }

    #[test]
    fn a_family_has_one_brand_and_nearly_one_title_or_part_number() {
        let one = |a: HitCard, b: HitCard| families(analyzer::english_query(), &[&a, &b]) == [0, 0];
        let ink = |color, brand, code| card(&format!("{color} ink"), Some(brand), Some(code));
        assert!(one(ink("Cyan", "Bolt", "LC-51C"), ink("Magenta", "Bolt", "LC51M")));
        assert!(!one(ink("Cyan", "Bolt", "LC-51C"), ink("Magenta", "Acme", "LC51M")));
        assert!(!one(ink("Cyan", "Bolt", "LC-51C"), ink("Magenta", "Bolt", "LC-61C")));
        assert!(one(card("Desk lamp brass, 40 cm", None, None), card("Desk lamp copper, 40 cm", None, None)));
        assert!(!one(card("Desk lamp", None, None), card("Floor lamp", None, None)));
        assert!(!one(card("", None, None), card("", None, None)));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_page_is_full_of_one_family_where_others_are_left(
            of in proptest::collection::vec(0..4_usize, 0..40), most in 1..5_usize,
        ) {
            let titles = ["red lamp", "oak table", "steel chair", "wool rug"];
            let cards: Vec<HitCard> = of.iter().map(|family| card(titles[*family], None, None)).collect();
            let order = order(&cards, most);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..cards.len()).collect::<Vec<_>>());
            for (page, rest) in order.chunks(PAGE).zip((1..).map(|page| order.iter().skip(page * PAGE))) {
                let count = |family: usize| page.iter().filter(|index| of[**index] == family).count();
                let full = (0..4).any(|family| count(family) > most);
                let waiting: Vec<usize> = rest.map(|index| of[*index]).collect();
                prop_assert!(!full || waiting.iter().all(|family| count(*family) >= most), "{page:?}");
            }
        }
    }
}
