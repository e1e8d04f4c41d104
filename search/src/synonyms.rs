//! Synonyms: words that mean one another, or lead to others.

use crate::analyzer;

/// All synonyms of a shop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Synonyms {
    /// What stands in a query, as terms, and what is looked for as well.
    entries: Vec<(Vec<String>, Vec<Vec<String>>)>,
}

impl Synonyms {
    /// Adds words that all mean one another.
    pub fn multi_way(&mut self, words: &[String]) {
        let terms: Vec<Vec<String>> = words.iter().map(|word| terms(word)).filter(|terms| !terms.is_empty()).collect();
        for (index, from) in terms.iter().enumerate() {
            let others = terms.iter().enumerate().filter(|(other, _)| *other != index);
            self.add(from.clone(), others.map(|(_, to)| to.clone()).collect());
        }
    }

    /// Adds words that lead to others, but not back.
    pub fn one_way(&mut self, from: &[String], to: &[String]) {
        let to: Vec<Vec<String>> = to.iter().map(|word| terms(word)).filter(|terms| !terms.is_empty()).collect();
        for from in from.iter().map(|word| terms(word)).filter(|terms| !terms.is_empty()) {
            self.add(from, to.clone());
        }
    }

    fn add(&mut self, from: Vec<String>, to: Vec<Vec<String>>) {
        let to: Vec<Vec<String>> = to.into_iter().filter(|to| *to != from).collect();
        if !to.is_empty() {
            self.entries.push((from, to));
        }
    }

    /// What else to look for: for each run of a query's terms that has synonyms, its start and length, and
    /// what it leads to.
    pub(crate) fn of<'a>(&'a self, words: &'a [String]) -> impl Iterator<Item = (usize, usize, &'a [String])> + 'a {
        self.entries.iter().flat_map(move |(from, to)| {
            let starts =
                (0..(words.len() + 1).saturating_sub(from.len())).filter(|start| words[*start..].starts_with(from));
            starts.flat_map(move |start| to.iter().map(move |to| (start, from.len(), to.as_slice())))
        })
    }
}

fn terms(text: &str) -> Vec<String> {
    analyzer::terms(&mut analyzer::english_query(), text)
}
