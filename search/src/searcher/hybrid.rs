//! A search by vectors, or by words and vectors together.

use super::{Mode, SearchAnswer, SearchError, Searcher, VectorSource};
use crate::{
    IndexError, families,
    fuse::{self, Scored},
    lexical::{self, Searched},
    query::{Hit, MAX_LIMIT, ScorePart, SearchRequest},
    reader::Snapshot,
    vector,
};
use schemas::ids::ProductId;
use std::collections::HashMap;

impl Searcher {
    /// What is near to a query's vector; in hybrid mode fused with what has its words.
    pub(super) async fn near_to(
        &self,
        snapshot: &Snapshot,
        request: SearchRequest,
        mode: Mode,
        query: &[f32],
        vectors: &impl VectorSource,
    ) -> Result<SearchAnswer, SearchError> {
        let mut near = self.nearest(snapshot, &request, query, vectors).await?;
        let ranking = request.ranking.unwrap_or(snapshot.ranking);
        if mode == Mode::Hybrid && ranking.feedback > 0 && ranking.feedback_weight > 0.0 {
            let best = plain(&request, 0, ranking.feedback);
            let fuse = move |snapshot: &Snapshot, best: &SearchRequest| {
                fused(snapshot, mode, best, &near).map(|found| (found, near))
            };
            let found = self.step(snapshot, best, fuse).await?;
            near = found.1;
            let ids: Vec<ProductId> = found.0.hits.iter().map(|hit| hit.card.id).collect();
            if let Some(mean) = vectors.mean_vector(request.tenant, snapshot.model(), &ids).await? {
                let moved: Vec<f32> =
                    query.iter().zip(&mean).map(|(query, mean)| query + ranking.feedback_weight * mean).collect();
                near = self.nearest(snapshot, &request, &moved, vectors).await?;
            }
        }
        self.step(snapshot, request, move |snapshot, request| fused(snapshot, mode, request, &near)).await
    }

    /// The products nearest to a vector that pass the filters: among few exactly, among many by HNSW, further and
    /// further out until enough pass.
    async fn nearest(
        &self,
        snapshot: &Snapshot,
        request: &SearchRequest,
        query: &[f32],
        vectors: &impl VectorSource,
    ) -> Result<Vec<(ProductId, f32)>, SearchError> {
        let ranking = request.ranking.unwrap_or(snapshot.ranking);
        let (model, tenant) = (snapshot.model(), request.tenant);
        let passing = |snapshot: &Snapshot, request: &SearchRequest| lexical::passing(snapshot, request, vector::FEW);
        let passing = self.step(snapshot, request.clone(), passing).await?;
        let (limit, among) = match &passing {
            lexical::Passing::All => (ranking.candidates, None),
            lexical::Passing::Few(ids) if ids.is_empty() => return Ok(Vec::new()),
            lexical::Passing::Few(ids) => (ranking.candidates, Some(ids.as_slice())),
            lexical::Passing::Many(share) => {
                // So many more as fail the filters; what still fails is left out by the index.
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    clippy::cast_precision_loss,
                    reason = "a count"
                )]
                let more = (ranking.candidates as f64 / share.max(0.01) * 1.5) as usize;
                (more, None)
            }
        };
        Ok(vectors.nearest(tenant, model, query, limit, among).await?)
    }
}

/// Candidates of both sides that pass the filters, fused, and the page of them that was asked for.
fn fused(
    snapshot: &Snapshot,
    mode: Mode,
    request: &SearchRequest,
    near: &[(ProductId, f32)],
) -> Result<SearchAnswer, IndexError> {
    let ranking = request.ranking.unwrap_or(snapshot.ranking);
    let candidates = ranking.candidates.min(MAX_LIMIT);
    let ids: Vec<ProductId> = near.iter().map(|(id, _)| *id).collect();
    let mut cards: HashMap<ProductId, Hit> =
        lexical::by_ids(snapshot, request, &ids)?.into_iter().map(|hit| (hit.card.id, hit)).collect();
    let near: Vec<(ProductId, f32)> = near.iter().filter(|(id, _)| cards.contains_key(id)).copied().collect();
    let searched = Searched::new(snapshot, request)?;
    let weighed = if searched.weighs() { weighed(&near, &cards, ranking.unrelated) } else { near.clone() };
    let mut found = SearchAnswer::default();
    let mut parts: HashMap<ProductId, Scored> = HashMap::new();
    let ranked = if mode == Mode::Semantic {
        weighed
    } else {
        let answer = searched.with(&plain(request, 0, candidates)).answer()?;
        #[expect(clippy::cast_precision_loss, reason = "a handful of words")]
        let matched = answer.relaxed.as_ref().map_or(1.0, |relaxed| relaxed.matched as f32 / relaxed.of as f32);
        let exact = answer.exact;
        found = answer.into();
        // Pinned products are put in at the end.
        let words: Vec<(ProductId, f32)> =
            found.hits.iter().filter(|hit| !hit.pinned).map(|hit| (hit.card.id, hit.score)).collect();
        cards.extend(found.hits.drain(..).map(|hit| (hit.card.id, Hit { pinned: false, ..hit })));
        // Brands and codes are never misread.
        let gap = if exact { 0.0 } else { fuse::gap(&words, &near, matched, &ranking) };
        let share = if exact { ranking.exact_share } else { ranking.lexical_share };
        let share = share - gap * (share - ranking.gap_share);
        let mut fused = fuse::convex(&words, &weighed, share, ranking.unrelated);
        searched.by_meant_kind(&near, &mut fused, gap * ranking.gap_kind_boost)?;
        parts = fused.iter().map(|scored| (scored.id, *scored)).collect();
        fused.into_iter().map(|scored| (scored.id, scored.score)).collect()
    };
    let (pins, pinned) = (searched.pins(), searched.pins().ids());
    let ranked: Vec<(ProductId, f32)> = ranked.into_iter().filter(|(id, _)| !pinned.contains(id)).collect();
    // Everything the words match, and what only the vectors found.
    found.total = found.total.max(ranked.len() + pins.len());
    found.facets = if request.facets.is_empty() {
        Vec::new()
    } else {
        let ids = Some(ranked.iter().map(|(id, _)| *id).chain(pinned).collect());
        lexical::facets_of(snapshot, &SearchRequest { text: String::new(), ids, ..request.clone() })?
    };
    let count = ranked.len();
    let ranked = spread(&searched, ranked, &mut cards, request.explain);
    let (offset, limit) = pins.others(request.offset, request.limit);
    let page = ranked.into_iter().skip(offset).take(limit);
    let mut hits: Vec<Hit> = page.filter_map(|(id, score)| cards.remove(&id).map(|hit| Hit { score, ..hit })).collect();
    if mode == Mode::Hybrid && hits.len() < limit && offset + limit > count {
        let others = SearchRequest { offset, limit, ..request.clone() };
        beyond(&searched, &others, candidates, count, &near, &mut hits)?;
    }
    found.hits = pins.placed(request.offset, request.limit, found.total - pins.len(), hits);
    searched.finish(&mut found.hits)?;
    if request.explain {
        explain(&mut found.hits, &parts);
    }
    Ok(found)
}

/// What is near, times what staff's boosts, stock and novelty give to each product, best first. Of a similarity, what goes
/// beyond that of texts without relation is multiplied. A product that was looked for by its id has nothing else in its
/// score.
fn weighed(near: &[(ProductId, f32)], cards: &HashMap<ProductId, Hit>, unrelated: f32) -> Vec<(ProductId, f32)> {
    let times = |(id, similarity): &(ProductId, f32)| {
        let factor = cards.get(id).map_or(1.0, |hit| hit.score);
        let beyond = similarity - unrelated;
        (*id, unrelated + if beyond > 0.0 { beyond * factor } else { beyond })
    };
    let mut weighed: Vec<_> = near.iter().map(times).collect();
    // Stable: what is weighed alike stays in the order of nearness.
    weighed.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    weighed
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
            .filter(|hit| !hit.pinned && near.iter().all(|(id, _)| *id != hit.card.id))
            .map(|hit| Hit { score: 0.0, ..hit }),
    );
    Ok(())
}

/// Says of each hit what the words and what the vectors add to its score.
fn explain(hits: &mut [Hit], parts: &HashMap<ProductId, Scored>) {
    for hit in hits {
        let scored = parts.get(&hit.card.id);
        let [lexical, semantic] = scored.map(|scored| scored.parts).unwrap_or_default();
        let part = |name: &str, score| ScorePart { part: name.to_owned(), score };
        hit.explanation.push(part("fusion: share of the words", lexical));
        hit.explanation.push(part("fusion: share of the vectors", semantic));
        if let Some(kind) = scored.map(|scored| scored.kind).filter(|kind| *kind != 0.0) {
            hit.explanation.push(part("kind: how well its attributes go with those of what is meant", kind));
        }
    }
}
