//! Suggestions while somebody types: how the query may go on, and the brands and categories it may mean.

use crate::{
    IndexError, analyzer,
    dictionary::{self, Near},
    lexical,
    query::{MAX_TEXT_CHARS, SearchRequest},
    reader::Snapshot,
    statistics::CatalogStatistics,
};
use schemas::ids::TenantId;
use tantivy::Term;

/// Words that begin as typed and are tried, the most frequent first.
const TRIED: usize = 24;
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
    let text = analyzer::small_letters(&text.chars().take(MAX_TEXT_CHARS).collect::<String>());
    let typed = text.trim_start();
    let (before, last) = typed.rsplit_once(' ').map_or(("", typed), |(before, last)| (before.trim(), last));
    let begun = analyzer::terms(&mut analyzer::plain(), last).pop().unwrap_or_default();
    let mut found = Suggestions::default();
    let catalog = snapshot.statistics.catalog(&snapshot.segments, tenant)?;
    if !typed.trim().is_empty() {
        let whole = analyzer::terms(&mut analyzer::plain(), typed).join(" ");
        found.brands = catalog.vocabulary.brands_like(&whole, &begun, limit);
        found.categories = catalog.vocabulary.categories_like(&whole, &begun, limit);
    }
    if begun.is_empty() {
        return Ok(found);
    }
    let mut tried = completions(snapshot, &catalog, &begun, 0)?;
    if tried.len() == 0 && begun.chars().count() >= FUZZY_FROM {
        tried = completions(snapshot, &catalog, &begun, 1)?;
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

/// Words of the shop's titles, brands and kinds that begin so, the most frequent first.
fn completions(
    snapshot: &Snapshot,
    catalog: &CatalogStatistics,
    begun: &str,
    distance: u8,
) -> Result<impl ExactSizeIterator<Item = String>, IndexError> {
    let term = Term::from_field_text(snapshot.segments.fields.words, begun);
    let words = dictionary::near(&snapshot.segments, &catalog.texts, &term, Near::Beginning(distance), &mut || false)?;
    Ok(words.into_iter().take(TRIED).map(|(word, _)| word))
}
