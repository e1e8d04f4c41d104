//! Terms that an automaton accepts: words near one that was misspelt, and words that begin so.

use crate::{IndexError, segments::Segments, statistics::TextStatistics};
use std::collections::BTreeMap;
use tantivy::{Term, query::FuzzyTermQuery};

/// Terms that one automaton may yield before it is stopped.
const MOST_EXPANSIONS: usize = 5_000;
/// Terms of an automaton between two looks at the clock.
const LOOK_AT_THE_CLOCK: usize = 64;
/// Terms of all tenants, the most frequent first, of which the tenant's own products are counted.
const MOST_COUNTED: usize = 500;

/// Which terms are wanted. A transposition counts as one letter.
#[derive(Debug, Clone, Copy)]
pub enum Near {
    /// At most so many letters away.
    Letters(u8),
    /// Those that begin so, but for so many letters.
    Beginning(u8),
}

/// The terms near one in its field that products of the tenant hold, with how many do, the most frequent first.
/// No more are looked at once `late` says so.
///
/// # Errors
/// The engine's.
pub fn near(
    segments: &Segments,
    statistics: &TextStatistics,
    term: &Term,
    near: Near,
    late: &mut dyn FnMut() -> bool,
) -> Result<Vec<(String, u64)>, IndexError> {
    let query = match near {
        Near::Letters(distance) => FuzzyTermQuery::new(term.clone(), distance, true),
        Near::Beginning(distance) => FuzzyTermQuery::new_prefix(term.clone(), distance, true),
    };
    let field = term.field();
    let mut everywhere: BTreeMap<String, u64> = BTreeMap::new();
    let mut expanded = 0;
    for segment in segments.searcher.segment_readers() {
        let inverted = segment.inverted_index(field)?;
        let mut terms = inverted.terms().search(query.automaton()?).into_stream()?;
        while expanded < MOST_EXPANSIONS
            && !(expanded % LOOK_AT_THE_CLOCK == 0 && late())
            && let Some((key, info)) = terms.next()
        {
            expanded += 1;
            if let Ok(key) = std::str::from_utf8(key) {
                *everywhere.entry(key.to_owned()).or_default() += u64::from(info.doc_freq);
            }
        }
    }
    let mut everywhere: Vec<(String, u64)> = everywhere.into_iter().collect();
    by_frequency(&mut everywhere);
    let mut own = Vec::new();
    for (index, (text, _)) in everywhere.into_iter().take(MOST_COUNTED).enumerate() {
        if index % LOOK_AT_THE_CLOCK == LOOK_AT_THE_CLOCK - 1 && late() {
            break;
        }
        let count = statistics.holding(&segments.searcher, &Term::from_field_text(field, &text))?;
        if count > 0 {
            own.push((text, count));
        }
    }
    by_frequency(&mut own);
    Ok(own)
}

fn by_frequency(terms: &mut [(String, u64)]) {
    terms.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.cmp(b)));
}
