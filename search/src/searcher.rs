//! The one door for whoever searches: a question goes in, and what was found comes out.
//!
//! Behind it: the question's words are read ([`crate::understand`], [`crate::lexical`]), products near to its meaning
//! come from a [`VectorSource`], both lists are fused ([`crate::fuse`]), families are spread ([`crate::families`]),
//! facets counted, words marked and scores explained. Work on the index runs on threads of its own, a bounded number
//! at a time; what waits for vectors holds none of them.

mod hybrid;
mod similar;
mod suiting;
mod turns;
mod vectors;

use crate::{
    IndexError,
    lexical::{self, Why},
    plan,
    query::{Correction, FacetCounts, Hint, Hit, Relaxed, SearchRequest, SearchResponse, Sort},
    reader::Snapshot,
    suggest::{self, Suggestions},
    understand::Understood,
};
use schemas::{events::merchandising::FacetSetting, ids::ProductId};
use serde::{Deserialize, Serialize};
use std::time::Instant;
use turns::Turns;

pub use similar::{By, Similar};
pub use turns::SearchLimits;
pub use vectors::{VectorError, VectorSource};

/// How hits are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = SearchMode)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By words.
    Lexical,
    /// By vectors.
    Semantic,
    /// By both, fused.
    Hybrid,
}

/// A search as it is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Words, filters, page and what else decides what is found.
    pub request: SearchRequest,
    /// How hits are found.
    pub mode: Mode,
    /// The facets that staff display: with them those that suit the search are counted, instead of the request's.
    /// An empty list leaves the choice to the search.
    pub suiting: Option<Vec<FacetSetting>>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchAnswer {
    /// How many products match.
    pub total: usize,
    /// The page.
    pub hits: Vec<Hit>,
    /// The facets asked for.
    pub facets: Vec<FacetCounts>,
    /// Words that were read as others.
    pub corrections: Vec<Correction>,
    /// What was read out of the text beside its words.
    pub understood: Vec<Understood>,
    /// Whether fewer words had to match than were asked for.
    pub relaxed: Option<Relaxed>,
    /// Whether the time was up before everything was looked at.
    pub partial: bool,
    /// What the filter names that no product of the shop has.
    pub hints: Vec<Hint>,
    /// What could not be done as asked.
    pub degraded: Option<&'static str>,
}

impl From<SearchResponse> for SearchAnswer {
    fn from(found: SearchResponse) -> Self {
        Self {
            total: found.total,
            hits: found.hits,
            facets: found.facets,
            corrections: found.corrections,
            understood: found.understood,
            relaxed: found.relaxed,
            partial: found.partial,
            hints: Vec::new(),
            degraded: None,
        }
    }
}

/// A search can't be answered.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The vectors.
    #[error(transparent)]
    Vectors(#[from] VectorError),
    /// There is no model, and the mode needs one.
    #[error("semantic search is not available: no embedding model is configured or it is still being loaded")]
    NoModel,
    /// More searches wait already than may, or it has waited too long.
    #[error("there are more searches than can be answered")]
    Busy,
    /// A search panicked or was cancelled.
    #[error("the search was broken off: {0}")]
    Broken(String),
}

/// Answers searches, a bounded number at a time. Cheap to clone; clones share the bound.
#[derive(Debug, Clone)]
pub struct Searcher {
    turns: Turns,
}

impl Searcher {
    /// Within these limits.
    #[must_use]
    pub fn new(limits: SearchLimits) -> Self {
        Self { turns: Turns::new(limits) }
    }

    /// Answers a question from one snapshot of the index.
    ///
    /// # Errors
    /// [`SearchError`].
    pub async fn search(
        &self,
        snapshot: &Snapshot,
        question: Question,
        vectors: &impl VectorSource,
    ) -> Result<SearchAnswer, SearchError> {
        let Question { mut request, mode, suiting } = question;
        if let Some(display) = suiting {
            request.facets = self.suiting(snapshot, &request, &display).await?;
        }
        let hints = self.hints(snapshot, &request).await?;
        let found = self.found(snapshot, request, mode, vectors).await?;
        Ok(SearchAnswer { hints, ..found })
    }

    async fn found(
        &self,
        snapshot: &Snapshot,
        request: SearchRequest,
        mode: Mode,
        vectors: &impl VectorSource,
    ) -> Result<SearchAnswer, SearchError> {
        // Without words there is nothing to embed, and another order needs no scores.
        let by_words = request.text.trim().is_empty() || request.sort != Sort::Relevance;
        if by_words || mode == Mode::Lexical {
            return self.by_words(snapshot, request, None).await;
        }
        let words = embedded_words(snapshot, &request)?;
        let query = if words.is_empty() { Ok(None) } else { vectors.query_vector(snapshot.model(), &words).await };
        let query = match query {
            Err(VectorError::Busy) if mode == Mode::Hybrid => None,
            query => query?,
        };
        match (query, mode) {
            (Some(query), _) => self.near_to(snapshot, request, mode, &query, vectors).await,
            (None, Mode::Semantic) if !words.is_empty() => Err(SearchError::NoModel),
            (None, Mode::Semantic) => self.by_words(snapshot, request, None).await,
            (None, _) => {
                let degraded = "vectors are not available: found by words alone";
                self.by_words(snapshot, request, Some(degraded)).await
            }
        }
    }

    /// Counts the facets of a request, and finds no hits.
    ///
    /// # Errors
    /// [`SearchError`].
    pub async fn facets(&self, snapshot: &Snapshot, request: SearchRequest) -> Result<Vec<FacetCounts>, SearchError> {
        self.step(snapshot, request, lexical::facets_of).await
    }

    /// Why a product is, or is not, among the hits of a request.
    ///
    /// # Errors
    /// [`SearchError`].
    pub async fn why(
        &self,
        snapshot: &Snapshot,
        request: SearchRequest,
        product: ProductId,
    ) -> Result<Why, SearchError> {
        self.step(snapshot, request, move |snapshot, request| lexical::why(snapshot, request, product)).await
    }

    /// What a text may become while it is typed, up to `limit` of each, and the products that a request finds.
    ///
    /// # Errors
    /// [`SearchError`].
    pub async fn suggest(
        &self,
        snapshot: &Snapshot,
        text: String,
        limit: usize,
        request: SearchRequest,
    ) -> Result<(Suggestions, Vec<Hit>), SearchError> {
        self.step(snapshot, request, move |snapshot, request| {
            let suggestions = suggest::suggest(snapshot, request.tenant, &text, limit)?;
            Ok((suggestions, lexical::search(snapshot, request)?.hits))
        })
        .await
    }

    /// A step of a search: it may take what is left of the request's budget from the moment it begins, not from the
    /// moment it was asked for.
    async fn step<T: Send + 'static>(
        &self,
        snapshot: &Snapshot,
        mut request: SearchRequest,
        work: impl FnOnce(&Snapshot, &SearchRequest) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, SearchError> {
        let snapshot = snapshot.clone();
        self.blocking(move || {
            let began = Instant::now();
            request.deadline = request.budget.as_ref().map(|budget| budget.deadline(began));
            let done = work(&snapshot, &request);
            if let Some(budget) = &request.budget {
                budget.spend(began.elapsed());
            }
            done
        })
        .await
    }

    /// Runs work on the index on a thread of its own, a bounded number at a time.
    ///
    /// # Errors
    /// [`SearchError`].
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, SearchError> {
        let turn = self.turns.take().await?;
        let span = tracing::Span::current();
        let run = move || {
            // Until the work is done, not until somebody stops waiting for it.
            let _turn = turn;
            span.in_scope(work)
        };
        let done = tokio::task::spawn_blocking(run).await.map_err(|error| SearchError::Broken(error.to_string()))?;
        Ok(done?)
    }

    /// What the filter names that the shop does not have; most filters name nothing of the kind.
    async fn hints(&self, snapshot: &Snapshot, request: &SearchRequest) -> Result<Vec<Hint>, SearchError> {
        if !request.filter.as_ref().is_some_and(lexical::may_hint) {
            return Ok(Vec::new());
        }
        self.step(snapshot, request.clone(), lexical::hints).await
    }

    async fn by_words(
        &self,
        snapshot: &Snapshot,
        request: SearchRequest,
        degraded: Option<&'static str>,
    ) -> Result<SearchAnswer, SearchError> {
        let found = self.step(snapshot, request, lexical::search).await?;
        Ok(SearchAnswer { degraded, ..found.into() })
    }
}

/// The words of a text, without prices and exclusions: what is embedded.
fn embedded_words(snapshot: &Snapshot, request: &SearchRequest) -> Result<String, IndexError> {
    let parts = plan::parts(snapshot, request)?;
    let words = [parts.words].into_iter().chain(parts.phrases).filter(|words| !words.is_empty());
    Ok(words.collect::<Vec<_>>().join(" "))
}
