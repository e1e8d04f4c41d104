//! What was measured, for people and as JSON.

use super::{
    Mode,
    metrics::{mean, percentile},
};
use serde::Serialize;
use std::fmt::Write;

/// The figures over all queries. The names are part of souk's contract.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Queries with at least one relevant product.
    pub queries: usize,
    /// How it was searched.
    pub mode: Mode,
    /// Mean NDCG@10; what nobody judged counts 0.
    pub ndcg_10: f64,
    /// Mean NDCG@10 without what nobody judged.
    pub condensed_ndcg_10: f64,
    /// Mean share of judged products in the top 10.
    pub judged_10: f64,
    /// Mean share of the relevant products in the top 100.
    pub recall_100: f64,
    /// Queries without any hit.
    pub zero_hits: usize,
    /// Median latency of the first page.
    pub p50_ms: f64,
    /// 99th percentile of it.
    pub p99_ms: f64,
}

/// The figures of one query.
#[derive(Debug, Clone, Serialize)]
pub struct QueryFigures {
    /// The query.
    pub query: String,
    /// NDCG@10.
    pub ndcg_10: f64,
    /// NDCG@10 without what nobody judged.
    pub condensed_ndcg_10: f64,
    /// Share of judged products in the top 10.
    pub judged_10: f64,
    /// Share of the relevant products in the top 100.
    pub recall_100: f64,
    /// Hits in all.
    pub hits: u64,
    /// Latency of the first page.
    pub ms: f64,
    /// The top 10.
    pub ranking: Vec<Ranked>,
}

/// A hit in its place.
#[derive(Debug, Clone, Serialize)]
pub struct Ranked {
    /// From 1.
    pub rank: u32,
    /// The id it was imported under.
    pub external_id: Option<String>,
    /// What people said, if anybody did.
    pub rating: Option<u32>,
    /// The name people read.
    pub title: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    figures: Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_query: Option<Vec<QueryFigures>>,
}

impl Report {
    pub(super) fn new(mode: Mode, queries: Vec<QueryFigures>, per_query: bool) -> Self {
        let figures = Figures {
            queries: queries.len(),
            mode,
            ndcg_10: mean(queries.iter().map(|query| query.ndcg_10)),
            condensed_ndcg_10: mean(queries.iter().map(|query| query.condensed_ndcg_10)),
            judged_10: mean(queries.iter().map(|query| query.judged_10)),
            recall_100: mean(queries.iter().map(|query| query.recall_100)),
            zero_hits: queries.iter().filter(|query| query.hits == 0).count(),
            p50_ms: percentile(queries.iter().map(|query| query.ms), 50),
            p99_ms: percentile(queries.iter().map(|query| query.ms), 99),
        };
        Self { figures, per_query: per_query.then_some(queries) }
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for query in self.per_query.iter().flatten() {
            query.write(&mut text);
        }
        let Figures { queries, mode, ndcg_10, condensed_ndcg_10, judged_10, recall_100, zero_hits, p50_ms, p99_ms } =
            &self.figures;
        // Writing into a String can't fail, so the result is let go.
        let _ = writeln!(
            text,
            "{queries} queries, mode {}\n  NDCG@10      {ndcg_10:.4}\n  condensed    {condensed_ndcg_10:.4}\n  \
             judged@10    {judged_10:.4}\n  recall@100   {recall_100:.4}\n  without hits {zero_hits}\n  \
             latency      p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms",
            mode.name(),
        );
        text
    }
}

impl QueryFigures {
    fn write(&self, text: &mut String) {
        // Writing into a String can't fail, so the results are let go.
        let _ = writeln!(
            text,
            "{}: NDCG@10 {:.4}, condensed {:.4}, recall@100 {:.4}, {} hits, {:.1} ms",
            self.query, self.ndcg_10, self.condensed_ndcg_10, self.recall_100, self.hits, self.ms
        );
        for hit in &self.ranking {
            let rating = hit.rating.map_or_else(|| "-".to_owned(), |rating| rating.to_string());
            let id = hit.external_id.as_deref().unwrap_or("?");
            let _ = writeln!(text, "  {:>2}. [{rating}] {id:<12} {}", hit.rank, hit.title);
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(ndcg_10: f64, hits: u64, ms: f64) -> QueryFigures {
        let ranking = vec![Ranked { rank: 1, external_id: Some("7".into()), rating: None, title: "A toner".into() }];
        let (condensed_ndcg_10, judged_10, recall_100) = (1.0, 0.5, 0.25);
        QueryFigures { query: "toner".into(), ndcg_10, condensed_ndcg_10, judged_10, recall_100, hits, ms, ranking }
    }

    #[test]
    fn the_json_has_the_keys_of_the_contract_and_no_others() {
        let report = Report::new(Mode::Lexical, vec![query(0.5, 3, 2.0), query(1.0, 0, 4.0)], false);
        let json = serde_json::to_value(&report).expect("JSON");
        let mut keys: Vec<_> = json.as_object().expect("an object").keys().cloned().collect();
        keys.sort();
        let mut expected = [
            "queries",
            "mode",
            "ndcg_10",
            "condensed_ndcg_10",
            "judged_10",
            "recall_100",
            "zero_hits",
            "p50_ms",
            "p99_ms",
        ];
        expected.sort_unstable();
        assert_eq!(keys, expected);
        assert_eq!((&json["mode"], &json["zero_hits"], &json["ndcg_10"]), (&"lexical".into(), &1.into(), &0.75.into()));
    }

    #[test]
    fn the_ranking_behind_each_query_is_shown_when_asked_for() {
        let text = Report::new(Mode::Hybrid, vec![query(0.5, 3, 2.0)], true).text();
        assert!(text.contains("1. [-] 7") && text.contains("mode hybrid"), "{text}");
    }
}
