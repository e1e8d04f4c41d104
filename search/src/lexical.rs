//! Retrieval by words: a plan of what each word may be found as, BM25 over it, fewer words when none has
//! all, the best hits in order again by their kind, pins, facets, highlights.

use crate::{
    IndexError, facets,
    highlight::Marker,
    learned::{Lessons, Profile},
    query::{Hit, HitCard, MAX_LIMIT, MAX_OFFSET, Relaxed, SearchRequest, SearchResponse, Sort, Steering},
    reader::Snapshot,
};
use schemas::{filter::Filter, ids::ProductId};
use std::sync::Arc;
use tantivy::{
    DocAddress, Order, TantivyDocument,
    collector::{
        Count, DocSetCollector, TopDocs,
        sort_key::{SortBySimilarityScore, SortByStaticFastValue, SortByString},
    },
    query::Query,
    schema::Value,
};

mod bm25;
mod explain;
mod filter;
mod order;
pub(crate) mod plan;
mod scaled;
pub(crate) mod words;

use filter::VariantCondition;
use plan::Plan;

pub use explain::why;

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
    Searched::new(snapshot, request)?.answer()
}

/// The cards of products by id, in any order; ids that are not here or don't pass the filters are left out.
///
/// # Errors
/// The engine's.
pub fn by_ids(snapshot: &Snapshot, request: &SearchRequest, ids: &[ProductId]) -> Result<Vec<Hit>, IndexError> {
    let steering = Steering { pins: Vec::new(), ..request.steering.as_ref().clone() };
    let request = SearchRequest {
        text: String::new(),
        ids: Some(ids.to_vec()),
        offset: 0,
        limit: ids.len(),
        sort: Sort::Relevance,
        facets: Vec::new(),
        steering: Arc::new(steering),
        highlight: false,
        explain: false,
        ..request.clone()
    };
    Ok(Searched::new(snapshot, &request)?.answer()?.hits)
}

/// The attributes that most hits of a request have and that shoppers choose from, at most `most`.
///
/// # Errors
/// The engine's.
pub fn attributes_of(snapshot: &Snapshot, request: &SearchRequest, most: usize) -> Result<Vec<String>, IndexError> {
    let request = SearchRequest { limit: 0, facets: Vec::new(), ..request.clone() };
    let searched = Searched::new(snapshot, &request)?;
    let (query, ..) = searched.relaxing()?;
    let names = facets::attributes(snapshot, query.as_ref())?;
    let chosen = names.into_iter().filter(|name| searched.lessons.vocabulary.is_choice(name));
    Ok(chosen.take(most).collect())
}

/// What passes the filters of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Passing {
    /// There are no filters.
    All,
    /// These products.
    Few(Vec<ProductId>),
    /// This share of the tenant's products.
    Many(f64),
}

/// What passes the filters of a request, those in its text included, whatever its words; by id if there are at
/// most `few`.
///
/// # Errors
/// The engine's.
pub fn passing(snapshot: &Snapshot, request: &SearchRequest, few: usize) -> Result<Passing, IndexError> {
    let searched = Searched::new(snapshot, request)?;
    if searched.plan.conditions.is_empty() && searched.plan.base.len() == 1 {
        return Ok(Passing::All);
    }
    let filters = searched.plan.filters();
    let found = snapshot.searcher.search(&filters, &Count)?;
    if found > few {
        let everything = SearchRequest { filter: None, ..SearchRequest::text(request.tenant, "", 0) };
        let all = Searched::new(snapshot, &everything)?.answer()?.total;
        #[expect(clippy::cast_precision_loss, reason = "counts of documents")]
        return Ok(Passing::Many(found as f64 / all.max(1) as f64));
    }
    let mut ids = Vec::with_capacity(found);
    for at in snapshot.searcher.search(&filters, &DocSetCollector)? {
        let segment = snapshot.searcher.segment_reader(at.segment_ord);
        let Some(keys) = segment.fast_fields().str("key")? else { continue };
        let mut key = String::new();
        if let Some(ord) = keys.term_ords(at.doc_id).next() {
            keys.ord_to_str(ord, &mut key)?;
        }
        ids.extend(key.split_once(':').and_then(|(_, id)| id.parse::<ProductId>().ok()));
    }
    ids.sort();
    Ok(Passing::Few(ids))
}

/// Puts the products that staff pinned at their places on a page that was found in another way.
///
/// # Errors
/// The engine's.
pub fn pin(snapshot: &Snapshot, request: &SearchRequest, hits: &mut Vec<Hit>) -> Result<(), IndexError> {
    if request.steering.pins.is_empty() { Ok(()) } else { Searched::new(snapshot, request)?.pin(hits) }
}

/// Adds highlights and explanations, as far as they were asked for, to hits that were found in another way.
///
/// # Errors
/// The engine's.
pub fn dress(snapshot: &Snapshot, request: &SearchRequest, hits: &mut [Hit]) -> Result<(), IndexError> {
    if !request.highlight && !request.explain {
        return Ok(());
    }
    let searched = Searched::new(snapshot, request)?;
    let conditions = searched.own_conditions();
    for hit in hits {
        if let Some(at) = snapshot.address_of(request.tenant, hit.card.id)? {
            searched.dress(hit, at, &conditions)?;
        }
    }
    Ok(())
}

/// The facets of everything that passes the filters and matches the text.
///
/// # Errors
/// [`IndexError::Request`] if a facet is unknown; otherwise the engine's.
pub fn facets_of(snapshot: &Snapshot, request: &SearchRequest) -> Result<Vec<facets::FacetCounts>, IndexError> {
    let request = SearchRequest { limit: 0, ..request.clone() };
    Ok(Searched::new(snapshot, &request)?.answer()?.facets)
}

/// A request on its way to an answer.
pub(crate) struct Searched<'a> {
    snapshot: &'a Snapshot,
    request: &'a SearchRequest,
    lessons: Arc<Lessons>,
    plan: Plan,
}

type Ranked = (Vec<(f32, DocAddress)>, usize);

impl<'a> Searched<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, request: &'a SearchRequest) -> Result<Self, IndexError> {
        let lessons = snapshot.learned.of(snapshot, request.tenant)?;
        let plan = Plan::of(snapshot, &lessons, request)?;
        Ok(Self { snapshot, request, lessons, plan })
    }

    fn answer(self) -> Result<SearchResponse, IndexError> {
        let (query, matching, (ranked, total)) = self.relaxing()?;
        let ranked = self.by_kind(ranked)?;
        let page = ranked.into_iter().skip(self.in_window()).take(self.request.limit);
        let conditions = self.own_conditions();
        let mut hits = Vec::new();
        for (score, at) in page {
            let mut hit = hit(self.snapshot, score, at)?;
            self.dress(&mut hit, at, &conditions)?;
            hits.push(hit);
        }
        self.pin(&mut hits)?;
        // Facets are what can be left out when the time is up.
        let late = self.request.late();
        let facets = if late && !self.request.facets.is_empty() {
            Vec::new()
        } else {
            facets::count(self.snapshot, self.request, &self.plan, matching, query.as_ref(), total)?
        };
        let partial = self.plan.partial || late;
        let relaxed = (matching < self.plan.asked && total > 0 && self.plan.asked > 0)
            .then_some(Relaxed { matched: matching, of: self.plan.asked });
        let Plan { corrections, understood, exact, .. } = self.plan;
        Ok(SearchResponse { total, hits, facets, corrections, understood, relaxed, partial, exact })
    }

    /// Asks for all words, then for fewer, until enough is found.
    fn relaxing(&self) -> Result<(Box<dyn Query>, usize, Ranked), IndexError> {
        // Who names a code or a brand wants that, however little there is of it.
        let enough = if self.plan.exact { 1 } else { self.ranking().enough };
        let steps = self.plan.steps();
        let last = steps.len() - 1;
        for (index, matching) in steps.into_iter().enumerate() {
            let query = self.plan.query(matching);
            let ranked = self.ranked(query.as_ref())?;
            if index == last || ranked.1 >= enough || self.request.late() {
                return Ok((query, matching, ranked));
            }
        }
        Err(IndexError::Request("nothing was asked".to_owned()))
    }

    fn ranking(&self) -> crate::generation::Ranking {
        self.request.ranking.unwrap_or(self.snapshot.ranking)
    }

    /// Hits that are fetched before the page to bring the best in order again.
    fn in_window(&self) -> usize {
        if self.reordered() { self.request.offset } else { 0 }
    }

    /// Whether the page lies where hits are brought in order by kind.
    fn reordered(&self) -> bool {
        let ranking = self.ranking();
        self.request.sort == Sort::Relevance
            && ranking.kind_boost > 0.0
            && !self.plan.terms.is_empty()
            && self.request.limit > 0
            && self.request.offset < ranking.window
    }

    fn ranked(&self, query: &dyn Query) -> Result<Ranked, IndexError> {
        let (searcher, request) = (&self.snapshot.searcher, self.request);
        if request.limit == 0 {
            return Ok((Vec::new(), searcher.search(query, &Count)?));
        }
        let top = if self.reordered() {
            TopDocs::with_limit((request.offset + request.limit).max(self.ranking().window))
        } else {
            TopDocs::with_limit(request.limit).and_offset(request.offset)
        };
        let tie = (SortByStaticFastValue::<u64>::for_field("tie"), Order::Asc);
        Ok(match &request.sort {
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
                unscored(searcher.search(query, &(top.order_by((order::price(*currency, false), tie)), Count))?)
            }
            Sort::PriceDescending(currency) => {
                unscored(searcher.search(query, &(top.order_by((order::price(*currency, true), tie)), Count))?)
            }
            Sort::Newest => unscored(searcher.search(query, &(top.order_by((order::released(true), tie)), Count))?),
            Sort::Oldest => unscored(searcher.search(query, &(top.order_by((order::released(false), tie)), Count))?),
            Sort::Attribute(name) => {
                unscored(searcher.search(query, &(top.order_by((order::attribute(name, false), tie)), Count))?)
            }
            Sort::AttributeDescending(name) => {
                unscored(searcher.search(query, &(top.order_by((order::attribute(name, true), tie)), Count))?)
            }
        })
    }

    /// Brings the best hits in order by how well their kind fits the words.
    fn by_kind(&self, mut ranked: Vec<(f32, DocAddress)>) -> Result<Vec<(f32, DocAddress)>, IndexError> {
        if !self.reordered() {
            return Ok(ranked);
        }
        let end = ranked.len().min(self.ranking().window);
        let profiles = self.profiles()?;
        for (score, at) in &mut ranked[..end] {
            *score += self.kind(&profiles, *at)?;
        }
        // A stable sort keeps equal ones in the order of their ties.
        ranked[..end].sort_by(|(a, _), (b, _)| b.total_cmp(a));
        Ok(ranked)
    }

    /// What the words say of attributes.
    fn profiles(&self) -> Result<Vec<Arc<Profile>>, IndexError> {
        self.plan.terms.iter().map(|term| self.lessons.kinds.profile(self.snapshot, term)).collect()
    }

    fn kind(&self, profiles: &[Arc<Profile>], at: DocAddress) -> Result<f32, IndexError> {
        #[expect(clippy::cast_possible_truncation, reason = "a score")]
        let fit = self.lessons.kinds.fit(self.snapshot, profiles, at)? as f32;
        Ok(fit * self.ranking().kind_boost)
    }

    fn kind_part(&self, at: DocAddress) -> Result<Option<crate::query::ScorePart>, IndexError> {
        if !self.reordered() {
            return Ok(None);
        }
        let part = "kind: how well its attributes go with the words".to_owned();
        Ok(Some(crate::query::ScorePart { part, score: self.kind(&self.profiles()?, at)? }))
    }

    /// Adds to a hit what the request asks for beside its card.
    fn dress(&self, hit: &mut Hit, at: DocAddress, conditions: &[VariantCondition]) -> Result<(), IndexError> {
        hit.matching_variants = self.variants(conditions, at);
        if self.request.highlight {
            let marker = Marker::new(&self.plan.terms, self.request.typing);
            hit.highlights = marker.of(self.snapshot, at, &hit.card)?;
        }
        if self.request.explain {
            hit.doc_version = self.snapshot.version_of(self.request.tenant, hit.card.id)?;
            hit.explanation.extend(explain::parts(self.snapshot, &self.plan, at)?);
            hit.explanation.extend(self.kind_part(at)?);
        }
        Ok(())
    }

    fn own_conditions(&self) -> Vec<VariantCondition> {
        self.request.filter.as_ref().map(|filter| self.conditions(filter)).unwrap_or_default()
    }

    /// The conditions on one variant in a filter, those outside of `NOT`.
    fn conditions(&self, filter: &Filter) -> Vec<VariantCondition> {
        match filter {
            Filter::All(parts) | Filter::Any(parts) => parts.iter().flat_map(|part| self.conditions(part)).collect(),
            Filter::Variant(part) => vec![VariantCondition::new(part.as_ref().clone(), self.request.currency)],
            Filter::Not(_) | Filter::Is(..) => Vec::new(),
        }
    }

    fn variants(&self, conditions: &[VariantCondition], at: DocAddress) -> Vec<schemas::ids::VariantId> {
        let segment = self.snapshot.searcher.segment_reader(at.segment_ord);
        let mut ids: Vec<_> = conditions
            .iter()
            .flat_map(|condition| condition.matching(segment, at.doc_id))
            .map(|variant| variant.id)
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Puts pinned products at their places on the first pages.
    fn pin(&self, hits: &mut Vec<Hit>) -> Result<(), IndexError> {
        let pins = &self.request.steering.pins;
        if pins.is_empty() || self.request.sort != Sort::Relevance || self.request.limit == 0 {
            return Ok(());
        }
        hits.retain(|hit| pins.iter().all(|(_, id)| *id != hit.card.id));
        let places = self.request.offset + 1..=self.request.offset + self.request.limit;
        let mut here: Vec<&(usize, ProductId)> = pins.iter().filter(|(place, _)| places.contains(place)).collect();
        here.sort();
        let ids: Vec<ProductId> = here.iter().map(|(_, id)| *id).collect();
        let unsteered = SearchRequest { steering: Arc::default(), ..self.request.clone() };
        let mut cards = if ids.is_empty() { Vec::new() } else { by_ids(self.snapshot, &unsteered, &ids)? };
        for (place, id) in here {
            if let Some(found) = cards.iter().position(|hit| hit.card.id == *id) {
                let at = (place - places.start()).min(hits.len());
                hits.insert(at, Hit { pinned: true, ..cards.remove(found) });
            }
        }
        hits.truncate(self.request.limit);
        Ok(())
    }
}

fn unscored<K>((found, total): (Vec<(K, DocAddress)>, usize)) -> Ranked {
    (found.into_iter().map(|(_, at)| (0.0, at)).collect(), total)
}

fn hit(snapshot: &Snapshot, score: f32, at: DocAddress) -> Result<Hit, IndexError> {
    let record: TantivyDocument = snapshot.searcher.doc(at)?;
    let card = record.get_first(snapshot.fields.card).and_then(|value| value.as_str()).unwrap_or_default();
    let card: HitCard = serde_json::from_str(card).map_err(std::io::Error::from)?;
    Ok(Hit::of(score, card))
}
