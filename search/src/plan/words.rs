//! The words of a query as the catalog knows them: words that people join or split are tried both ways,
//! and a word that no product of the shop holds is read as one that some do.

use crate::{
    IndexError, analyzer,
    dictionary::{self, Near},
    query::Correction,
    reader::Snapshot,
    statistics::TextStatistics,
    tenant::{holding, within},
};
use std::time::Instant;
use tantivy::{
    DocAddress, DocSet, TERMINATED, TantivyDocument, Term,
    collector::Count,
    query::{BooleanQuery, EnableScoring, Occur, PhraseQuery, Query},
    schema::{Field, Value},
    tokenizer::TextAnalyzer,
};

mod measures;

pub use measures::{Apart, either};

/// Words of one query that are looked up in the dictionary of terms.
const MOST_CORRECTIONS: usize = 4;
/// Terms near a misspelt word that are tried, the most frequent first.
const MOST_CANDIDATES: usize = 8;
/// Least letters of each half of a word that is split.
const SHORTEST_PART: usize = 3;

/// A word of a query, read against the catalog.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// As it was typed.
    pub written: String,
    /// Where it stands in the text, in bytes.
    pub span: (usize, usize),
    /// Its term, as the index would hold it.
    pub term: String,
    /// What is looked for: the term, or what it was corrected to, all of which have to occur.
    pub terms: Vec<String>,
    /// What else it may stand as in texts, of what the shop has: itself, and its stems in further languages.
    pub also: Vec<String>,
    /// Whether the shop has the term, or any of those.
    pub known: bool,
    /// If it is a measure that products write with a space, too: how.
    pub apart: Option<Apart>,
}

impl Word {
    /// The pieces that products may write it in.
    pub fn pieces(&self) -> &[String] {
        self.apart.as_ref().map_or(&self.terms, |apart| &apart.terms)
    }
}

/// What a query's words are read as.
#[derive(Debug, Default)]
pub struct Reading {
    /// In the order they were typed.
    pub words: Vec<Word>,
    /// For a word and the next, both in one as the catalog writes them: `head set` as `headset`; by the place of
    /// the first, with its weight, which is that of both words where the catalog joins them more often than not.
    pub joined: Vec<(usize, String, f32)>,
    /// Words that were read as others.
    pub corrections: Vec<Correction>,
}

/// Terms that are looked for instead of a word, and how people write them.
type Found = (Vec<String>, String);

/// Reads the words of a query against a shop's terms.
pub struct Reader<'a> {
    snapshot: &'a Snapshot,
    statistics: &'a TextStatistics,
    analyzer: TextAnalyzer,
    /// Where words have several stems: all of them.
    readings: Option<TextAnalyzer>,
    deadline: Option<Instant>,
    /// Whether the time was up before everything was looked up.
    pub partial: bool,
}

impl<'a> Reader<'a> {
    /// For one tenant: what only others sell is unknown here. Past the deadline, words are taken as they are.
    pub fn new(snapshot: &'a Snapshot, statistics: &'a TextStatistics, deadline: Option<Instant>) -> Self {
        let index = snapshot.segments.searcher.index();
        let (analyzer, readings) = (analyzer::of_index(index), analyzer::readings(index));
        Self { snapshot, statistics, analyzer, readings, deadline, partial: false }
    }

    fn late(&mut self) -> bool {
        let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        self.partial |= late;
        late
    }

    /// Reads a text, at most `budget` words of it. While somebody is `typing`, a last word that others begin
    /// with is left as it is: it is looked for as all of them.
    ///
    /// # Errors
    /// The engine's.
    pub fn read(&mut self, text: &str, budget: usize, typing: bool) -> Result<Reading, IndexError> {
        let mut tokens = Vec::new();
        let mut stream = self.analyzer.token_stream(text);
        while tokens.len() < budget && stream.advance() {
            let token = stream.token();
            tokens.push((token.text.clone(), (token.offset_from, token.offset_to)));
        }
        drop(stream);
        let mut reading = Reading::default();
        if typing && let Some(begun) = self.left_out(text, tokens.last().map_or(0, |(_, span)| span.1))? {
            tokens.push(begun);
        }
        let tokens = self.measures(text, tokens, typing)?;
        let last = tokens.len();
        for (index, ((term, span), apart)) in tokens.into_iter().enumerate() {
            let written = text.get(span.0..span.1).unwrap_or_default().to_owned();
            let also = if apart.is_some() { Vec::new() } else { self.also(&written, &term)? };
            let known = apart.is_some() || !also.is_empty() || self.known(&term)?;
            let begun = typing && index + 1 == last && !self.beginning(&analyzer::folded(&written), 1)?.is_empty();
            let unreadable = known || begun || reading.corrections.len() >= MOST_CORRECTIONS;
            let found =
                if unreadable || self.late() { None } else { self.nearest(&written, &term, index + 1 == last)? };
            let terms = match found {
                Some((terms, read)) => {
                    reading.corrections.push(Correction { written: written.clone(), read });
                    terms
                }
                None => vec![term.clone()],
            };
            reading.words.push(Word { written, span, term, terms, also, known, apart });
        }
        for index in 1..reading.words.len() {
            let pair = [reading.words[index - 1].written.as_str(), reading.words[index].written.as_str()];
            if let Some(term) = self.term(&pair.concat())
                && self.known(&term)?
            {
                let weight = if self.usually_joined(&pair, &term)? { 2.0 } else { 1.0 };
                reading.joined.push((index - 1, term, weight));
            }
        }
        Ok(reading)
    }

    /// A last word that is left out as a rule but may be the beginning of another: `to` of `toaster`. `read` is where
    /// the words end that are looked for anyway.
    fn left_out(&mut self, text: &str, read: usize) -> Result<Option<measures::Token>, IndexError> {
        let mut plain = analyzer::plain();
        let mut stream = plain.token_stream(text);
        let mut last = None;
        while stream.advance() {
            last = Some((stream.token().text.clone(), (stream.token().offset_from, stream.token().offset_to)));
        }
        // Behind a space, a word is not being typed any more.
        let Some(last) = last.filter(|(_, span)| span.1 > read && span.1 == text.len()) else { return Ok(None) };
        let goes_on = !self.beginning(&last.0, 1)?.is_empty();
        Ok(goes_on.then_some(last))
    }

    /// Terms of the shop's words that begin like this one, the most frequent first.
    ///
    /// # Errors
    /// The engine's.
    pub fn beginning(&mut self, begun: &str, most: usize) -> Result<Vec<String>, IndexError> {
        let fields = self.snapshot.segments.fields;
        let term = Term::from_field_text(fields.text, begun);
        let mut candidates = self.candidates(&term, Near::Beginning(0), begun)?;
        candidates.retain(|candidate| candidate != begun);
        if candidates.len() < most {
            // The term of a word may end before the word does, or otherwise: `hoodi` begins `hoodie`, whose term is `hoody`.
            let written = Term::from_field_text(fields.words, begun);
            for word in self.candidates(&written, Near::Beginning(0), begun)? {
                if let Some(term) = self.term(&word).filter(|term| term != begun && !candidates.contains(term)) {
                    candidates.push(term);
                }
            }
        }
        let mut found = Vec::new();
        for candidate in candidates.into_iter().take(most) {
            if self.known(&candidate)? {
                found.push(candidate);
            }
        }
        Ok(found)
    }

    /// The term of a word; none if it is none, or several.
    fn term(&mut self, word: &str) -> Option<String> {
        let mut terms = analyzer::terms(&mut self.analyzer, word);
        if terms.len() == 1 { terms.pop() } else { None }
    }

    /// What the shop has of a word's other readings.
    fn also(&mut self, word: &str, term: &str) -> Result<Vec<String>, IndexError> {
        let Some(readings) = &mut self.readings else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        let mut stream = readings.token_stream(word);
        while stream.advance() {
            // Of several words each has its own.
            if stream.token().position == 0 && stream.token().text != term {
                found.push(stream.token().text.clone());
            }
        }
        drop(stream);
        let mut known = Vec::with_capacity(found.len());
        for reading in found {
            if self.known(&reading)? {
                known.push(reading);
            }
        }
        Ok(known)
    }

    /// Whether any product of the shop holds a term in its text.
    fn known(&self, term: &str) -> Result<bool, IndexError> {
        self.has(&Term::from_field_text(self.snapshot.segments.fields.text, term))
    }

    /// Whether any product of the shop holds a term, in the term's field.
    ///
    /// # Errors
    /// The engine's.
    pub fn has(&self, term: &Term) -> Result<bool, IndexError> {
        Ok(self.holder(term)?.is_some())
    }

    /// The title of a product that holds a term.
    fn example(&self, term: &str) -> Result<Option<String>, IndexError> {
        let Some(at) = self.holder(&Term::from_field_text(self.snapshot.segments.fields.text, term))? else {
            return Ok(None);
        };
        let record: TantivyDocument = self.snapshot.segments.searcher.doc(at)?;
        let text = record.get_first(self.snapshot.segments.fields.card).and_then(|card| card.as_str());
        let card: Option<crate::query::HitCard> = text.and_then(|text| serde_json::from_str(text).ok());
        Ok(Some(card.map(|card| card.title).unwrap_or_default()))
    }

    /// The first product of the shop that holds a term.
    fn holder(&self, term: &Term) -> Result<Option<DocAddress>, IndexError> {
        let searcher = &self.snapshot.segments.searcher;
        if searcher.doc_freq(term)? == 0 {
            return Ok(None);
        }
        let both = within(self.statistics.tenant(), holding(term));
        let weight = both.weight(EnableScoring::disabled_from_searcher(searcher))?;
        for (ordinal, segment) in (0..).zip(searcher.segment_readers()) {
            let mut found = weight.scorer(segment, 1.0)?;
            while found.doc() != TERMINATED {
                if segment.alive_bitset().is_none_or(|alive| alive.is_alive(found.doc())) {
                    return Ok(Some(DocAddress::new(ordinal, found.doc())));
                }
                found.advance();
            }
        }
        Ok(None)
    }

    /// Whether more products hold the joined word than the two side by side.
    fn usually_joined(&mut self, pair: &[&str], joined: &str) -> Result<bool, IndexError> {
        let field = self.snapshot.segments.fields.text;
        let terms: Vec<String> = pair.iter().filter_map(|word| self.term(word)).collect();
        if terms.len() < 2 {
            return Ok(true);
        }
        let joined = holding(&Term::from_field_text(field, joined));
        Ok(self.count(joined)? > self.count(Box::new(adjacent(field, &terms)))?)
    }

    /// How many of the shop's products match.
    fn count(&self, query: Box<dyn Query>) -> Result<usize, IndexError> {
        Ok(self.snapshot.segments.searcher.search(&within(self.statistics.tenant(), query), &Count)?)
    }

    /// What an unknown word most likely means, as terms and as people write it: the beginning of a word
    /// if it is the last, two words in one, or a word one or two letters away.
    fn nearest(&mut self, word: &str, term: &str, last: bool) -> Result<Option<Found>, IndexError> {
        let letters = word.chars().count();
        if term.chars().any(|c| c.is_ascii_digit()) {
            return Ok(None);
        }
        let indexed = Term::from_field_text(self.snapshot.segments.fields.text, term);
        if last
            && letters >= SHORTEST_PART
            && let Some(found) = self.best(&indexed, Near::Beginning(0), term)?
        {
            return Ok(Some(found));
        }
        // The shorter a word, the more others are near it by chance. One wrong letter is likelier than a
        // forgotten space, and that is likelier than two.
        let [one, two] = [4, 8].map(|least| letters >= least);
        if one && let Some(found) = self.near(word, &indexed, term, 1)? {
            return Ok(Some(found));
        }
        if let Some(found) = self.split(word)? {
            return Ok(Some(found));
        }
        if two { self.near(word, &indexed, term, 2) } else { Ok(None) }
    }

    /// A term at most so many letters away from the word or its stem: the stem of a misspelt word can be
    /// further from the right one than the word itself.
    fn near(&mut self, word: &str, stem: &Term, term: &str, distance: u8) -> Result<Option<Found>, IndexError> {
        let whole = Term::from_field_text(self.snapshot.segments.fields.text, &analyzer::folded(word));
        for near in [stem, &whole] {
            if let Some(found) = self.best(near, Near::Letters(distance), term)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The most frequent term near one, those with the first letter of `term` before all others.
    fn best(&mut self, around: &Term, near: Near, term: &str) -> Result<Option<Found>, IndexError> {
        for candidate in self.candidates(around, near, term)?.into_iter().take(MOST_CANDIDATES) {
            let candidate = self.stemmed(candidate)?;
            if let Some(title) = self.example(&candidate)? {
                let read = self.written(&title, &candidate);
                return Ok(Some((vec![candidate], read)));
            }
        }
        Ok(None)
    }

    /// The first stem of a term, if texts have words beside their stems and the shop has it.
    fn stemmed(&mut self, term: String) -> Result<String, IndexError> {
        let stem = if self.readings.is_some() { self.term(&term) } else { None };
        match stem {
            Some(stem) if self.known(&stem)? => Ok(stem),
            _ => Ok(term),
        }
    }

    /// The shop's terms near one, those with the first letter of `term` first, then the more frequent.
    fn candidates(&mut self, around: &Term, near: Near, term: &str) -> Result<Vec<String>, IndexError> {
        let (snapshot, statistics) = (self.snapshot, self.statistics);
        let mut found = dictionary::near(&snapshot.segments, statistics, around, near, &mut || self.late())?;
        let first = term.chars().next();
        // A stable sort leaves the more frequent in front.
        found.sort_by_key(|(candidate, _)| candidate.chars().next() != first);
        Ok(found.into_iter().map(|(candidate, _)| candidate).collect())
    }

    /// A term as a title writes it, since a stem is no word.
    fn written(&mut self, title: &str, term: &str) -> String {
        let words = title.split(|c: char| !c.is_alphanumeric());
        let found = words.filter(|word| !word.is_empty()).find(|word| self.term(word).as_deref() == Some(term));
        found.map_or_else(|| term.to_owned(), str::to_lowercase)
    }

    /// Two known words in one, the rarer of them as frequent as can be.
    fn split(&mut self, word: &str) -> Result<Option<Found>, IndexError> {
        let mut best: Option<(u64, Vec<String>, String)> = None;
        for (at, _) in word.char_indices() {
            let (head, tail) = word.split_at(at);
            if head.chars().count() < SHORTEST_PART || tail.chars().count() < SHORTEST_PART {
                continue;
            }
            let (Some(first), Some(second)) = (self.term(head), self.term(tail)) else { continue };
            let (searcher, field) = (&self.snapshot.segments.searcher, self.snapshot.segments.fields.text);
            let frequency = |term: &str| self.statistics.holding(searcher, &Term::from_field_text(field, term));
            let rarer = frequency(&first)?.min(frequency(&second)?);
            if rarer > best.as_ref().map_or(0, |(frequency, ..)| *frequency)
                && self.known(&first)?
                && self.known(&second)?
            {
                best = Some((rarer, vec![first, second], format!("{head} {tail}").to_lowercase()));
            }
        }
        Ok(best.map(|(_, terms, read)| (terms, read)))
    }
}

/// Any of some terms.
pub fn any(field: Field, terms: impl IntoIterator<Item = impl AsRef<str>>) -> Box<dyn Query> {
    let of = |term: String| (Occur::Should, holding(&Term::from_field_text(field, &term)));
    let mut clauses: Vec<_> = terms.into_iter().map(|term| of(term.as_ref().to_owned())).collect();
    match clauses.len() {
        1 => clauses.remove(0).1,
        _ => Box::new(BooleanQuery::new(clauses)),
    }
}

/// Terms side by side.
pub fn adjacent(field: Field, terms: &[String]) -> PhraseQuery {
    PhraseQuery::new(terms.iter().map(|term| Term::from_field_text(field, term)).collect())
}
