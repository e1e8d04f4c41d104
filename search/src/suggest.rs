//! Suggestions while somebody types: how the query may go on, and the brands and categories it may mean.

use crate::{
    IndexError, analyzer, lexical,
    query::{MAX_TEXT_CHARS, SearchRequest},
    reader::Snapshot,
};
use schemas::ids::TenantId;
use std::collections::BTreeMap;
use tantivy::{Term, query::FuzzyTermQuery};

/// Words that begin as typed and are tried, the most frequent first.
const TRIED: usize = 24;
/// Terms one automaton may yield before it is stopped.
const EXPANSIONS: usize = 5_000;
/// Least letters of a beginning that may be misspelt.
const FUZZY_FROM: usize = 4;

/// What a text may become.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suggestions {
    /// Queries that find something, the likeliest first.
    pub queries: Vec<String>,
    /// Brands, with how many products they have.
    pub brands: Vec<(String, u64)>,
    /// Slugs of categories, with how many products are in them.
    pub categories: Vec<(String, u64)>,
}

/// Suggests up to `limit` of each.
///
/// # Errors
/// The engine's.
pub fn suggest(snapshot: &Snapshot, tenant: TenantId, text: &str, limit: usize) -> Result<Suggestions, IndexError> {
    let text: String = text.chars().take(MAX_TEXT_CHARS).collect::<String>().to_lowercase();
    let typed = text.trim_start();
    let (before, last) = typed.rsplit_once(' ').map_or(("", typed), |(before, last)| (before.trim(), last));
    let begun = analyzer::terms(&mut analyzer::plain(), last).pop().unwrap_or_default();
    let mut found = Suggestions::default();
    let lessons = snapshot.learned.of(snapshot, tenant)?;
    if !typed.trim().is_empty() {
        let whole = analyzer::terms(&mut analyzer::plain(), typed).join(" ");
        found.brands = lessons.vocabulary.brands_like(&whole, &begun, limit);
        found.categories = lessons.vocabulary.categories_like(&whole, &begun, limit);
    }
    if begun.is_empty() {
        return Ok(found);
    }
    let mut tried = completions(snapshot, &begun, 0)?;
    if tried.is_empty() && begun.chars().count() >= FUZZY_FROM {
        tried = completions(snapshot, &begun, 1)?;
    }
    for word in tried {
        if found.queries.len() >= limit {
            break;
        }
        let query = if before.is_empty() { word } else { format!("{before} {word}") };
        let request = SearchRequest { understand: false, ..SearchRequest::text(tenant, &query, 0) };
        let answer = lexical::search(snapshot, &request)?;
        // Only what finds something as it stands.
        if answer.total > 0 && answer.relaxed.is_none() && answer.corrections.is_empty() {
            found.queries.push(query);
        }
    }
    Ok(found)
}

/// Words of titles, brands and kinds that begin so, the most frequent first.
fn completions(snapshot: &Snapshot, begun: &str, distance: u8) -> Result<Vec<String>, IndexError> {
    let term = Term::from_field_text(snapshot.fields.words, begun);
    let query = FuzzyTermQuery::new_prefix(term, distance, true);
    let mut frequencies: BTreeMap<String, u64> = BTreeMap::new();
    let mut expanded = 0;
    for segment in snapshot.searcher.segment_readers() {
        let inverted = segment.inverted_index(snapshot.fields.words)?;
        let mut terms = inverted.terms().search(query.automaton()?).into_stream()?;
        while expanded < EXPANSIONS
            && let Some((key, info)) = terms.next()
        {
            expanded += 1;
            if let Ok(key) = std::str::from_utf8(key) {
                *frequencies.entry(key.to_owned()).or_default() += u64::from(info.doc_freq);
            }
        }
    }
    let mut words: Vec<(String, u64)> = frequencies.into_iter().collect();
    words.sort_by(|(a, x), (b, y)| y.cmp(x).then(a.cmp(b)));
    Ok(words.into_iter().take(TRIED).map(|(word, _)| word).collect())
}
