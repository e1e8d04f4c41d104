//! A search in one of the three modes, over one snapshot of the index.

use crate::{app::App, problem::Refusal};
use schemas::{
    events::merchandising::{self, FacetSetting},
    filter::Field,
    ids::{ProductId, TenantId},
    problem::{Code, Problem},
};
use search::{
    IndexError,
    embed::EmbedError,
    families,
    fuse::{self, Scored},
    lexical::{self, Searched},
    query::{Correction, Facet, FacetCounts, FacetOrder, Hit, Relaxed, SearchRequest, SearchResponse, Sort},
    reader::Snapshot,
    understand::Understood,
    vector,
};
use std::{collections::HashMap, sync::Arc};

/// Attributes that are counted unless staff say which.
const ATTRIBUTE_FACETS: usize = 6;
/// Values of a facet that is counted without being asked for by name.
const FACET_VALUES: u32 = 12;

/// How hits are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By words.
    Lexical,
    /// By vectors.
    Semantic,
    /// By both, fused.
    Hybrid,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
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
    /// What could not be done as asked.
    pub degraded: Option<&'static str>,
}

/// A search can't be answered.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The vectors.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The model.
    #[error(transparent)]
    Model(#[from] EmbedError),
    /// There is no model, and the mode needs one.
    #[error("semantic search is not available: no embedding model is configured or it is still being loaded")]
    NoModel,
    /// A search panicked or was cancelled.
    #[error("the search was broken off: {0}")]
    Broken(String),
}

impl From<SearchError> for Refusal {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Index(IndexError::Request(detail)) => Self(Problem::new(Code::InvalidRequest).detail(detail)),
            SearchError::Database(error) => error.into(),
            SearchError::NoModel => Self(Problem::new(Code::Unavailable).detail(error.to_string())),
            SearchError::Index(_) | SearchError::Model(_) | SearchError::Broken(_) => {
                tracing::error!(%error, "a search failed");
                Self(Problem::new(Code::Internal))
            }
        }
    }
}

/// Runs a search.
///
/// # Errors
/// [`SearchError`].
pub async fn run(app: &App, snapshot: Snapshot, mode: Mode, request: SearchRequest) -> Result<Found, SearchError> {
    // Without words there is nothing to embed, and another order needs no scores.
    let effective =
        if request.text.trim().is_empty() || request.sort != Sort::Relevance { Mode::Lexical } else { mode };
    if effective == Mode::Lexical {
        return words(app, snapshot, request, None).await;
    }
    let words = parts_of_text(&request);
    let Some(query) = (if words.is_empty() { None } else { app.vectors.of(snapshot.model(), &words).await? }) else {
        return match mode {
            Mode::Semantic if !words.is_empty() => Err(SearchError::NoModel),
            Mode::Semantic => self::words(app, snapshot, request, None).await,
            _ => self::words(app, snapshot, request, Some("vectors are not available: found by words alone")).await,
        };
    };
    let mut near = near(app, &snapshot, &request, &query).await?;
    let ranking = request.ranking.unwrap_or(snapshot.ranking);
    if effective == Mode::Hybrid && ranking.feedback > 0 && ranking.feedback_weight > 0.0 {
        let (of, best) = (snapshot.clone(), plain(&request, 0, ranking.feedback));
        let found = blocking(app, move || fused(&of, effective, &best, &near).map(|found| (found, near))).await?;
        near = found.1;
        let ids: Vec<ProductId> = found.0.hits.iter().map(|hit| hit.card.id).collect();
        if let Some(mean) = vector::mean_of(&app.pool, request.tenant, snapshot.model(), &ids).await? {
            let moved: Vec<f32> =
                query.iter().zip(&mean).map(|(query, mean)| query + ranking.feedback_weight * mean).collect();
            near = self::near(app, &snapshot, &request, &moved).await?;
        }
    }
    blocking(app, move || fused(&snapshot, effective, &request, &near)).await
}

/// The words of a text, without prices and exclusions: what is embedded.
fn parts_of_text(request: &SearchRequest) -> String {
    let parts = search::understand::parts(&request.text, request.understand);
    let words = [parts.words].into_iter().chain(parts.phrases).filter(|words| !words.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// The products nearest to a vector that pass the filters: among few exactly, among many by HNSW, further and
/// further out until enough pass.
async fn near(
    app: &App,
    snapshot: &Snapshot,
    request: &SearchRequest,
    query: &[f32],
) -> Result<Vec<(ProductId, f32)>, SearchError> {
    let ranking = request.ranking.unwrap_or(snapshot.ranking);
    let (model, tenant) = (snapshot.model(), request.tenant);
    let (snapshot, request) = (snapshot.clone(), request.clone());
    let passing = blocking(app, move || lexical::passing(&snapshot, &request, vector::FEW)).await?;
    match passing {
        lexical::Passing::All => Ok(vector::nearest(&app.pool, tenant, model, query, ranking.candidates, None).await?),
        lexical::Passing::Few(ids) if ids.is_empty() => Ok(Vec::new()),
        lexical::Passing::Few(ids) => {
            Ok(vector::nearest(&app.pool, tenant, model, query, ranking.candidates, Some(&ids)).await?)
        }
        lexical::Passing::Many(share) => {
            // So many more as fail the filters; what still fails is left out by the index.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a count"
            )]
            let wanted = (ranking.candidates as f64 / share.max(0.01) * 1.5) as usize;
            Ok(vector::nearest(&app.pool, tenant, model, query, wanted, None).await?)
        }
    }
}

async fn words(
    app: &App,
    snapshot: Snapshot,
    request: SearchRequest,
    degraded: Option<&'static str>,
) -> Result<Found, SearchError> {
    let answer = blocking(app, move || lexical::search(&snapshot, &request)).await?;
    Ok(Found { degraded, ..of_words(answer) })
}

fn of_words(answer: SearchResponse) -> Found {
    Found {
        total: answer.total,
        hits: answer.hits,
        facets: answer.facets,
        corrections: answer.corrections,
        understood: answer.understood,
        relaxed: answer.relaxed,
        partial: answer.partial,
        degraded: None,
    }
}

/// Candidates of both sides that pass the filters, fused, and the page of them that was asked for.
fn fused(
    snapshot: &Snapshot,
    mode: Mode,
    request: &SearchRequest,
    near: &[(ProductId, f32)],
) -> Result<Found, IndexError> {
    let ranking = request.ranking.unwrap_or(snapshot.ranking);
    let candidates = ranking.candidates.min(search::query::MAX_LIMIT);
    let ids: Vec<ProductId> = near.iter().map(|(id, _)| *id).collect();
    let mut cards: HashMap<ProductId, Hit> =
        lexical::by_ids(snapshot, request, &ids)?.into_iter().map(|hit| (hit.card.id, hit)).collect();
    let near: Vec<(ProductId, f32)> = near.iter().filter(|(id, _)| cards.contains_key(id)).copied().collect();
    let searched = Searched::new(snapshot, request)?;
    let mut found = of_words(SearchResponse::default());
    let mut parts: HashMap<ProductId, Scored> = HashMap::new();
    let ranked = if mode == Mode::Semantic {
        found.total = near.len();
        near.clone()
    } else {
        let answer = searched.with(&plain(request, 0, candidates)).answer()?;
        #[expect(clippy::cast_precision_loss, reason = "a handful of words")]
        let matched = answer.relaxed.as_ref().map_or(1.0, |relaxed| relaxed.matched as f32 / relaxed.of as f32);
        let exact = answer.exact;
        found = of_words(answer);
        // Pins are put in at the end.
        let words: Vec<(ProductId, f32)> =
            found.hits.iter().filter(|hit| !hit.pinned).map(|hit| (hit.card.id, hit.score)).collect();
        cards.extend(found.hits.drain(..).map(|hit| (hit.card.id, Hit { pinned: false, ..hit })));
        // Brands and codes are never misread.
        let gap = if exact { 0.0 } else { fuse::gap(&words, &near, matched, &ranking) };
        let share = if exact { ranking.exact_share } else { ranking.lexical_share };
        let share = share - gap * (share - ranking.gap_share);
        let mut fused = fuse::convex(&words, &near, share, ranking.unrelated);
        searched.by_meant_kind(&near, &mut fused, gap * ranking.gap_kind_boost)?;
        // Everything the words match, and what only the vectors found.
        found.total = found.total.max(fused.len());
        parts = fused.iter().map(|scored| (scored.id, *scored)).collect();
        fused.into_iter().map(|scored| (scored.id, scored.score)).collect()
    };
    found.facets = if request.facets.is_empty() {
        Vec::new()
    } else {
        let ids = Some(ranked.iter().map(|(id, _)| *id).collect());
        lexical::facets_of(snapshot, &SearchRequest { text: String::new(), ids, ..request.clone() })?
    };
    let count = ranked.len();
    let ranked = spread(&searched, ranked, &mut cards, request.explain);
    let page = ranked.into_iter().skip(request.offset).take(request.limit);
    found.hits = page.filter_map(|(id, score)| cards.remove(&id).map(|hit| Hit { score, ..hit })).collect();
    if mode == Mode::Hybrid && found.hits.len() < request.limit && request.offset + request.limit > count {
        beyond(&searched, request, candidates, count, &near, &mut found.hits)?;
    }
    searched.finish(&mut found.hits)?;
    if request.explain {
        for hit in &mut found.hits {
            let scored = parts.get(&hit.card.id);
            let [lexical, semantic] = scored.map(|scored| scored.parts).unwrap_or_default();
            let part = |name: &str, score| search::query::ScorePart { part: name.to_owned(), score };
            hit.explanation.push(part("fusion: share of the words", lexical));
            hit.explanation.push(part("fusion: share of the vectors", semantic));
            if let Some(kind) = scored.map(|scored| scored.kind).filter(|kind| *kind != 0.0) {
                hit.explanation.push(part("kind: how well its attributes go with those of what is meant", kind));
            }
        }
    }
    Ok(found)
}

/// The same search for a page of nothing but cards.
fn plain(request: &SearchRequest, offset: usize, limit: usize) -> SearchRequest {
    SearchRequest { offset, limit, facets: Vec::new(), highlight: false, explain: false, ..request.clone() }
}

/// Spreads families among the best.
fn spread(
    searched: &Searched<'_>,
    ranked: Vec<(ProductId, f32)>,
    cards: &mut HashMap<ProductId, Hit>,
    explain: bool,
) -> Vec<(ProductId, f32)> {
    let places = {
        let best: Vec<_> = ranked.iter().map_while(|(id, _)| cards.get(id).map(|hit| &hit.card)).collect();
        searched.spread(&best)
    };
    families::arranged(ranked, &places, |(id, _)| {
        if let Some(hit) = cards.get_mut(id).filter(|_| explain) {
            hit.explanation.push(families::behind());
        }
    })
}

/// Hits behind the candidates of both sides: those the words find further down.
fn beyond(
    searched: &Searched<'_>,
    request: &SearchRequest,
    candidates: usize,
    fused: usize,
    near: &[(ProductId, f32)],
    hits: &mut Vec<Hit>,
) -> Result<(), IndexError> {
    let offset = candidates + (request.offset + hits.len()).saturating_sub(fused);
    let found = searched.with(&plain(request, offset, request.limit - hits.len())).answer()?.hits;
    hits.extend(
        found
            .into_iter()
            .filter(|hit| near.iter().all(|(id, _)| *id != hit.card.id))
            .map(|hit| Hit { score: 0.0, ..hit }),
    );
    Ok(())
}

/// The facets that suit a search: those staff display, or else brand, category, price, stock, kind, and the
/// attributes that most hits have and shoppers choose from.
///
/// # Errors
/// [`SearchError`].
pub async fn facets(
    app: &App,
    snapshot: &Snapshot,
    request: &SearchRequest,
    display: &[FacetSetting],
) -> Result<Vec<Facet>, SearchError> {
    let shown: Vec<Facet> = display.iter().filter(|setting| !setting.hidden).filter_map(displayed).collect();
    if !shown.is_empty() {
        return Ok(shown);
    }
    let (snapshot, request) = (snapshot.clone(), request.clone());
    let attributes = blocking(app, move || lexical::attributes_of(&snapshot, &request, ATTRIBUTE_FACETS)).await?;
    let fixed = [Field::Category, Field::Brand, Field::Price(None), Field::Available, Field::ProductType];
    let fields = fixed.into_iter().chain(attributes.into_iter().map(Field::Attribute));
    Ok(fields.map(|field| Facet::new(field, FACET_VALUES)).collect())
}

fn displayed(setting: &FacetSetting) -> Option<Facet> {
    let order = match setting.order {
        merchandising::FacetOrder::Count => FacetOrder::Count,
        merchandising::FacetOrder::Value => FacetOrder::Value,
        merchandising::FacetOrder::Listed => FacetOrder::Listed(setting.listed_values.clone()),
    };
    let facet = Facet::new(Field::parse(&setting.field)?, setting.limit.unwrap_or(FACET_VALUES));
    Some(Facet { order, ..facet })
}

/// Products like a product, and by what they were found; none if it is not in the index.
///
/// # Errors
/// [`SearchError`].
pub async fn similar(
    app: &App,
    snapshot: Snapshot,
    tenant: TenantId,
    id: ProductId,
    limit: usize,
) -> Result<Option<(Vec<Hit>, &'static str)>, SearchError> {
    let everything = SearchRequest { understand: false, ..SearchRequest::text(tenant, "", 1) };
    let (of, ask) = (snapshot.clone(), everything.clone());
    let Some(product) = blocking(app, move || lexical::by_ids(&of, &ask, &[id])).await?.pop() else { return Ok(None) };
    if let Some(vector) = vector::of_product(&app.pool, tenant, snapshot.model(), id).await? {
        // One more, since it is its own best match, and some that are no longer published.
        let near = vector::nearest(&app.pool, tenant, snapshot.model(), &vector, limit * 2 + 1, None).await?;
        let hits = blocking(app, move || {
            let ids: Vec<ProductId> = near.iter().map(|(id, _)| *id).collect();
            let mut cards: HashMap<ProductId, Hit> =
                lexical::by_ids(&snapshot, &everything, &ids)?.into_iter().map(|hit| (hit.card.id, hit)).collect();
            let others = near.into_iter().filter(|(near, _)| *near != id);
            Ok(others.filter_map(|(id, score)| cards.remove(&id).map(|hit| Hit { score, ..hit })).take(limit).collect())
        });
        return Ok(Some((hits.await?, "vectors")));
    }
    let like = SearchRequest { text: product.card.title, limit: limit + 1, ..everything };
    let mut hits = blocking(app, move || lexical::search(&snapshot, &like)).await?.hits;
    hits.retain(|hit| hit.card.id != id);
    hits.truncate(limit);
    Ok(Some((hits, "words")))
}

/// Runs index work on a thread of its own, a bounded number at a time.
///
/// # Errors
/// [`SearchError`].
pub async fn blocking<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> Result<T, IndexError> + Send + 'static,
) -> Result<T, SearchError> {
    let permit = Arc::clone(&app.search_permits)
        .acquire_owned()
        .await
        .map_err(|error| SearchError::Broken(error.to_string()))?;
    let span = tracing::Span::current();
    let run = move || {
        let _permit = permit;
        span.in_scope(work)
    };
    Ok(tokio::task::spawn_blocking(run).await.map_err(|error| SearchError::Broken(error.to_string()))??)
}
