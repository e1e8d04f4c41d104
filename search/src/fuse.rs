//! Fusion of lexical and vector candidates: a convex combination of min-max normalised scores
//! (Bruch, Gai, Ingber: "An Analysis of Fusion Functions for Hybrid Retrieval", 2023).

use schemas::ids::ProductId;
use std::collections::HashMap;

/// Merges two candidate lists, each best first; a list's share is what its best candidate gets.
#[must_use]
pub fn convex(
    lexical: &[(ProductId, f32)],
    semantic: &[(ProductId, f32)],
    lexical_share: f32,
) -> Vec<(ProductId, f32)> {
    let mut scores: HashMap<ProductId, f32> = HashMap::new();
    for (list, share) in [(lexical, lexical_share), (semantic, 1.0 - lexical_share)] {
        for (id, score) in normalised(list) {
            *scores.entry(id).or_default() += share * score;
        }
    }
    let mut fused: Vec<_> = scores.into_iter().collect();
    fused.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
    fused
}

/// Scores between 0 (the worst of the list) and 1 (the best).
fn normalised(list: &[(ProductId, f32)]) -> impl Iterator<Item = (ProductId, f32)> + '_ {
    let best = list.iter().map(|(_, score)| *score).fold(f32::MIN, f32::max);
    let worst = list.iter().map(|(_, score)| *score).fold(f32::MAX, f32::min);
    let span = (best - worst).max(f32::EPSILON);
    list.iter().map(move |(id, score)| (*id, if best > worst { (score - worst) / span } else { 1.0 }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Uuid;

    #[test]
    fn what_both_sides_like_comes_first() {
        let id = |n| ProductId(Uuid::from_u128(n));
        let fused = convex(&[(id(1), 9.0), (id(2), 8.0), (id(3), 1.0)], &[(id(2), 0.9), (id(4), 0.8)], 0.5);
        assert_eq!(fused.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [id(2), id(1), id(3), id(4)]);
        assert!((fused[0].1 - 0.9375).abs() < 1e-6, "{fused:?}");
    }
}
