//! One search: what the token names is waited for, staff's steering applied, and the question answered, or its answer
//! taken from the cache.

use super::{
    FacetBody, SearchBody,
    page::{SearchPage, Shared},
    steered::{Steered, steer},
};
use crate::{
    app::App,
    cache::Key,
    cursor::Cursor,
    freshness::{Hop, Seen, Verdict},
    metrics::Outcome,
    problem::Refusal,
    request::ReadContext,
    steering::Shown,
};
use ::search::{
    budget::Budget,
    offsets,
    reader::{IndexHandle, Snapshot},
    searcher::{Mode, Question},
};
use schemas::{ids::TenantId, problem::Code};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// What one search may take before it is answered with what it has.
const BUDGET: Duration = Duration::from_secs(2);

/// Runs one search and counts how it went, by the generation that answered.
///
/// # Errors
/// [`Refusal`] names what can't be asked so, or says what failed.
pub async fn run(app: &App, context: &ReadContext, body: &SearchBody) -> Result<(Shared, Verdict), Refusal> {
    let handle = match &body.generation {
        None => app.index.choose(body.client.as_deref().unwrap_or(&body.q)).ok_or_else(Refusal::no_index)?,
        Some(_) if !context.is_admin => {
            return Err(Refusal::parameter(
                "generation",
                "only administrators of the installation choose; send the admin key",
            ));
        }
        Some(name) => app
            .index
            .named(name)
            .ok_or_else(|| Refusal::parameter("generation", format!("no generation `{name}` is open here")))?,
    };
    let began = Instant::now();
    let outcome = run_in(app, context, body, &handle).await;
    // That there is too much at once is no fault of the generation.
    let failed = outcome.as_ref().is_err_and(|refusal| refusal.0.status >= 500 && !refusal.is(Code::Overloaded));
    let empty = outcome.as_ref().is_ok_and(|(found, _)| found.0.total == 0);
    app.index.recorder.count(&handle.manifest().generation, began.elapsed(), failed, empty);
    outcome
}

/// Runs one search in a generation, or takes its answer from the cache.
async fn run_in(
    app: &App,
    context: &ReadContext,
    body: &SearchBody,
    handle: &IndexHandle,
) -> Result<(Shared, Verdict), Refusal> {
    let mode = body.mode.unwrap_or(Mode::Lexical);
    let mut request = body.request(context.tenant)?;
    let hop = if mode == Mode::Lexical { Hop::Index } else { Hop::Vectors };
    let mut seen = context.see(app, hop, Some(handle)).await?;
    let mut moved = None;
    if let Some(cursor) = body.cursor.as_deref().filter(|cursor| *cursor != "*") {
        let cursor: Cursor = cursor.parse().map_err(|reason: String| Refusal::parameter("cursor", reason))?;
        request.offset = cursor.offset;
        (seen, moved) = context.resume(app, seen, &cursor).await?;
    }
    let Seen { snapshot, verdict } = seen;
    let generation = snapshot.manifest.generation.clone();
    request.budget = Some(Budget::of(BUDGET));
    let Steered { shown, stamp, degraded } = steer(app, context, body, &snapshot, &mut request).await?;
    let data_version = snapshot.data_version;
    let key = key(context.tenant, body, (&generation, data_version), &stamp, &shown)?;
    if let Some(key) = &key {
        let kept = app.cache.get(key);
        let outcome = if kept.is_some() { "hit" } else { "miss" };
        app.metrics.cache.get_or_create(&Outcome { outcome }).inc();
        if let Some(kept) = kept {
            app.metrics.searched(kept.total);
            return Ok((Shared(kept), verdict));
        }
    }
    let suiting = (body.facets == [FacetBody::Name("*".to_owned())]).then(|| {
        let shop = &shown.facet_display;
        if shop.is_empty() { snapshot.manifest.bundle.facets.clone() } else { shop.clone() }
    });
    let end = request.offset + request.limit;
    let found = app.searcher.search(&snapshot, Question { request, mode, suiting }, &app.vectors).await?;
    let (total, is_last, cut_short) = (found.total, end >= found.total || found.hits.is_empty(), found.partial);
    let index_offsets = if body.explain { index_offsets(&snapshot) } else { None };
    let lost: Vec<String> = [found.degraded.map(str::to_owned), degraded, moved].into_iter().flatten().collect();
    let mut page = SearchPage::new(found, mode, generation, data_version, shown);
    if body.cursor.is_some() && !is_last {
        page.next = Some(context.cursor(app, snapshot, end).to_string());
    }
    page.index_offsets = index_offsets;
    page.degraded = (!lost.is_empty()).then(|| lost.join("; "));
    app.metrics.searched(total);
    let page = Arc::new(page);
    // What was cut short may be whole the next time.
    if let Some(key) = key.filter(|_| !cut_short) {
        app.cache.put(key, Arc::clone(&page));
    }
    Ok((Shared(page), verdict))
}

/// Up to where the index has the document topic. What can't be read is left out: the hits don't depend on it.
fn index_offsets(snapshot: &Snapshot) -> Option<Vec<(String, i32, i64)>> {
    match offsets::parse(&snapshot.offsets) {
        Ok(offsets) => Some(offsets.into_iter().map(|((topic, partition), next)| (topic, partition, next)).collect()),
        Err(error) => {
            tracing::warn!(%error, "the offsets of the index can't be read");
            None
        }
    }
}

/// What an answer depends on, if it is kept. Vectors change without a commit of the index, so that only answers by words
/// are; what is tried out is asked once. Who asks counts only by the arm of an experiment.
fn key(
    tenant: TenantId,
    body: &SearchBody,
    (generation, data_version): (&str, u64),
    stamp: &str,
    shown: &Shown,
) -> Result<Option<Key>, Refusal> {
    let is_tried = !body.ranking.is_empty() || !body.preview.is_empty() || body.explain;
    if body.mode.unwrap_or(Mode::Lexical) != Mode::Lexical || is_tried {
        return Ok(None);
    }
    let asked = serde_json::to_string(&SearchBody { client: None, ..body.clone() })?;
    let arm = shown.experiment.as_ref().map(|arm| (&arm.name, &arm.arm));
    Ok(Some(Key {
        tenant,
        request: format!("search {asked} {stamp} {:?} {arm:?}", shown.rules),
        generation: generation.to_owned(),
        data_version,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steering::Arm;
    use schemas::Uuid;
    use serde_json::{Map, json};

    #[test]
    fn who_asks_makes_no_key_of_its_own_and_what_is_tried_none() {
        let tenant = TenantId(Uuid::from_u128(1));
        let key = |body: &SearchBody, shown: &Shown| key(tenant, body, ("g1", 7), "s", shown).expect("a key");
        let lamp = |client: &str| SearchBody {
            q: "lamp".to_owned(),
            client: Some(client.to_owned()),
            ..SearchBody::default()
        };
        let arm = |arm: &str| Shown {
            experiment: Some(Arm { name: "e".to_owned(), arm: arm.to_owned(), ranking: Map::new(), ignored: None }),
            ..Shown::default()
        };
        assert!(key(&lamp("a"), &Shown::default()).is_some());
        assert_eq!(key(&lamp("a"), &arm("x")), key(&lamp("b"), &arm("x")));
        assert_ne!(key(&lamp("a"), &arm("x")), key(&lamp("a"), &arm("y")));
        let ranking = Map::from_iter([("window".to_owned(), json!(7))]);
        for tried in [
            SearchBody { ranking, ..lamp("a") },
            SearchBody { explain: true, ..lamp("a") },
            SearchBody { mode: Some(Mode::Hybrid), ..lamp("a") },
        ] {
            assert_eq!(key(&tried, &Shown::default()), None);
        }
    }
}
