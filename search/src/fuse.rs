//! Fusion of lexical and vector candidates: a convex combination of scores, each between what its kind
//! gives to a product that has nothing to do with the query, and the best of the list (Bruch, Gai, Ingber:
//! "An Analysis of Fusion Functions for Hybrid Retrieval", 2023). The least of a list is no such bound: it
//! moves with the number of candidates.

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
    let scored = |(id, parts): (ProductId, [f32; 2])| Scored { id, score: parts[0] + parts[1], parts };
    let mut fused: Vec<Scored> = parts.into_iter().map(scored).collect();
    fused.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    fused
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
    fn what_both_sides_like_comes_first() {
        let id = |n| ProductId(Uuid::from_u128(n));
        let fused = convex(&[(id(1), 9.0), (id(2), 8.0), (id(3), 1.0)], &[(id(2), 0.9), (id(4), 0.8)], 0.5, 0.2);
        assert_eq!(fused.iter().map(|scored| scored.id).collect::<Vec<_>>(), [id(2), id(1), id(4), id(3)]);
        assert!((fused[0].score - (0.5 * 8.0 / 9.0 + 0.5)).abs() < 1e-6, "{fused:?}");
    }
}
