//! Synonyms: words that mean one another, or lead to others.

use crate::analyzer::{self, Analysis};
use tantivy::tokenizer::TextAnalyzer;

/// All synonyms of a shop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Synonyms {
    /// What stands in a query, as terms, and what is looked for as well.
    entries: Vec<(Vec<String>, Vec<Vec<String>>)>,
    analysis: Analysis,
}

impl Synonyms {
    /// None yet, for the texts of a bundle.
    #[must_use]
    pub fn of_texts(analysis: &Analysis) -> Self {
        Self { entries: Vec::new(), analysis: analysis.clone() }
    }

    /// Adds words that all mean one another.
    pub fn multi_way(&mut self, words: &[String]) {
        let terms = self.read(words);
        for (index, from) in terms.iter().enumerate() {
            let others = terms.iter().enumerate().filter(|(other, _)| *other != index);
            self.add(from.clone(), others.map(|(_, to)| to.clone()).collect());
        }
    }

    /// Adds words that lead to others, but not back.
    pub fn one_way(&mut self, from: &[String], to: &[String]) {
        let to = self.read(to);
        for from in self.read(from) {
            self.add(from, to.clone());
        }
    }

    /// As a query's words are read, what is nothing but stop words left out.
    fn read(&self, words: &[String]) -> Vec<Vec<String>> {
        let mut analyzer: TextAnalyzer = analyzer::of_queries(&self.analysis);
        words.iter().map(|word| analyzer::terms(&mut analyzer, word)).filter(|terms| !terms.is_empty()).collect()
    }

    fn add(&mut self, from: Vec<String>, to: Vec<Vec<String>>) {
        let to: Vec<Vec<String>> = to.into_iter().filter(|to| *to != from).collect();
        if !to.is_empty() {
            self.entries.push((from, to));
        }
    }

    /// What else to look for: for each run of a query's terms that has synonyms, its start and length, and
    /// what it leads to.
    pub(crate) fn matches<'a>(
        &'a self,
        words: &'a [String],
    ) -> impl Iterator<Item = (usize, usize, &'a [String])> + 'a {
        self.entries.iter().flat_map(move |(from, to)| {
            let starts =
                (0..(words.len() + 1).saturating_sub(from.len())).filter(|start| words[*start..].starts_with(from));
            starts.flat_map(move |start| to.iter().map(move |to| (start, from.len(), to.as_slice())))
        })
    }
}
