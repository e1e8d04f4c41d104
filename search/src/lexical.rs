//! Lexical retrieval: BM25 over the flat text, a boost for the title, filters, sorting and paging.

use crate::{
    IndexError, analyzer, facets,
    query::{
        Correction, Filter, Hit, HitCard, MAX_LIMIT, MAX_OFFSET, MAX_TERMS, MAX_TEXT_CHARS, SearchRequest,
        SearchResponse, Sort,
    },
    reader::Snapshot,
};
use schemas::ids::ProductId;
use tantivy::{
    DocAddress, Order, TantivyDocument, Term,
    collector::{
        Count, TopDocs,
        sort_key::{SortBySimilarityScore, SortByStaticFastValue, SortByString},
    },
    query::{AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, EmptyQuery, Occur, PhraseQuery, Query, TermQuery},
    schema::{Field, IndexRecordOption, Value},
};

mod filter;
mod order;
mod words;

/// Searches a snapshot.
///
/// # Errors
/// [`IndexError::Request`] if a bound is exceeded or a facet is unknown; otherwise the engine's.
pub fn search(snapshot: &Snapshot, request: &SearchRequest) -> Result<SearchResponse, IndexError> {
    if request.limit > MAX_LIMIT || request.offset > MAX_OFFSET {
        return Err(IndexError::Request(format!(
            "a page has at most {MAX_LIMIT} hits and starts at {MAX_OFFSET} at the latest"
        )));
    }
    let (query, corrections) = compile(snapshot, request)?;
    let (ranked, total) = ranked(snapshot, request, query.as_ref())?;
    let hits = ranked.into_iter().map(|(score, at)| hit(snapshot, score, at)).collect::<Result<_, _>>()?;
    let facets = facets::count(snapshot, query.as_ref(), &request.facets)?;
    Ok(SearchResponse { total, hits, facets, corrections })
}

/// The cards of products by id, in any order; ids that are not here or don't pass the filters are left out.
///
/// # Errors
/// The engine's.
pub fn by_ids(snapshot: &Snapshot, request: &SearchRequest, ids: &[ProductId]) -> Result<Vec<Hit>, IndexError> {
    let mut filters = request.filters.clone();
    filters.push(Filter::Ids(ids.to_vec()));
    let request = SearchRequest {
        text: String::new(),
        filters,
        offset: 0,
        limit: ids.len(),
        sort: Sort::Relevance,
        ..request.clone()
    };
    let (query, _) = compile(snapshot, &request)?;
    let (ranked, _) = ranked(snapshot, &request, query.as_ref())?;
    ranked.into_iter().map(|(score, at)| hit(snapshot, score, at)).collect()
}

/// The facets of everything that passes the filters and matches the text.
///
/// # Errors
/// [`IndexError::Request`] if a facet is unknown; otherwise the engine's.
pub fn facets_of(snapshot: &Snapshot, request: &SearchRequest) -> Result<Vec<crate::query::FacetCounts>, IndexError> {
    facets::count(snapshot, compile(snapshot, request)?.0.as_ref(), &request.facets)
}

/// The query, and what of the text was read as something else.
fn compile(snapshot: &Snapshot, request: &SearchRequest) -> Result<(Box<dyn Query>, Vec<Correction>), IndexError> {
    let fields = &snapshot.fields;
    let tenant = Term::from_field_text(fields.tenant, &request.tenant.to_string());
    let (text, corrections) = text_query(snapshot, &tenant, &request.text)?;
    let mut clauses: Vec<(Occur, Box<dyn Query>)> =
        vec![(Occur::Must, filter::silent(TermQuery::new(tenant, IndexRecordOption::Basic)))];
    for condition in &request.filters {
        clauses.push((Occur::Must, filter::compile(fields, request.tenant, condition)));
    }
    clauses.push((Occur::Must, text));
    Ok((Box::new(BooleanQuery::new(clauses)), corrections))
}

/// Any of the words, better the more there are and the closer they stand in the title, and best a part
/// number, SKU or EAN; words in double quotes must follow one another.
fn text_query(snapshot: &Snapshot, tenant: &Term, text: &str) -> Result<(Box<dyn Query>, Vec<Correction>), IndexError> {
    let text: String = text.chars().take(MAX_TEXT_CHARS).collect();
    if text.trim().is_empty() {
        return Ok((Box::new(AllQuery), Vec::new()));
    }
    let (fields, ranking, mut analyzer) = (&snapshot.fields, &snapshot.ranking, analyzer::english());
    let mut reader = words::Reader::new(snapshot, tenant.clone());
    let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
    let (mut budget, mut corrections) = (MAX_TERMS, Vec::new());
    for (index, part) in text.split('"').enumerate() {
        let mut terms;
        if index % 2 == 1 {
            terms = analyzer::terms(&mut analyzer, part);
            terms.truncate(budget);
            match terms.as_slice() {
                [] => {}
                [term] => clauses.push((Occur::Must, word(fields.text, term, 1.0))),
                _ => clauses.push((Occur::Must, Box::new(phrase(fields.text, &terms)))),
            }
        } else {
            let reading = reader.read(part, budget)?;
            terms = reading.terms;
            corrections.extend(reading.corrections);
            clauses.extend(terms.iter().map(|term| (Occur::Should, word(fields.text, term, 1.0))));
            let joined = reading.joined.iter();
            clauses.extend(joined.map(|(term, weight)| (Occur::Should, word(fields.text, term, *weight))));
            clauses.extend(pairs(fields.title, &terms, ranking.phrase_boost));
        }
        budget -= terms.len().min(budget);
        clauses.extend(terms.iter().map(|term| (Occur::Should, word(fields.title, term, ranking.title_boost))));
    }
    for (code, words) in analyzer::codes(&text).into_iter().take(MAX_TERMS) {
        // A code that was typed in pieces outweighs what the pieces find.
        #[expect(clippy::cast_precision_loss, reason = "a handful of words")]
        clauses.push((Occur::Should, word(fields.code, &code, words as f32)));
    }
    // Only stop words and signs: nothing to look for.
    let query: Box<dyn Query> =
        if clauses.is_empty() { Box::new(EmptyQuery) } else { Box::new(BooleanQuery::new(clauses)) };
    Ok((query, corrections))
}

fn phrase(field: Field, terms: &[String]) -> PhraseQuery {
    PhraseQuery::new(terms.iter().map(|term| Term::from_field_text(field, term)).collect())
}

/// Each two words that follow one another, together worth `boost`.
fn pairs(field: Field, terms: &[String], boost: f32) -> Vec<(Occur, Box<dyn Query>)> {
    let pairs: Vec<&[String]> = terms.windows(2).filter(|pair| pair[0] != pair[1]).collect();
    #[expect(clippy::cast_precision_loss, reason = "a handful of words")]
    let each = boost / pairs.len().max(1) as f32;
    let clause = |pair: &[String]| -> (Occur, Box<dyn Query>) {
        (Occur::Should, Box::new(ConstScoreQuery::new(Box::new(phrase(field, pair)), each)))
    };
    pairs.into_iter().map(clause).collect()
}

fn word(field: Field, term: &str, boost: f32) -> Box<dyn Query> {
    let query = TermQuery::new(Term::from_field_text(field, term), IndexRecordOption::WithFreqs);
    Box::new(BoostQuery::new(Box::new(query), boost))
}

type Ranked = (Vec<(f32, DocAddress)>, usize);

fn ranked(snapshot: &Snapshot, request: &SearchRequest, query: &dyn Query) -> Result<Ranked, IndexError> {
    let searcher = &snapshot.searcher;
    if request.limit == 0 {
        return Ok((Vec::new(), searcher.search(query, &Count)?));
    }
    let top = TopDocs::with_limit(request.limit).and_offset(request.offset);
    let tie = (SortByStaticFastValue::<u64>::for_field("tie"), Order::Asc);
    Ok(match request.sort {
        Sort::Relevance => {
            let (found, total) =
                searcher.search(query, &(top.order_by(((SortBySimilarityScore, Order::Desc), tie)), Count))?;
            (found.into_iter().map(|((score, _), at)| (score, at)).collect(), total)
        }
        Sort::Title => {
            let by_title = (SortByString::for_field("title_sort"), Order::Asc);
            unscored(searcher.search(query, &(top.order_by((by_title, tie)), Count))?)
        }
        Sort::PriceAscending(currency) => {
            unscored(searcher.search(query, &(top.order_by((order::price(currency, false), tie)), Count))?)
        }
        Sort::PriceDescending(currency) => {
            unscored(searcher.search(query, &(top.order_by((order::price(currency, true), tie)), Count))?)
        }
        Sort::Newest => unscored(searcher.search(query, &(top.order_by((order::released(true), tie)), Count))?),
        Sort::Oldest => unscored(searcher.search(query, &(top.order_by((order::released(false), tie)), Count))?),
    })
}

fn unscored<K>((found, total): (Vec<(K, DocAddress)>, usize)) -> Ranked {
    (found.into_iter().map(|(_, at)| (0.0, at)).collect(), total)
}

fn hit(snapshot: &Snapshot, score: f32, at: DocAddress) -> Result<Hit, IndexError> {
    let record: TantivyDocument = snapshot.searcher.doc(at)?;
    let card = record.get_first(snapshot.fields.card).and_then(|value| value.as_str()).unwrap_or_default();
    let card: HitCard = serde_json::from_str(card).map_err(std::io::Error::from)?;
    Ok(Hit { score, card })
}
