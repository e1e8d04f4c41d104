//! From a request to clauses: what must hold, what each word may be found as, and what only adds to the score.

use crate::{
    IndexError, analyzer,
    query::{Correction, MAX_TERMS, MAX_TEXT_CHARS, SearchRequest},
    ranking::Ranking,
    reader::Snapshot,
    statistics::CatalogStatistics,
    tenant::holding,
    understand::{self, Effect, Parts, Price, Understood},
};
use schemas::filter::{Field as On, Filter, Limit, Test};
use std::{collections::BTreeMap, sync::Arc};
use tantivy::{
    Term,
    query::{AllQuery, BooleanQuery, ConstScoreQuery, DisjunctionMaxQuery, EmptyQuery, Occur, Query, QueryClone},
    schema::Field,
};

mod alternatives;
pub mod bm25;
pub mod filter;
mod phrases;
pub mod scaled;
pub mod words;

use bm25::{Bm25Query, idf};
use filter::{Scope, silent};
use scaled::{Factor, Novelty, Scaled, Signals};
use words::{Reader, Reading, Word, adjacent, any, either};

/// A clause that adds to the score, with what it is for.
#[derive(Debug)]
pub struct Clause {
    /// For explanations: `title: wireless`.
    pub part: String,
    /// The clause.
    pub query: Box<dyn Query>,
}

/// A request, compiled.
#[derive(Debug)]
pub struct Plan {
    /// What holds for every hit, without a score.
    pub base: Vec<(Occur, Box<dyn Query>)>,
    /// The conditions of the filter and the prices in the text, all of which hold.
    pub conditions: Vec<(Filter, Box<dyn Query>)>,
    /// Phrases that must occur.
    pub phrases: Vec<Clause>,
    /// For each word, what it may be found as; the best counts.
    pub groups: Vec<Vec<Clause>>,
    /// Words of the query, those that the shop doesn't know included.
    pub asked: usize,
    /// What adds to the score only.
    pub extras: Vec<Clause>,
    /// Products that are hits whatever the words, since staff pinned them.
    pub pinned: Option<Box<dyn Query>>,
    /// What multiplies it.
    pub signals: Arc<Signals>,
    /// The words' terms, in order, that are looked for.
    pub terms: Vec<String>,
    /// The terms to mark in texts: those, and the pieces that products may write them in.
    pub marked: Vec<String>,
    /// See [`crate::query::SearchResponse`].
    pub corrections: Vec<Correction>,
    /// See [`crate::query::SearchResponse`].
    pub understood: Vec<Understood>,
    /// Nothing but brands and codes.
    pub exact: bool,
    /// Nothing but codes.
    pub coded: bool,
    /// The time was up before all words were looked up.
    pub partial: bool,
    /// Text was given, but nothing to look for is in it.
    pub nothing: bool,
}

impl Plan {
    /// Compiles a request.
    ///
    /// # Errors
    /// The engine's.
    pub fn new(
        snapshot: &Snapshot,
        catalog: &Arc<CatalogStatistics>,
        request: &SearchRequest,
    ) -> Result<Self, IndexError> {
        let ranking = request.ranking.as_ref().unwrap_or(&snapshot.ranking);
        let parts = parts(snapshot, request)?;
        let mut plan = Self::filtering(snapshot, request, &parts);
        plan.signals = Arc::new(signals(scope(snapshot, request), request, ranking));
        for phrase in &parts.phrases {
            plan.phrase(snapshot, catalog, ranking, phrase);
        }
        let mut reader = Reader::new(snapshot, &catalog.texts, request.deadline);
        let mut words = parts.words.clone();
        if request.text.ends_with(char::is_whitespace) {
            words.push(' ');
        }
        let reading = reader.read(&words, MAX_TERMS, request.typing)?;
        plan.asked = reading.words.len();
        alternatives::fill(&mut plan, snapshot, ranking, catalog, request, &mut reader, &words, &reading)?;
        plan.extras.extend(extras(snapshot, catalog, ranking, &reading)?);
        plan.terms = reading.words.iter().flat_map(|word| word.terms.clone()).collect();
        let apart = reading.words.iter().filter_map(|word| word.apart.as_ref());
        let also = reading.words.iter().flat_map(|word| &word.also);
        let beside = apart.flat_map(|apart| &apart.terms).chain(also);
        plan.marked = beside.chain(&plan.terms).cloned().collect();
        plan.corrections = reading.corrections;
        plan.partial = reader.partial;
        // Only stop words and signs: nothing to look for.
        plan.nothing = !request.text.trim().is_empty()
            && plan.asked == 0
            && plan.phrases.is_empty()
            && parts.price.is_none()
            && parts.without.is_empty();
        Ok(plan)
    }

    /// Compiles the filters alone, those in the text included; its words are not read.
    ///
    /// # Errors
    /// The engine's.
    pub fn of_filters(snapshot: &Snapshot, request: &SearchRequest) -> Result<Self, IndexError> {
        Ok(Self::filtering(snapshot, request, &parts(snapshot, request)?))
    }

    fn filtering(snapshot: &Snapshot, request: &SearchRequest, parts: &Parts) -> Self {
        let mut plan = Self::without_text(snapshot, request);
        if let Some(price) = &parts.price {
            plan.price(snapshot, request, price);
        }
        for written in &parts.without {
            plan.exclude(snapshot, written);
        }
        plan
    }

    fn without_text(snapshot: &Snapshot, request: &SearchRequest) -> Self {
        let scope = scope(snapshot, request);
        let tenant = holding(&snapshot.segments.fields.tenant_term(request.tenant));
        let mut base: Vec<(Occur, Box<dyn Query>)> = vec![(Occur::Must, silent(tenant))];
        let filters = match &request.filter {
            Some(Filter::All(parts)) => parts.clone(),
            Some(filter) => vec![filter.clone()],
            None => Vec::new(),
        };
        let conditions = filters.into_iter().map(|filter| (filter.clone(), scope.compile(&filter))).collect();
        if let Some(only) = &request.only {
            base.push((Occur::Must, scope.compile(only)));
        }
        if let Some(ids) = &request.ids {
            base.push((Occur::Must, scope.ids(ids)));
        }
        if !request.steering.hidden.is_empty() {
            base.push((Occur::MustNot, scope.ids(&request.steering.hidden)));
        }
        Self {
            base,
            conditions,
            phrases: Vec::new(),
            groups: Vec::new(),
            asked: 0,
            extras: Vec::new(),
            pinned: None,
            signals: Arc::default(),
            terms: Vec::new(),
            marked: Vec::new(),
            corrections: Vec::new(),
            understood: Vec::new(),
            exact: false,
            coded: false,
            partial: false,
            nothing: false,
        }
    }

    fn price(&mut self, snapshot: &Snapshot, request: &SearchRequest, price: &Price) {
        let currency = price.money.map_or(request.currency, |money| money.currency(request.currency));
        #[expect(clippy::cast_possible_truncation, reason = "an amount in minor units, saturating")]
        let limit = |amount: Option<f64>| {
            let unit = f64::from(10_u32.pow(currency.exponent()));
            amount.map(|amount| Limit { value: ((amount * unit).round() as i64).to_string(), inclusive: true })
        };
        let test = Test::Range { from: limit(price.from), to: limit(price.to) };
        let filter = Filter::Is(On::Price(Some(currency)), test);
        self.understood.push(Understood {
            kind: "price".to_owned(),
            text: price.said.clone(),
            value: filter.to_string(),
            effect: Effect::Filter,
        });
        let compiled = scope(snapshot, request).compile(&filter);
        self.conditions.push((filter, compiled));
    }

    fn exclude(&mut self, snapshot: &Snapshot, written: &str) {
        let excluded = phrases::excluded(snapshot, written);
        self.base.extend(excluded.into_iter().map(|query| (Occur::MustNot, silent(query))));
        self.understood.push(Understood {
            kind: "without".to_owned(),
            text: written.to_owned(),
            value: written.to_owned(),
            effect: Effect::Filter,
        });
    }

    fn phrase(&mut self, snapshot: &Snapshot, catalog: &Arc<CatalogStatistics>, ranking: &Ranking, phrase: &str) {
        let field = snapshot.segments.fields.text;
        let words = phrases::placed(&mut analyzer::of_index(snapshot.segments.searcher.index()), phrase);
        let query: Box<dyn Query> = match words.as_slice() {
            [] => return,
            [(_, term)] => word(catalog, field, term, ranking, 1.0),
            several => Box::new(phrases::in_places(field, several)),
        };
        self.phrases.push(Clause { part: format!("phrase: {phrase}"), query });
        self.understood.push(Understood {
            kind: "phrase".to_owned(),
            text: phrase.to_owned(),
            value: phrase.to_owned(),
            effect: Effect::Filter,
        });
    }

    /// What has to hold whatever the words.
    pub fn filters(&self) -> BooleanQuery {
        let conditions = self.conditions.iter().map(|(_, query)| (Occur::Must, query.box_clone()));
        BooleanQuery::new(
            self.base.iter().map(|(occur, query)| (*occur, query.box_clone())).chain(conditions).collect(),
        )
    }

    /// How many words have to match, all first, then fewer and fewer.
    pub fn steps(&self) -> Vec<usize> {
        let all = self.groups.len();
        let mut steps = vec![all, (all * 3).div_ceil(4), all.div_ceil(2), 1];
        steps.retain(|step| *step >= 1 && *step <= all);
        steps.dedup();
        if steps.is_empty() { vec![0] } else { steps }
    }

    /// The query for which at least so many words have to match.
    pub fn query(&self, matching: usize) -> Box<dyn Query> {
        self.query_where(matching, |_| true)
    }

    /// The same with only some of the conditions.
    pub fn query_where(&self, matching: usize, keep: impl Fn(&Filter) -> bool) -> Box<dyn Query> {
        self.build(
            matching,
            self.conditions
                .iter()
                .filter(|(filter, _)| keep(filter))
                .map(|(_, query)| (Occur::Must, query.box_clone()))
                .collect(),
        )
    }

    /// The same without what the values chosen of a field bring.
    pub fn query_without_chosen(&self, matching: usize, field: &On) -> Box<dyn Query> {
        let of_field = |filter: &Filter| matches!(filter, Filter::Is(on, Test::In(_)) if on == field);
        let occur = |(filter, query): &(Filter, Box<dyn Query>)| {
            (if of_field(filter) { Occur::MustNot } else { Occur::Must }, query.box_clone())
        };
        self.build(matching, self.conditions.iter().map(occur).collect())
    }

    /// The same with other values chosen of a field.
    pub fn query_with(
        &self,
        matching: usize,
        field: &On,
        values: Vec<String>,
        snapshot: &Snapshot,
        request: &SearchRequest,
    ) -> Box<dyn Query> {
        let of_field = |filter: &Filter| matches!(filter, Filter::Is(on, Test::In(_)) if on == field);
        let others = self.conditions.iter().filter(|(filter, _)| !of_field(filter));
        let mut conditions: Vec<_> = others.map(|(_, query)| (Occur::Must, query.box_clone())).collect();
        let filter = Filter::Is(field.clone(), Test::In(values));
        conditions.push((Occur::Must, scope(snapshot, request).compile(&filter)));
        self.build(matching, conditions)
    }

    fn build(&self, matching: usize, conditions: Vec<(Occur, Box<dyn Query>)>) -> Box<dyn Query> {
        if self.nothing {
            return Box::new(EmptyQuery);
        }
        let mut clauses = self.base.iter().map(|(occur, query)| (*occur, query.box_clone())).collect::<Vec<_>>();
        clauses.extend(conditions);
        clauses.extend(self.worded(matching));
        clauses.extend(self.extras.iter().map(|clause| (Occur::Should, clause.query.box_clone())));
        let matched: Box<dyn Query> = Box::new(BooleanQuery::new(clauses));
        if self.signals.is_empty() {
            return matched;
        }
        // Without words all are alike, and what multiplies is the whole order.
        let browsing = self.groups.is_empty() && self.phrases.is_empty();
        let inner = if browsing { Box::new(ConstScoreQuery::new(matched, 1.0)) } else { matched };
        Box::new(Scaled { inner, signals: Arc::clone(&self.signals) })
    }

    /// What has to hold for the words and phrases, or being pinned.
    fn worded(&self, matching: usize) -> Vec<(Occur, Box<dyn Query>)> {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> =
            self.phrases.iter().map(|clause| (Occur::Must, clause.query.box_clone())).collect();
        let groups: Vec<Box<dyn Query>> = self.groups.iter().map(|group| best_of(group)).collect();
        if groups.is_empty() {
            // Words were asked for, and the shop has none of them.
            let rest: Box<dyn Query> = if self.asked > 0 { Box::new(EmptyQuery) } else { Box::new(AllQuery) };
            clauses.push((Occur::Must, rest));
        } else if matching >= groups.len() {
            clauses.extend(groups.into_iter().map(|group| (Occur::Must, group)));
        } else {
            let groups = groups.into_iter().map(|group| (Occur::Should, group)).collect();
            let query = BooleanQuery::with_minimum_required_clauses(groups, matching);
            clauses.push((Occur::Must, Box::new(query)));
        }
        let Some(pinned) = &self.pinned else { return clauses };
        let either: Vec<(Occur, Box<dyn Query>)> =
            vec![(Occur::Should, Box::new(BooleanQuery::new(clauses))), (Occur::Should, pinned.box_clone())];
        vec![(Occur::Must, Box::new(BooleanQuery::new(either)))]
    }
}

/// Takes a request's text apart. A number that products are called by is no price: `air max 90`.
///
/// # Errors
/// The engine's.
pub fn parts(snapshot: &Snapshot, request: &SearchRequest) -> Result<Parts, IndexError> {
    let text: String = request.text.chars().take(MAX_TEXT_CHARS).collect();
    let form = analyzer::Form::of(&text);
    let parts = understand::parts(form.text(), request.understand);
    let name = parts.price.as_ref().filter(|price| price.money.is_none()).map(|price| price.name.as_str());
    match name {
        Some(name) if phrases::is_named(snapshot, request.tenant, name)? => Ok(understand::parts(form.text(), false)),
        _ => Ok(parts),
    }
}

/// What a request's filters are compiled for.
pub fn scope<'a>(snapshot: &'a Snapshot, request: &SearchRequest) -> Scope<'a> {
    Scope { fields: &snapshot.segments.fields, tenant: request.tenant, currency: request.currency }
}

fn best_of(group: &[Clause]) -> Box<dyn Query> {
    match group {
        [only] => only.query.box_clone(),
        several => Box::new(DisjunctionMaxQuery::new(several.iter().map(|clause| clause.query.box_clone()).collect())),
    }
}

/// A word in a field, scored.
fn word(catalog: &Arc<CatalogStatistics>, field: Field, term: &str, ranking: &Ranking, weight: f32) -> Box<dyn Query> {
    let (term, catalog) = (Term::from_field_text(field, term), Arc::clone(catalog));
    Box::new(Bm25Query { term, k1: ranking.k1, b: ranking.b, weight, catalog })
}

/// What the title adds: the share of the query's words it has, by rarity, and of its pairs.
fn extras(
    snapshot: &Snapshot,
    catalog: &CatalogStatistics,
    ranking: &Ranking,
    reading: &Reading,
) -> Result<Vec<Clause>, IndexError> {
    let field = snapshot.segments.fields.title;
    let pieces: Vec<&String> = reading.words.iter().flat_map(|word| word.pieces()).collect();
    let pairs: Vec<[String; 2]> =
        pieces.windows(2).filter(|pair| pair[0] != pair[1]).map(|pair| [pair[0].clone(), pair[1].clone()]).collect();
    let terms = reading.words.iter().flat_map(|word| word.terms.iter().map(move |term| (term, word)));
    // Each term once, however often it was typed.
    let terms: BTreeMap<&String, &Word> = terms.collect();
    let statistics = &catalog.texts;
    let mut rarities = Vec::new();
    for (term, word) in &terms {
        let indexed = Term::from_field_text(snapshot.segments.fields.text, term);
        let holding = match &word.apart {
            Some(apart) => apart.holding,
            None => statistics.holding(&snapshot.segments.searcher, &indexed)?,
        };
        rarities.push(idf(statistics.documents(), holding));
    }
    let all: f32 = rarities.iter().sum::<f32>().max(f32::EPSILON);
    let mut clauses = Vec::new();
    for ((term, word), rarity) in terms.into_iter().zip(&rarities) {
        let holds = match &word.apart {
            Some(apart) => either(field, term, &apart.terms),
            None => any(field, [term].into_iter().chain(&word.also)),
        };
        let query = ConstScoreQuery::new(holds, ranking.title_boost * rarity / all);
        clauses.push(Clause { part: format!("title has: {term}"), query: Box::new(query) });
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of words")]
    let each = ranking.phrase_boost / pairs.len().max(1) as f32;
    for pair in pairs {
        let query = ConstScoreQuery::new(Box::new(adjacent(field, &pair)), each);
        clauses.push(Clause { part: format!("title has in a row: {}", pair.join(" ")), query: Box::new(query) });
    }
    Ok(clauses)
}

/// Popularity from which a product belongs to a tier, and the tier's share of what popularity is worth.
const TIERS: [(f32, f32); 4] = [(0.1, 0.25), (0.3, 0.25), (0.6, 0.25), (0.9, 0.25)];

fn signals(scope: Scope<'_>, request: &SearchRequest, ranking: &Ranking) -> Signals {
    let mut factors = Vec::new();
    for (filter, weight) in &request.steering.boosts {
        factors.push(Factor { part: format!("boost: {filter}"), query: scope.compile(filter), weight: *weight });
    }
    if ranking.available_boost != 0.0 {
        let available = Filter::Is(On::Available, Test::In(vec!["true".to_owned()]));
        let weight = 1.0 + ranking.available_boost;
        factors.push(Factor { part: "in stock".to_owned(), query: scope.compile(&available), weight });
    }
    if ranking.popularity_boost != 0.0 && !request.steering.popularity.is_empty() {
        for (least, share) in TIERS {
            let popular = request.steering.popularity.iter().filter(|(_, popularity)| **popularity >= least);
            let ids: Vec<_> = popular.map(|(id, _)| *id).collect();
            if !ids.is_empty() {
                let weight = 1.0 + ranking.popularity_boost * share;
                factors.push(Factor { part: format!("popular, {least} or more"), query: scope.ids(&ids), weight });
            }
        }
    }
    let novelty = request.now.filter(|_| ranking.novelty_boost != 0.0);
    let novelty = novelty.map(|now| Novelty::new(ranking.novelty_boost, ranking.novelty_days, now));
    Signals { factors, novelty }
}
