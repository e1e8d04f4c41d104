//! The queries of a comparison: from a file, from judgments, or those that shoppers asked most.

use super::options::Args;
use crate::{context::CommandContext, failure::Failure};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// A query, with what people said of products if anybody did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judged {
    /// The query.
    pub text: String,
    /// Id it was imported under to rating, 0 irrelevant to 3 exact.
    pub ratings: HashMap<String, u32>,
}

#[derive(Deserialize)]
struct Row {
    query: String,
    product_id: String,
    rating: u32,
}

impl Judged {
    /// NDCG@10 of a ranking: gain 2^rating - 1, discount log2(rank + 1), against the judged products at their best; what
    /// nobody judged counts 0. None where nobody judged a relevant product.
    pub fn ndcg<'a>(&self, ranking: impl Iterator<Item = &'a str>) -> Option<f64> {
        let mut ideal: Vec<u32> = self.ratings.values().copied().collect();
        ideal.sort_unstable_by(|a, b| b.cmp(a));
        let best = dcg(ideal.into_iter());
        (best > 0.0).then(|| dcg(ranking.map(|id| self.ratings.get(id).copied().unwrap_or_default())) / best)
    }
}

fn dcg(ratings: impl Iterator<Item = u32>) -> f64 {
    let gain = |rating: u32, rank: u32| (f64::from(rating).exp2() - 1.0) / f64::from(rank + 1).log2();
    ratings.take(10).zip(1..).fold(0.0, |sum, (rating, rank)| sum + gain(rating, rank))
}

/// Gathers the queries.
///
/// # Errors
/// If a file can't be read, or there is no query at all.
pub async fn gather(context: &CommandContext, args: &Args) -> Result<Vec<Judged>, Failure> {
    let mut queries: BTreeMap<String, Judged> = BTreeMap::new();
    let plain = |text: String| Judged { text, ..Judged::default() };
    if let Some(file) = &args.judgments {
        let failed = |error: csv::Error| Failure::File(file.clone(), error.to_string());
        for row in csv::Reader::from_path(file).map_err(failed)?.deserialize() {
            let Row { query, product_id, rating } = row.map_err(failed)?;
            queries.entry(query.clone()).or_insert_with(|| plain(query)).ratings.insert(product_id, rating);
        }
    }
    if let Some(file) = &args.queries {
        let text = std::fs::read_to_string(file).map_err(|error| Failure::File(file.clone(), error.to_string()))?;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            queries.entry(line.to_owned()).or_insert_with(|| plain(line.to_owned()));
        }
    }
    if queries.is_empty() {
        let asked: Vec<String> = sqlx::query_scalar(
            "SELECT query FROM insight_queries WHERE tenant_id = (SELECT id FROM tenants WHERE slug = $1)
               AND day > current_date - 30 AND query <> ''
             GROUP BY query ORDER BY sum(searches) DESC, query LIMIT $2",
        )
        .bind(&args.tenant)
        .bind(i64::try_from(args.limit).unwrap_or(i64::MAX))
        .fetch_all(&context.pool)
        .await?;
        queries.extend(asked.into_iter().map(|text| (text.clone(), plain(text))));
    }
    if queries.is_empty() {
        return Err(Failure::refused(
            "no_queries",
            format!("nobody has searched in {} of late; give --queries or --judgments", args.tenant),
        ));
    }
    Ok(queries.into_values().take(args.limit).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ideal_ranking_has_one() {
        let ratings = HashMap::from([("a".to_owned(), 3), ("b".to_owned(), 1)]);
        let judged = Judged { text: "q".to_owned(), ratings };
        assert_eq!(judged.ndcg(["a", "b"].into_iter()), Some(1.0));
        assert!(judged.ndcg(["b", "x", "a"].into_iter()).is_some_and(|found| found < 0.7));
        assert_eq!(Judged::default().ndcg(["a"].into_iter()), None);
    }
}
