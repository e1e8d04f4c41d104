//! Searches that nobody has asked for, before somebody does: the first one after a start, or in new segments, opens columns,
//! reads dictionaries and builds what finds misspelt words, and would take several times as long as the second.

use crate::{
    IndexError, lexical,
    query::{Facet, SearchRequest},
    reader::Snapshot,
};
use schemas::{filter::Field, ids::TenantId};
use std::collections::HashSet;
use tantivy::index::SegmentId;

/// Products whose titles are searched for.
const TITLES: usize = 3;
/// One in so many documents is in segments in which no search was rehearsed, before it is done again.
const NEW: u64 = 10;
/// Values of each facet.
const VALUES: u32 = 10;

/// Searches for what some of a tenant's products are called, as it is written and misspelt, with the facets of a result page.
///
/// # Errors
/// The engine's.
pub fn rehearse(snapshot: &Snapshot, tenant: TenantId) -> Result<(), IndexError> {
    let fields = [Field::Brand, Field::Category, Field::ProductType, Field::Available, Field::Price(None)];
    let facets: Vec<Facet> = fields.into_iter().map(|field| Facet::new(field, VALUES)).collect();
    let search = |text: &str, limit: usize| {
        let request = SearchRequest::text(tenant, text, limit);
        lexical::search(snapshot, &SearchRequest { facets: facets.clone(), highlight: true, ..request })
    };
    for hit in search("", TITLES)?.hits {
        for text in texts(&hit.card.title) {
            search(&text, TITLES)?;
        }
    }
    Ok(())
}

/// Two words of a title, and the longer of them with two letters changed places.
fn texts(title: &str) -> Vec<String> {
    let mut words: Vec<&str> = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    words.truncate(2);
    let mut misspelt: Vec<char> = words.first().map(|word| word.chars().collect()).unwrap_or_default();
    let middle = misspelt.len() / 2;
    if misspelt.len() > 2 {
        misspelt.swap(middle - 1, middle);
    }
    [words.join(" "), misspelt.into_iter().collect()].into_iter().filter(|text: &String| !text.is_empty()).collect()
}

/// The segments in which searches were rehearsed last.
#[derive(Debug, Default)]
pub struct Rehearsed(HashSet<SegmentId>);

impl Rehearsed {
    /// Whether enough documents are in other segments that a rehearsal is worth its work: with a few new ones, a search
    /// opens little. From then on these are known.
    pub fn is_outgrown(&mut self, snapshot: &Snapshot) -> bool {
        let segments = snapshot.segments.searcher.segment_readers();
        let others = segments.iter().filter(|segment| !self.0.contains(&segment.segment_id()));
        let (new, all) =
            (others.map(|one| u64::from(one.max_doc())).sum::<u64>(), snapshot.segments.searcher.num_docs());
        let is_outgrown = new > 0 && new >= all / NEW;
        if is_outgrown {
            self.0 = segments.iter().map(|segment| segment.segment_id()).collect();
        }
        is_outgrown
    }
}

#[cfg(test)]
mod tests {
    use super::texts;

    #[test]
    fn a_title_is_searched_for_by_its_longest_words_and_misspelt() {
        assert_eq!(texts("The Wireless-Mouse, 2"), ["Wireless Mouse", "Wirleess"]);
        assert_eq!(texts("ab"), ["ab", "ab"]);
        assert_eq!(texts(" ... "), [""; 0]);
    }
}
