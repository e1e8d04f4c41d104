//! In what two indexes differ, and whether a plan declared it.

use super::certificate::Declared;
use crate::failure::Failure;
use search::{
    bundle::Change,
    digest::{self, DigestSet},
    reader::Snapshot,
};
use std::collections::BTreeSet;

/// Documents or words that are named as examples.
const EXAMPLES: usize = 5;
/// Share of a field's documents that may be lost where its terms were declared to differ.
const LOSES_DOCUMENTS: f64 = 0.005;
/// The same of its terms.
const LOSES_TERMS: f64 = 0.2;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// What the plan declared, with how much it came to.
    pub declared: Vec<Declared>,
    /// What it did not, as sentences.
    pub undeclared: Vec<String>,
}

impl Differences {
    /// Compares two indexes that stand at the same offsets.
    ///
    /// # Errors
    /// The engine's.
    pub fn between(
        old: (&DigestSet, &Snapshot),
        new: (&DigestSet, &Snapshot),
        changes: &[Change],
        accepted: &[String],
    ) -> Result<Self, Failure> {
        let mut found = Self::default();
        found.documents(old.0, new.0);
        let declared: BTreeSet<&str> =
            changes.iter().flat_map(|change| change.fields.iter().map(String::as_str)).collect();
        let names: BTreeSet<&String> =
            old.0.tenants.values().chain(new.0.tenants.values()).flat_map(|fields| fields.keys()).collect();
        for field in names {
            let (before, after) = (old.0.field(field), new.0.field(field));
            let may = declared.contains(field.as_str()) || declared.contains("*");
            if before == after && !may {
                continue;
            }
            if !may {
                found.undeclared.push(format!(
                    "field {field}: {} documents and {} terms became {} and {}, and no setting of the plan says so",
                    before.documents, before.terms, after.documents, after.terms
                ));
                continue;
            }
            found.declared.push(Declared { field: field.clone(), before, after });
            let loses = falls(before.documents, after.documents, LOSES_DOCUMENTS)
                || falls(before.terms, after.terms, LOSES_TERMS);
            if loses && !accepted.contains(field) {
                let words: Vec<String> = digest::lost_terms(old.1, new.1, field, EXAMPLES)?
                    .into_iter()
                    .map(|lost| format!("\"{}\" finds {} products today and none then", lost.term, lost.documents))
                    .collect();
                found.undeclared.push(format!(
                    "field {field} loses: {} documents with {} terms become {} with {}; {}. If that is meant, say --accept {field}",
                    before.documents,
                    before.terms,
                    after.documents,
                    after.terms,
                    words.join(", ")
                ));
            }
        }
        Ok(found)
    }

    /// Documents that are missing, too many, of another version, or of other content.
    fn documents(&mut self, old: &DigestSet, new: &DigestSet) {
        let (before, after) = (old.counts(), new.counts());
        let tenants: BTreeSet<&&str> = before.keys().chain(after.keys()).collect();
        for tenant in tenants {
            let (had, has) = (before.get(*tenant).unwrap_or(&0), after.get(*tenant).unwrap_or(&0));
            if had != has {
                self.undeclared.push(format!("shop {tenant}: {had} products became {has}"));
            }
        }
        let live = |set: &DigestSet, key: &str| set.documents.get(key).is_some_and(|found| found.live);
        let missing = old.documents.iter().filter(|(key, found)| found.live && !live(new, key)).map(|(key, _)| key);
        self.examples("products are missing", missing);
        let surplus = new.documents.iter().filter(|(key, found)| found.live && !live(old, key)).map(|(key, _)| key);
        self.examples("products should not be there", surplus);
        let both = || {
            old.documents
                .iter()
                .filter_map(|(key, was)| Some((key, was, new.documents.get(key)?)))
                .filter(|(_, was, is)| was.live && is.live)
        };
        self.examples(
            "products have another version",
            both().filter(|(_, was, is)| was.version != is.version).map(|(key, ..)| key),
        );
        let content = both().filter(|(_, was, is)| was.version == is.version && was.content != is.content);
        self.examples("products show something else", content.map(|(key, ..)| key));
        let terms = both().filter(|(_, was, is)| was.version == is.version && was.terms != is.terms);
        self.examples(
            "products are found by other words, in fields that no setting of the plan changes",
            terms.map(|(key, ..)| key),
        );
    }

    fn examples<'a>(&mut self, what: &str, keys: impl Iterator<Item = &'a String>) {
        let keys: Vec<&String> = keys.collect();
        if keys.is_empty() {
            return;
        }
        let some: Vec<&str> = keys.iter().take(EXAMPLES).map(|key| key.as_str()).collect();
        let more = if keys.len() > EXAMPLES { ", …" } else { "" };
        self.undeclared.push(format!("{} {what}: {}{more}", keys.len(), some.join(", ")));
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of documents and terms")]
fn falls(before: u64, after: u64, share: f64) -> bool {
    (after as f64) < before as f64 * (1.0 - share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use search::digest::Fingerprint;

    fn set(documents: &[(&str, u64, u128, u128)]) -> DigestSet {
        let fingerprint = |version, content, terms| Fingerprint { version, live: true, content, terms };
        let documents = documents
            .iter()
            .map(|(key, version, content, terms)| ((*key).to_owned(), fingerprint(*version, *content, *terms)));
        DigestSet { documents: documents.collect(), ..DigestSet::default() }
    }

    #[test]
    fn each_way_to_differ_is_told_apart() {
        let old = set(&[("t:a", 1, 1, 1), ("t:b", 1, 1, 1), ("t:c", 1, 1, 1), ("t:d", 1, 1, 1)]);
        let new = set(&[("t:b", 2, 1, 1), ("t:c", 1, 9, 1), ("t:d", 1, 1, 9), ("t:e", 1, 1, 1), ("t:f", 1, 1, 1)]);
        let mut found = Differences::default();
        found.documents(&old, &new);
        let starts = [
            "shop t: 4 products became 5",
            "1 products are missing: t:a",
            "2 products should not be there: t:e, t:f",
            "1 products have another version: t:b",
            "1 products show something else: t:c",
            "1 products are found by other words",
        ];
        assert_eq!(found.undeclared.len(), starts.len(), "{:?}", found.undeclared);
        for (sentence, start) in found.undeclared.iter().zip(starts) {
            assert!(sentence.starts_with(start), "{sentence}");
        }
        let mut same = Differences::default();
        same.documents(&old, &old);
        assert_eq!(same, Differences::default());
    }
}
