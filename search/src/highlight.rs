//! Texts with the words of a query marked, safe to put into HTML: everything is escaped but the marks.

use crate::{IndexError, analyzer, query::HitCard, reader::Snapshot};
use std::collections::{BTreeMap, BTreeSet};
use tantivy::{DocAddress, TantivyDocument, schema::Value, tokenizer::TextAnalyzer};

/// What stands before a marked word.
pub const OPEN: &str = "<mark>";
/// What stands behind a marked word.
pub const CLOSE: &str = "</mark>";
/// Longest snippet of a description, in characters.
const SNIPPET: usize = 180;

/// Marks the words of one query.
pub struct Marker {
    terms: BTreeSet<String>,
    beginning: Option<String>,
    analyzer: TextAnalyzer,
}

impl std::fmt::Debug for Marker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Marker").field("terms", &self.terms).finish_non_exhaustive()
    }
}

impl Marker {
    /// `typing`: the last term may be the beginning of a word.
    #[must_use]
    pub fn new(snapshot: &Snapshot, terms: &[String], typing: bool) -> Self {
        Self::reading(analyzer::of_documents(snapshot.segments.searcher.index()), terms, typing)
    }

    /// The same with an analyzer of texts.
    #[must_use]
    pub fn reading(analyzer: TextAnalyzer, terms: &[String], typing: bool) -> Self {
        let beginning = terms.last().filter(|_| typing).cloned();
        Self { terms: terms.iter().cloned().collect(), beginning, analyzer }
    }

    /// The highlights of a hit: its title, brand and part number where a word is in them, and the part of the
    /// description that has most of them.
    ///
    /// # Errors
    /// The engine's.
    pub fn highlights(
        &mut self,
        snapshot: &Snapshot,
        at: DocAddress,
        card: &HitCard,
    ) -> Result<BTreeMap<String, String>, IndexError> {
        let mut found = BTreeMap::new();
        let fields =
            [("title", Some(&card.title)), ("brand", card.brand.as_ref()), ("part_number", card.part_number.as_ref())];
        for (name, text) in fields {
            let Some(text) = text else { continue };
            let spans = self.spans(text);
            if !spans.is_empty() || name == "title" {
                found.insert(name.to_owned(), marked(text, &spans));
            }
        }
        let record: TantivyDocument = snapshot.segments.searcher.doc(at)?;
        if let Some(text) = record.get_first(snapshot.segments.fields.description).and_then(|value| value.as_str()) {
            let (snippet, spans) = self.snippet(text);
            if !snippet.is_empty() {
                found.insert("description".to_owned(), marked(&snippet, &spans));
            }
        }
        Ok(found)
    }

    /// Marks one text whole.
    #[must_use]
    pub fn text(&mut self, text: &str) -> String {
        marked(text, &self.spans(text))
    }

    fn spans(&mut self, text: &str) -> Vec<(usize, usize)> {
        let mut spans: Vec<(usize, usize)> = Vec::new();
        let mut stream = self.analyzer.token_stream(text);
        while stream.advance() {
            let token = stream.token();
            let begun = self.beginning.as_ref().filter(|begun| token.text.starts_with(String::as_str(begun)));
            let span = if self.terms.contains(&token.text) {
                (token.offset_from, token.offset_to)
            } else if let Some(begun) = begun {
                let letters = begun.chars().count();
                let end = text[token.offset_from..]
                    .char_indices()
                    .nth(letters)
                    .map_or(text.len(), |(at, _)| token.offset_from + at);
                (token.offset_from, end.min(token.offset_to))
            } else {
                continue;
            };
            match spans.last_mut() {
                Some(last) if span.0 < last.1 => last.1 = last.1.max(span.1),
                _ => spans.push(span),
            }
        }
        spans
    }

    /// The stretch of a text with most words in it, cut at spaces.
    fn snippet(&mut self, text: &str) -> (String, Vec<(usize, usize)>) {
        let spans = self.spans(text);
        let best = spans
            .iter()
            .map(|(from, _)| *from)
            .max_by_key(|start| {
                let inside = spans.iter().filter(|(from, to)| from >= start && *to <= start + SNIPPET);
                (inside.count(), std::cmp::Reverse(*start))
            })
            .unwrap_or(0);
        // A few words before the first mark.
        let start = text[..best].rmatch_indices(' ').nth(3).map_or(0, |(at, space)| at + space.len());
        let limit = text[start..].char_indices().nth(SNIPPET).map_or(text.len(), |(at, _)| start + at);
        let end =
            if limit == text.len() { limit } else { text[start..limit].rfind(' ').map_or(limit, |at| start + at) };
        let shift = |(from, to): (usize, usize)| (from - start, to - start);
        let inside = spans.into_iter().filter(|(from, to)| *from >= start && *to <= end).map(shift).collect();
        (text[start..end].to_owned(), inside)
    }
}

/// A text with marks around some of its bytes, and everything else escaped.
fn marked(text: &str, spans: &[(usize, usize)]) -> String {
    let mut html = String::with_capacity(text.len() + spans.len() * 13);
    let mut at = 0;
    for (from, to) in spans {
        html.push_str(&escaped(&text[at..*from]));
        html.push_str(OPEN);
        html.push_str(&escaped(&text[*from..*to]));
        html.push_str(CLOSE);
        at = *to;
    }
    html.push_str(&escaped(&text[at..]));
    html
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(character),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn marker(words: &str, typing: bool) -> Marker {
        Marker::reading(analyzer::english(), &analyzer::terms(&mut analyzer::english_query(), words), typing)
    }

    #[test]
    fn words_are_marked_and_the_rest_is_escaped() {
        let marked = marker("wireless mice 15.6 inch", false).text("<b>Wireless</b> mouse & 15.6\" \"mice\"");
        assert_eq!(
            marked,
            "&lt;b&gt;<mark>Wireless</mark>&lt;/b&gt; <mark>mouse</mark> &amp; <mark>15.6&quot;</mark> &quot;<mark>mice</mark>&quot;"
        );
        assert_eq!(marker("wire", true).text("Wireless"), "<mark>Wire</mark>less");
    }

    proptest! {
        #[test]
        fn marks_are_all_that_is_html(words in "\\PC{0,20}", text in "(<script>|&|'|\"|\\PC){0,40}", typing: bool) {
            let html = marker(&words, typing).text(&text);
            let without = html.replace(OPEN, "").replace(CLOSE, "");
            prop_assert!(!without.contains(['<', '>', '"', '\'']));
            let read = without.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&");
            prop_assert_eq!(read, text);
        }
    }
}
