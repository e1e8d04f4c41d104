//! How hits are ranked: the settings of a generation, an experiment or a request.

use serde::{Deserialize, Serialize};

/// Ranking settings; docs/notes/relevance.md says how they were found and what each is worth. A setting that a
/// manifest doesn't name has its default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ranking {
    /// BM25's saturation: how soon another occurrence of a word counts for little (Robertson and Zaragoza:
    /// "The Probabilistic Relevance Framework", 2009).
    pub k1: f32,
    /// BM25's length normalisation, 0 (none) to 1.
    pub b: f32,
    /// What it is worth when the title holds all words of the query; of some, their share by rarity.
    pub title_boost: f32,
    /// What it is worth when the title holds the query's words one after another; the share of the pairs
    /// that do.
    pub phrase_boost: f32,
    /// Weight of an attribute's value beside a word of the text.
    pub attribute_weight: f32,
    /// Weight of a synonym beside the word that was typed.
    pub synonym_weight: f32,
    /// Weight of how well a product's kind fits the query's words; see [`crate::lexical`].
    pub kind_boost: f32,
    /// How many of the best hits are put in order again by kind and business signals.
    pub window: usize,
    /// Hits below which the words of a query are relaxed: fewer of them have to match.
    pub enough: usize,
    /// What stock is worth, against the best hit's score of 1.
    pub available_boost: f32,
    /// What popularity is worth, against the best hit's score of 1.
    pub popularity_boost: f32,
    /// What being new is worth, against the best hit's score of 1; half of it after [`Self::novelty_days`].
    pub novelty_boost: f32,
    /// Days in which the worth of novelty halves.
    pub novelty_days: f32,
    /// Most products of one family among ten in a row, in the window; 0 for no limit. See [`crate::families`].
    pub family_limit: usize,
    /// Share of the lexical score in hybrid mode, 0 to 1; the rest is the vectors'.
    pub lexical_share: f32,
    /// The same for a query that is nothing but brands and codes, which must not drift.
    pub exact_share: f32,
    /// Cosine similarity of texts that have nothing to do with one another, with the generation's model.
    pub unrelated: f32,
    /// How many of the products nearest to a query's vector tell whether words and meaning are at odds, and of
    /// which kind the meant ones are; see [`crate::fuse::gap`].
    pub neighbours: usize,
    /// The mean share of the best lexical score that they have, below which words and meaning are at odds: the
    /// further below, the more.
    pub gap: f32,
    /// Share of the lexical score in hybrid mode where none of them has the words.
    pub gap_share: f32,
    /// What it is worth there that a product is of the kind of the nearest ones.
    pub gap_kind_boost: f32,
    /// How many of the best fused hits say, by their vectors, what else to look for (Rocchio's feedback, without
    /// anybody's judgment).
    pub feedback: usize,
    /// Weight of their mean vector beside the query's; 0 for no feedback.
    pub feedback_weight: f32,
    /// How many candidates each side of hybrid mode gives.
    pub candidates: usize,
}

impl Default for Ranking {
    fn default() -> Self {
        Self {
            k1: 1.2,
            b: 0.9,
            title_boost: 1.0,
            phrase_boost: 0.5,
            attribute_weight: 0.5,
            synonym_weight: 0.7,
            kind_boost: 0.2,
            window: 30,
            enough: 10,
            available_boost: 0.0,
            popularity_boost: 0.1,
            novelty_boost: 0.0,
            novelty_days: 180.0,
            family_limit: 4,
            lexical_share: 0.6,
            exact_share: 1.0,
            unrelated: 0.1,
            neighbours: 8,
            gap: 0.5,
            gap_share: 0.3,
            gap_kind_boost: 0.05,
            feedback: 10,
            feedback_weight: 0.0,
            candidates: 300,
        }
    }
}

impl Ranking {
    /// Settings that are out of their range, by name, and what is expected.
    pub fn findings(&self) -> impl Iterator<Item = (&'static str, String)> {
        let ranges = [
            ("k1", self.k1, 0.0, 10.0),
            ("b", self.b, 0.0, 1.0),
            ("title_boost", self.title_boost, 0.0, 100.0),
            ("phrase_boost", self.phrase_boost, 0.0, 100.0),
            ("attribute_weight", self.attribute_weight, 0.0, 100.0),
            ("synonym_weight", self.synonym_weight, 0.0, 1.0),
            ("kind_boost", self.kind_boost, 0.0, 100.0),
            ("available_boost", self.available_boost, 0.0, 100.0),
            ("popularity_boost", self.popularity_boost, 0.0, 100.0),
            ("novelty_boost", self.novelty_boost, 0.0, 100.0),
            ("novelty_days", self.novelty_days, 1.0, 36_500.0),
            ("lexical_share", self.lexical_share, 0.0, 1.0),
            ("exact_share", self.exact_share, 0.0, 1.0),
            ("unrelated", self.unrelated, 0.0, 1.0),
            ("gap", self.gap, 0.0, 1.0),
            ("gap_share", self.gap_share, 0.0, 1.0),
            ("gap_kind_boost", self.gap_kind_boost, 0.0, 100.0),
            ("feedback_weight", self.feedback_weight, 0.0, 100.0),
        ];
        let counts = [
            ("window", self.window, 500),
            ("enough", self.enough, 1_000),
            ("family_limit", self.family_limit, 10),
            ("neighbours", self.neighbours, 100),
            ("feedback", self.feedback, 100),
            ("candidates", self.candidates, 1_000),
        ];
        let wrong = |(name, value, least, most): (_, f32, f32, f32)| {
            (!(least..=most).contains(&value)).then(|| (name, format!("{value} is not from {least} to {most}")))
        };
        let many = |(name, value, most)| (value > most).then(|| (name, format!("{value} is more than {most}")));
        ranges.into_iter().filter_map(wrong).chain(counts.into_iter().filter_map(many))
    }
}
