//! Fusion of lexical and vector candidates: a convex combination of scores, each between what its kind
//! gives to a product that has nothing to do with the query, and the best of the list (Bruch, Gai, Ingber:
//! "An Analysis of Fusion Functions for Hybrid Retrieval", 2023). The least of a list is no such bound: it
//! moves with the number of candidates.

use crate::ranking::Ranking;
use schemas::ids::ProductId;
use std::collections::HashMap;

/// BM25 without a word in common.
const NO_WORD: f32 = 0.0;

/// A product of the merged list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The product.
    pub id: ProductId,
    /// The sum of its parts.
    pub score: f32,
    /// What each list gave it.
    pub parts: [f32; 2],
    /// What being of the kind that is meant gave it.
    pub kind: f32,
}

/// Merges two candidate lists, each best first; a list's share is what its best candidate gets. `unrelated` is
/// the cosine similarity of texts that have nothing to do with one another.
#[must_use]
pub fn convex(
    lexical: &[(ProductId, f32)],
    semantic: &[(ProductId, f32)],
    lexical_share: f32,
    unrelated: f32,
) -> Vec<Scored> {
    let mut parts: HashMap<ProductId, [f32; 2]> = HashMap::new();
    let lists = [(lexical, NO_WORD, lexical_share), (semantic, unrelated, 1.0 - lexical_share)];
    for (place, (list, nothing, share)) in lists.into_iter().enumerate() {
        for (id, score) in normalised(list, nothing) {
            parts.entry(id).or_default()[place] += share * score;
        }
    }
    let scored = |(id, parts): (ProductId, [f32; 2])| Scored { id, score: parts[0] + parts[1], parts, kind: 0.0 };
    let mut fused: Vec<Scored> = parts.into_iter().map(scored).collect();
    fused.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    fused
}

/// How far from nothing in common towards the same text the nearest product has to be, to be believed.
const NEAR: f32 = 1.0 / 3.0;

/// How much words and meaning are at odds, 0 to 1: 1 if none of the products nearest by meaning is among those the
/// words found, as where a shop calls notebooks what shoppers call laptops, and only bags say `laptop`. 0 if
/// nothing is near. Both lists are best first; `matched` is the share of the query's words that a hit had to have.
#[must_use]
pub fn gap(lexical: &[(ProductId, f32)], semantic: &[(ProductId, f32)], matched: f32, ranking: &Ranking) -> f32 {
    let nearest = &semantic[..semantic.len().min(ranking.neighbours)];
    let near = |(_, similarity): &(ProductId, f32)| {
        (similarity - ranking.unrelated) / (1.0 - ranking.unrelated).max(f32::EPSILON) >= NEAR
    };
    if ranking.gap <= 0.0 || !nearest.first().is_some_and(near) {
        return 0.0;
    }
    let words: HashMap<ProductId, f32> = normalised(lexical, NO_WORD).collect();
    let agreed: f32 = nearest.iter().filter_map(|(id, _)| words.get(id)).sum();
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    let agreed = matched * agreed / nearest.len() as f32;
    (1.0 - agreed / ranking.gap).max(0.0)
}

/// Scores between 0 and 1 (the best).
fn normalised(list: &[(ProductId, f32)], nothing: f32) -> impl Iterator<Item = (ProductId, f32)> + '_ {
    let best = list.iter().map(|(_, score)| *score).fold(f32::MIN, f32::max);
    let span = (best - nothing).max(f32::EPSILON);
    list.iter().map(move |(id, score)| (*id, ((score - nothing) / span).clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Uuid;

    #[test]
    fn words_and_meaning_are_at_odds_where_what_is_near_has_none_of_the_words() {
        let id = |n| ProductId(Uuid::from_u128(n));
        let ranking = Ranking { neighbours: 2, gap: 0.5, unrelated: 0.1, ..Ranking::default() };
        let words = [(id(1), 8.0), (id(2), 4.0)];
        let with = |near: &[(u128, f32)], matched| {
            gap(&words, &near.iter().map(|(n, score)| (id(*n), *score)).collect::<Vec<_>>(), matched, &ranking)
        };
        let of = |near: &[(u128, f32)]| with(near, 1.0);
        assert!((of(&[(3, 0.6), (4, 0.5), (1, 0.4)]) - 1.0).abs() < 1e-6, "neither of the two nearest");
        assert!((of(&[(2, 0.6), (4, 0.5)]) - 0.5).abs() < 1e-6, "one of them, with half of the best score");
        assert!(of(&[(1, 0.6), (2, 0.5)]).abs() < 1e-6, "both");
        assert!((with(&[(1, 0.6), (2, 0.5)], 0.5) - 0.25).abs() < 1e-6, "both, with half of the words");
        assert!(of(&[(3, 0.3), (4, 0.2)]).abs() < 1e-6, "nothing is near");
        assert!(of(&[]).abs() < 1e-6);
    }

    #[test]
    fn what_both_sides_like_comes_first() {
        let id = |n| ProductId(Uuid::from_u128(n));
        let fused = convex(&[(id(1), 9.0), (id(2), 8.0), (id(3), 1.0)], &[(id(2), 0.9), (id(4), 0.8)], 0.5, 0.2);
        assert_eq!(fused.iter().map(|scored| scored.id).collect::<Vec<_>>(), [id(2), id(1), id(4), id(3)]);
        assert!((fused[0].score - (0.5 * 8.0 / 9.0 + 0.5)).abs() < 1e-6, "{fused:?}");
    }
}
