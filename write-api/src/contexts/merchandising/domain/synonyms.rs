//! Synonyms, and the rules they keep.

use crate::domain::{
    definition::{Content, Words, events_of},
    validation::Findings,
};
use schemas::events::merchandising::{MerchandisingKind, SynonymSet};
use std::collections::HashSet;

/// The most terms of a list.
const MAX_TERMS: usize = 50;
/// The most words of a term.
const MAX_WORDS: usize = 6;
/// The most characters of a term.
const MAX_CHARS: usize = 100;

impl Content for SynonymSet {
    const WORDS: Words = Words {
        kind: MerchandisingKind::Synonyms.as_str(),
        aggregate: MerchandisingKind::Synonyms.aggregate(),
        define: "define_synonyms",
        remove: "remove_synonyms",
    };

    fn check(&self, findings: &mut Findings) {
        let mut seen = HashSet::new();
        match self {
            Self::MultiWay { terms } => {
                a_list_has_enough_terms(findings, "/terms", terms, 2);
                terms_are_few_words_and_distinct(findings, "/terms", terms, &mut seen);
            }
            Self::OneWay { from, to } => {
                for (base, terms) in [("/from", from), ("/to", to)] {
                    a_list_has_enough_terms(findings, base, terms, 1);
                    // A term on both sides says nothing, so both share what was seen.
                    terms_are_few_words_and_distinct(findings, base, terms, &mut seen);
                }
            }
        }
    }

    events_of!(MerchandisingEvent in merchandising: SynonymSetDefined, SynonymSetRemoved);
}

fn a_list_has_enough_terms(findings: &mut Findings, base: &str, terms: &[String], least: usize) {
    if !(least..=MAX_TERMS).contains(&terms.len()) {
        findings.add(base, format!("{least} to {MAX_TERMS} terms are allowed, {} were given", terms.len()));
    }
}

fn terms_are_few_words_and_distinct(findings: &mut Findings, base: &str, terms: &[String], seen: &mut HashSet<String>) {
    for (index, term) in terms.iter().enumerate().take(MAX_TERMS) {
        let pointer = || format!("{base}/{index}");
        findings.line(pointer, term, MAX_CHARS);
        if term.split_whitespace().count() > MAX_WORDS {
            findings.add(pointer(), format!("a term has at most {MAX_WORDS} words"));
        }
        if !seen.insert(term.to_lowercase()) {
            findings.add(pointer(), "the term stands here twice; case makes no difference");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::definition::Checked;

    fn list(terms: &[&str]) -> Vec<String> {
        terms.iter().map(|term| (*term).to_owned()).collect()
    }

    fn pointers(set: SynonymSet) -> Vec<String> {
        Checked::parse(set).expect_err("refused").into_iter().map(|error| error.pointer).collect()
    }

    #[test]
    fn terms_that_break_a_rule_are_pointed_at() {
        let both = |terms: &[&str]| SynonymSet::MultiWay { terms: list(terms) };
        assert!(Checked::parse(both(&["sofa", "three seater couch"])).is_ok());
        for (terms, pointer) in [
            (&["sofa"][..], "/terms"),
            (&["sofa", " couch"], "/terms/1"),
            (&["sofa", ""], "/terms/1"),
            (&["sofa", "Sofa"], "/terms/1"),
            (&["sofa", "a b c d e f g"], "/terms/1"),
            (&["sofa", &"x".repeat(101)], "/terms/1"),
        ] {
            assert_eq!(pointers(both(terms)), [pointer], "{terms:?}");
        }
        let many: Vec<String> = (0..51).map(|number| format!("t{number}")).collect();
        assert_eq!(pointers(SynonymSet::MultiWay { terms: many }), ["/terms"]);
    }

    #[test]
    fn one_way_synonyms_need_both_sides_and_keep_them_apart() {
        let set = |from: &[&str], to: &[&str]| SynonymSet::OneWay { from: list(from), to: list(to) };
        assert!(Checked::parse(set(&["settee"], &["sofa"])).is_ok());
        assert_eq!(pointers(set(&[], &["sofa"])), ["/from"]);
        assert_eq!(pointers(set(&["settee"], &[])), ["/to"]);
        assert_eq!(pointers(set(&["sofa"], &["couch", "SOFA"])), ["/to/1"]);
    }
}
