//! Words that stand together: phrases, compounds such as `usb-c`, and names with numbers.

use crate::{
    IndexError, analyzer,
    reader::Snapshot,
    tenant::{holding, within},
};
use schemas::ids::TenantId;
use tantivy::{
    Term,
    collector::Count,
    query::{PhraseQuery, Query},
    schema::Field,
    tokenizer::TextAnalyzer,
};

/// The terms of a text with their places: a word that is left out leaves its place empty, as it does in the index.
pub fn placed(analyzer: &mut TextAnalyzer, text: &str) -> Vec<(usize, String)> {
    let mut words = Vec::new();
    let mut stream = analyzer.token_stream(text);
    while stream.advance() {
        words.push((stream.token().position, stream.token().text.clone()));
    }
    words
}

/// Two or more terms at their places.
pub fn in_places(field: Field, words: &[(usize, String)]) -> PhraseQuery {
    let term = |(place, term): &(usize, String)| (*place, Term::from_field_text(field, term));
    PhraseQuery::new_with_offset(words.iter().map(term).collect())
}

/// What must not occur where a word, a compound or a phrase is excluded: the parts of one together, not each of them.
pub fn excluded(snapshot: &Snapshot, written: &str) -> Vec<Box<dyn Query>> {
    let (index, fields) = (snapshot.segments.searcher.index(), &snapshot.segments.fields);
    let mut analyzer = analyzer::of_index(index);
    let parts = analyzer::terms(&mut analyzer::plain(), written);
    let holds = |term: &String| holding(&Term::from_field_text(fields.text, term));
    if parts.len() <= 1 {
        let mut readings = analyzer::readings(index).unwrap_or(analyzer);
        return analyzer::terms(&mut readings, written).iter().map(holds).collect();
    }
    let words = placed(&mut analyzer, written);
    // `wi-fi` stands in texts as `wifi`, too.
    let joined = analyzer::terms(&mut analyzer, &parts.concat());
    let mut found: Vec<Box<dyn Query>> =
        if joined.len() == 1 { joined.iter().map(holds).collect() } else { Vec::new() };
    match words.as_slice() {
        [] => {}
        // The rest of a compound is a stop word: the `a` of `usb-a`.
        [(_, term)] if written.contains(char::is_whitespace) => found.push(holds(term)),
        [_] => {}
        several => found.push(Box::new(in_places(fields.text, several))),
    }
    let code = analyzer::code(written).filter(|code| code.contains(|sign: char| sign.is_ascii_digit()));
    found.extend(code.map(|code| holding(&Term::from_field_text(fields.code, &code))));
    found
}

/// Whether titles of a shop's products have a name's words side by side.
///
/// # Errors
/// The engine's.
pub fn is_named(snapshot: &Snapshot, tenant: TenantId, name: &str) -> Result<bool, IndexError> {
    let fields = &snapshot.segments.fields;
    let words = placed(&mut analyzer::of_index(snapshot.segments.searcher.index()), name);
    if words.len() < 2 {
        return Ok(false);
    }
    let named = within(&fields.tenant_term(tenant), Box::new(in_places(fields.title, &words)));
    Ok(snapshot.segments.searcher.search(&named, &Count)? > 0)
}
