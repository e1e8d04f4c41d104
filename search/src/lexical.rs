//! Retrieval by words: a plan of what each word may be found as, BM25 over it, fewer words when none has
//! all, the best hits in order again by their kind and spread by their families, pins, facets, highlights.

use crate::{
    IndexError, facets, families,
    plan::{Plan, scope},
    query::{FacetCounts, Hit, MAX_LIMIT, MAX_OFFSET, Relaxed, SearchRequest, SearchResponse, Sort, Steering},
    ranking::Ranking,
    reader::Snapshot,
    statistics::CatalogStatistics,
};
use schemas::ids::ProductId;
use std::sync::Arc;
use tantivy::query::{BooleanQuery, Occur, Query};

mod explain;
mod hints;
mod meant;
mod order;
mod page;
mod passing;
mod pins;
mod ranked;

use page::Dressing;
use pins::Pins;
use ranked::Ranked;

pub use explain::{Check, Why, why};
pub use hints::{hints, may_hint};
pub use passing::{Passing, passing};

/// Searches a snapshot.
///
/// # Errors
/// [`IndexError::Request`] if a bound is exceeded or a facet is unknown; otherwise the engine's.
pub fn search(snapshot: &Snapshot, request: &SearchRequest) -> Result<SearchResponse, IndexError> {
    Searched::new(snapshot, request)?.answer()
}

/// The cards of products by id, in any order; ids that are not here or don't pass the filters are left out.
///
/// # Errors
/// The engine's.
pub fn by_ids(snapshot: &Snapshot, request: &SearchRequest, ids: &[ProductId]) -> Result<Vec<Hit>, IndexError> {
    let unpinned = Steering { pins: Vec::new(), ..request.steering.as_ref().clone() };
    let request = SearchRequest {
        text: String::new(),
        ids: Some(ids.to_vec()),
        steering: Arc::new(unpinned),
        offset: 0,
        limit: ids.len(),
        sort: Sort::Relevance,
        facets: Vec::new(),
        highlight: false,
        explain: false,
        ..request.clone()
    };
    let searched = Searched::new(snapshot, &request)?;
    let (.., (ranked, _)) = searched.relaxing()?;
    searched.hits(ranked)
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
    let chosen = names.into_iter().filter(|name| searched.catalog.vocabulary.is_choice(name));
    Ok(chosen.take(most).collect())
}

/// The facets of everything that passes the filters and matches the text.
///
/// # Errors
/// [`IndexError::Request`] if a facet is unknown; otherwise the engine's.
pub fn facets_of(snapshot: &Snapshot, request: &SearchRequest) -> Result<Vec<FacetCounts>, IndexError> {
    let request = SearchRequest { limit: 0, ..request.clone() };
    Ok(Searched::new(snapshot, &request)?.answer()?.facets)
}

/// A request whose words and filters have been read, ready to be answered.
#[derive(Debug)]
pub struct Searched<'a> {
    snapshot: &'a Snapshot,
    request: &'a SearchRequest,
    catalog: Arc<CatalogStatistics>,
    plan: Arc<Plan>,
    pins: Arc<Pins>,
    /// Which of the hits that are not pinned may stand on the page: how many before it, and how many on it.
    others: (usize, usize),
}

impl<'a> Searched<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// The engine's.
    pub fn new(snapshot: &'a Snapshot, request: &'a SearchRequest) -> Result<Self, IndexError> {
        let catalog = snapshot.statistics.catalog(&snapshot.segments, request.tenant)?;
        let mut plan = Plan::new(snapshot, &catalog, request)?;
        let pins = if plan.nothing { Pins::default() } else { Pins::of(snapshot, request)? };
        if !pins.is_empty() {
            plan.pinned = Some(scope(snapshot, request).ids(&pins.ids()));
        }
        let others = pins.others(request.offset, request.limit);
        Ok(Self { snapshot, request, catalog, plan: Arc::new(plan), pins: Arc::new(pins), others })
    }

    /// The same words and filters with another page, other facets, highlights or explanations, without being
    /// read again.
    #[must_use]
    pub fn with<'b>(&self, page: &'b SearchRequest) -> Searched<'b>
    where
        'a: 'b,
    {
        let (catalog, plan, pins) = (Arc::clone(&self.catalog), Arc::clone(&self.plan), Arc::clone(&self.pins));
        let others = pins.others(page.offset, page.limit);
        Searched { snapshot: self.snapshot, request: page, catalog, plan, pins, others }
    }

    /// Answers it.
    ///
    /// # Errors
    /// [`IndexError::Request`] if a bound is exceeded or a facet is unknown; otherwise the engine's.
    pub fn answer(&self) -> Result<SearchResponse, IndexError> {
        if self.request.limit > MAX_LIMIT || self.request.offset > MAX_OFFSET {
            return Err(IndexError::Request(format!(
                "a page has at most {MAX_LIMIT} hits and starts at {MAX_OFFSET} at the latest"
            )));
        }
        let (query, matching, (ranked, others)) = self.relaxing()?;
        let hits = self.pins.placed(self.request.offset, self.request.limit, others, self.hits(ranked)?);
        let total = others + self.pins.len();
        // Facets are what can be left out when the time is up.
        let late = self.request.late();
        let facets = if late && !self.request.facets.is_empty() {
            Vec::new()
        } else {
            facets::count(self.snapshot, self.request, &self.plan, matching, query.as_ref())?
        };
        let plan = &self.plan;
        let relaxed = (matching < plan.asked && total > 0 && plan.asked > 0)
            .then_some(Relaxed { matched: matching, of: plan.asked });
        Ok(SearchResponse {
            total,
            hits,
            facets,
            corrections: plan.corrections.clone(),
            understood: plan.understood.clone(),
            relaxed,
            partial: plan.partial || late,
            exact: plan.exact,
        })
    }

    /// The page of what was found.
    fn hits(&self, ranked: Vec<(f32, tantivy::DocAddress)>) -> Result<Vec<Hit>, IndexError> {
        let page = self.in_order(ranked)?.into_iter().skip(self.in_window()).take(self.others.1);
        let mut dressing = Dressing::new(self)?;
        let mut hits = Vec::new();
        for candidate in page {
            let (at, behind) = (candidate.at, candidate.behind);
            let mut hit = candidate.hit(self.snapshot)?;
            dressing.put_on(&mut hit, at)?;
            if behind && self.request.explain {
                hit.explanation.push(families::behind());
            }
            hits.push(hit);
        }
        Ok(hits)
    }

    /// Asks for all words, then for fewer, until enough is found.
    fn relaxing(&self) -> Result<(Box<dyn Query>, usize, Ranked), IndexError> {
        // Who names a code or a brand wants that, however little there is of it.
        let enough = if self.plan.exact { 1 } else { self.ranking().enough };
        let steps = self.plan.steps();
        let last = steps.len() - 1;
        for (index, matching) in steps.into_iter().enumerate() {
            let query = self.plan.query(matching);
            let ranked = match &self.plan.pinned {
                Some(pinned) => self.ranked(&without(query.as_ref(), pinned.as_ref()))?,
                None => self.ranked(query.as_ref())?,
            };
            if index == last || ranked.1 + self.pins.len() >= enough || self.request.late() {
                return Ok((query, matching, ranked));
            }
        }
        Err(IndexError::Request("nothing was asked".to_owned()))
    }

    /// What staff pinned.
    #[must_use]
    pub fn pins(&self) -> &Pins {
        &self.pins
    }

    /// Whether what a product is multiplies its score: staff's boosts, stock, popularity, novelty.
    #[must_use]
    pub fn weighs(&self) -> bool {
        !self.plan.signals.is_empty()
    }

    fn ranking(&self) -> Ranking {
        self.request.ranking.unwrap_or(self.snapshot.ranking)
    }
}

/// What a query matches but for what another does.
fn without(query: &dyn Query, other: &dyn Query) -> BooleanQuery {
    BooleanQuery::new(vec![(Occur::Must, query.box_clone()), (Occur::MustNot, other.box_clone())])
}
