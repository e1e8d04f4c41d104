//! What each word of a query may be found as: itself, a code it is part of, both words in one, a synonym, a
//! brand, category, kind or attribute value, or, while somebody types, a word that begins so.

use super::{Clause, Plan, scope, word};
use crate::{
    IndexError,
    analyzer::{self, CodeRun},
    plan::{
        bm25::idf,
        words::{Reader, Reading, either},
    },
    query::SearchRequest,
    ranking::Ranking,
    reader::Snapshot,
    statistics::CatalogStatistics,
    understand::{Effect, Understood},
};
use schemas::filter::{Field as On, Filter};
use std::sync::Arc;
use tantivy::{
    Term,
    query::{BooleanQuery, ConstScoreQuery, Occur, Query},
};

/// Words that a beginning is completed to.
const COMPLETIONS: usize = 12;
/// What a completed word is worth beside one that was typed out.
const COMPLETED: f32 = 0.8;

struct Filling<'a, 'b> {
    snapshot: &'a Snapshot,
    catalog: &'a Arc<CatalogStatistics>,
    ranking: &'a Ranking,
    request: &'a SearchRequest,
    reader: &'b mut Reader<'a>,
    groups: Vec<Vec<Clause>>,
    /// Words that a brand or a code accounts for.
    exact: Vec<bool>,
    /// Words that a code accounts for.
    coded: Vec<bool>,
    understood: Vec<Understood>,
    extras: Vec<Clause>,
}

/// Fills a plan's groups, one for each word that can be found at all.
pub fn fill<'a>(
    plan: &mut Plan,
    snapshot: &'a Snapshot,
    ranking: &'a Ranking,
    catalog: &'a Arc<CatalogStatistics>,
    request: &'a SearchRequest,
    reader: &mut Reader<'a>,
    text: &str,
    reading: &Reading,
) -> Result<(), IndexError> {
    let count = reading.words.len();
    let (groups, exact) = ((0..count).map(|_| Vec::new()).collect(), vec![false; count]);
    let mut filling = Filling {
        snapshot,
        catalog,
        ranking,
        request,
        reader,
        groups,
        coded: exact.clone(),
        exact,
        understood: Vec::new(),
        extras: Vec::new(),
    };
    filling.words(reading);
    filling.joined(reading);
    filling.codes(text, reading)?;
    filling.synonyms(reading);
    if request.understand {
        filling.meanings(reading);
    }
    if request.typing {
        filling.completions(reading)?;
    }
    let all = |words: &[bool]| !words.is_empty() && words.iter().all(|word| *word);
    (plan.exact, plan.coded) = (all(&filling.exact), all(&filling.coded));
    plan.understood.append(&mut filling.understood);
    plan.extras.append(&mut filling.extras);
    plan.groups = filling.groups.into_iter().filter(|group| !group.is_empty()).collect();
    Ok(())
}

impl Filling<'_, '_> {
    fn add(&mut self, index: usize, part: String, query: Box<dyn Query>) {
        if let Some(group) = self.groups.get_mut(index) {
            group.push(Clause { part, query });
        }
    }

    fn words(&mut self, reading: &Reading) {
        for (index, read) in reading.words.iter().enumerate() {
            let corrected = read.terms != [read.term.clone()];
            if let Some(apart) = &read.apart {
                let documents = self.catalog.texts.documents();
                let score = idf(documents.max(apart.holding), apart.holding);
                let query = either(self.snapshot.segments.fields.text, &read.term, &apart.terms);
                let part = format!("text: {} or {}", read.term, apart.terms.join(" "));
                self.add(index, part, Box::new(ConstScoreQuery::new(query, score)));
            } else if read.known || corrected {
                let (query, part) = (self.all(&read.terms, 1.0), format!("text: {}", read.terms.join(" ")));
                self.add(index, part, query);
            }
            for also in &read.also {
                let query = word(self.catalog, self.snapshot.segments.fields.text, also, self.ranking, 1.0);
                self.add(index, format!("text: {also}"), query);
            }
        }
    }

    /// Both words in one match for each of them, and add to what the words alone are worth.
    fn joined(&mut self, reading: &Reading) {
        for (first, term, weight) in &reading.joined {
            let part = format!("text: {term}, both words in one");
            for index in [*first, first + 1] {
                let query = word(self.catalog, self.snapshot.segments.fields.text, term, self.ranking, 0.0);
                self.add(index, part.clone(), query);
            }
            let query = word(self.catalog, self.snapshot.segments.fields.text, term, self.ranking, *weight);
            self.extras.push(Clause { part, query });
        }
    }

    /// Codes that words form, typed in one or in pieces; each word of one takes its share.
    fn codes(&mut self, text: &str, reading: &Reading) -> Result<(), IndexError> {
        let field = self.snapshot.segments.fields.code;
        let codes = analyzer::codes(text).into_iter().flat_map(|CodeRun { code, span, .. }| {
            let gtin = analyzer::gtin(&code);
            std::iter::once(code).chain(gtin).map(move |code| (code, span))
        });
        for (code, span) in codes {
            if !self.reader.has(&Term::from_field_text(field, &code))? {
                continue;
            }
            for (index, read) in reading.words.iter().enumerate() {
                if read.span.0 >= span.0 && read.span.1 <= span.1 {
                    let query = word(self.catalog, field, &code, self.ranking, 1.0);
                    self.add(index, format!("code: {code}"), query);
                    (self.exact[index], self.coded[index]) = (true, true);
                }
            }
        }
        Ok(())
    }

    fn synonyms(&mut self, reading: &Reading) {
        let terms: Vec<String> = reading.words.iter().map(|word| word.terms.join(" ")).collect();
        let request = self.request;
        for (start, length, to) in request.steering.synonyms.matches(&terms) {
            for index in start..start + length {
                #[expect(clippy::cast_precision_loss, reason = "a handful of words")]
                let query = self.all(to, self.ranking.synonym_weight / length as f32);
                self.add(index, format!("synonym: {}", to.join(" ")), query);
            }
        }
    }

    /// Runs of words that the catalog knows as a brand, a category, a kind or an attribute's value. The
    /// longest reading counts, and words it covers are not read again.
    fn meanings(&mut self, reading: &Reading) {
        let catalog = Arc::clone(self.catalog);
        let count = reading.words.len();
        let mut covered = vec![false; count];
        for length in (1..=catalog.vocabulary.longest().min(count)).rev() {
            for start in 0..=count - length {
                let run = &reading.words[start..start + length];
                if covered[start..start + length].iter().any(|covered| *covered) {
                    continue;
                }
                let terms: Vec<String> = run.iter().map(|word| word.terms.join(" ")).collect();
                // Values are known as they are written: a measure may be so with a space.
                let pieces = || run.iter().flat_map(|word| word.pieces().to_vec()).collect::<Vec<_>>();
                let found = [catalog.vocabulary.meanings(&terms), catalog.vocabulary.meanings(&pieces())];
                let Some(meanings) = found.into_iter().find(|meanings| !meanings.is_empty()) else { continue };
                covered[start..start + length].fill(true);
                let said = run.iter().map(|word| word.written.as_str()).collect::<Vec<_>>().join(" ");
                for meaning in meanings {
                    self.meaning(start, length, &said, &meaning.filter, meaning.products);
                }
            }
        }
    }

    fn meaning(&mut self, start: usize, length: usize, said: &str, filter: &Filter, products: u64) {
        let kind = match filter {
            Filter::Is(On::Brand, _) => "brand",
            Filter::Is(On::Category, _) => "category",
            Filter::Is(On::ProductType, _) => "product_type",
            _ => "attribute",
        };
        if kind == "brand" {
            self.exact[start..start + length].fill(true);
        }
        let documents = self.catalog.texts.documents();
        #[expect(clippy::cast_precision_loss, reason = "a handful of words")]
        let score = self.ranking.attribute_weight * idf(documents.max(products), products) / length as f32;
        for index in start..start + length {
            let query = scope(self.snapshot, self.request).compile(filter);
            self.add(index, filter.to_string(), Box::new(ConstScoreQuery::new(query, score)));
        }
        self.understood.push(Understood {
            kind: kind.to_owned(),
            text: said.to_owned(),
            value: filter.to_string(),
            effect: Effect::Boost,
        });
    }

    fn completions(&mut self, reading: &Reading) -> Result<(), IndexError> {
        let Some(last) = reading.words.last().filter(|word| word.terms == [word.term.clone()]) else { return Ok(()) };
        let begun = analyzer::folded(&last.written);
        for term in self.reader.beginning(&begun, COMPLETIONS)? {
            let query = word(self.catalog, self.snapshot.segments.fields.text, &term, self.ranking, COMPLETED);
            self.add(reading.words.len() - 1, format!("text: {term}, begun"), query);
        }
        Ok(())
    }

    /// All of some terms in the text.
    fn all(&self, terms: &[String], weight: f32) -> Box<dyn Query> {
        let field = self.snapshot.segments.fields.text;
        match terms {
            [term] => word(self.catalog, field, term, self.ranking, weight),
            _ => {
                let clauses =
                    terms.iter().map(|term| (Occur::Must, word(self.catalog, field, term, self.ranking, weight)));
                Box::new(BooleanQuery::new(clauses.collect()))
            }
        }
    }
}
