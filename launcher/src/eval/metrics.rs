//! The metrics, as the README beside the judgments defines them.

use std::collections::HashMap;

/// One query's ranking in ratings: `None` where nobody judged.
pub(super) struct Ranking {
    ratings: Vec<Option<u32>>,
    /// All ratings of the query, best first.
    ideal: Vec<u32>,
}

impl Ranking {
    /// The ranking as ids, best first, and the query's ratings.
    pub(super) fn new(ids: &[&str], judged: &HashMap<String, u32>) -> Self {
        let mut ideal: Vec<u32> = judged.values().copied().collect();
        ideal.sort_unstable_by(|a, b| b.cmp(a));
        Self { ratings: ids.iter().map(|id| judged.get(*id).copied()).collect(), ideal }
    }

    /// NDCG@10; what nobody judged counts 0.
    pub(super) fn ndcg_10(&self) -> f64 {
        self.ndcg(self.ratings.iter().map(|rating| rating.unwrap_or(0)))
    }

    /// NDCG@10 of the top 200 without what nobody judged.
    pub(super) fn condensed_ndcg_10(&self) -> f64 {
        self.ndcg(self.ratings.iter().take(200).flatten().copied())
    }

    /// The share of judged products in the top 10; an empty place is not judged.
    pub(super) fn judged_10(&self) -> f64 {
        share(self.ratings.iter().take(10).flatten().count(), 10)
    }

    /// The share of the relevant products (rated above 0) that are in the top 100.
    pub(super) fn recall_100(&self) -> f64 {
        let found = self.ratings.iter().take(100).flatten().filter(|rating| **rating > 0).count();
        share(found, self.ideal.iter().filter(|rating| **rating > 0).count())
    }

    fn ndcg(&self, ratings: impl Iterator<Item = u32>) -> f64 {
        let ideal = dcg_10(self.ideal.iter().copied());
        if ideal > 0.0 { dcg_10(ratings) / ideal } else { 0.0 }
    }
}

/// Discounted cumulative gain of the top 10: gain 2^rating - 1, discount log2(rank + 1).
fn dcg_10(ratings: impl Iterator<Item = u32>) -> f64 {
    let gain = |rating: u32, rank: u32| (f64::from(rating).exp2() - 1.0) / f64::from(rank + 1).log2();
    ratings.take(10).zip(1..).fold(0.0, |sum, (rating, rank)| sum + gain(rating, rank))
}

#[expect(clippy::cast_precision_loss, reason = "at most a few hundred")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The mean; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "at most a few hundred")]
pub(super) fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len();
    if count == 0 { 0.0 } else { values.sum::<f64>() / count as f64 }
}

/// The smallest value that at least `percent` of all values do not exceed (nearest rank).
pub(super) fn percentile(values: impl Iterator<Item = f64>, percent: usize) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranking(ids: &[&str], judged: &[(&str, u32)]) -> Ranking {
        Ranking::new(ids, &judged.iter().map(|(id, rating)| ((*id).to_owned(), *rating)).collect())
    }

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-9, "{left} is not {right}");
    }

    #[test]
    fn the_figures_are_those_computed_by_hand() {
        // Ratings in rank order: 1, not judged, 3, 0; relevant but not found: one rated 2.
        let ranking = ranking(&["a", "x", "b", "c"], &[("a", 1), ("b", 3), ("c", 0), ("d", 2)]);
        // Gains: 1 at log2(2) = 1, 7 at log2(4) = 2. Ideal: 7, 3, 1 at 1, log2(3), 2.
        let ideal = 7.0 + 3.0 / 3_f64.log2() + 1.0 / 2.0;
        close(ranking.ndcg_10(), (1.0 + 7.0 / 2.0) / ideal);
        // Condensed: 1, 3, 0.
        close(ranking.condensed_ndcg_10(), (1.0 + 7.0 / 3_f64.log2()) / ideal);
        close(ranking.judged_10(), 0.3);
        close(ranking.recall_100(), 2.0 / 3.0);
    }

    #[test]
    fn the_ideal_ranking_is_one_and_no_hit_is_nothing() {
        let judged = [("a", 3), ("b", 2), ("c", 1), ("d", 0)];
        let best = ranking(&["a", "b", "c", "d"], &judged);
        close(best.ndcg_10(), 1.0);
        close(best.condensed_ndcg_10(), 1.0);
        close(best.recall_100(), 1.0);
        let none = ranking(&[], &judged);
        close(none.ndcg_10() + none.condensed_ndcg_10() + none.judged_10() + none.recall_100(), 0.0);
    }

    #[test]
    fn the_cuts_are_at_10_100_and_200() {
        let ids: Vec<String> = (0..300).map(|id| format!("x{id}")).collect();
        let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        ids[10] = "eleventh";
        ids[100] = "after a hundred";
        ids[200] = "after two hundred";
        let all = [("eleventh", 3), ("after a hundred", 3), ("after two hundred", 3)];
        let ranking = ranking(&ids, &all);
        close(ranking.ndcg_10(), 0.0);
        close(ranking.recall_100(), 1.0 / 3.0);
        let ideal = 7.0 + 7.0 / 3_f64.log2() + 7.0 / 2.0;
        close(ranking.condensed_ndcg_10(), (7.0 + 7.0 / 3_f64.log2()) / ideal);
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values = || (1..=100).map(f64::from);
        close(percentile(values(), 50), 50.0);
        close(percentile(values(), 99), 99.0);
        close(percentile([7.0].into_iter(), 50), 7.0);
        close(mean([1.0, 2.0].into_iter()), 1.5);
    }
}
