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
};
use ::search::{
    budget::Budget,
    offsets,
    reader::{IndexHandle, Snapshot},
    searcher::{Mode, Question},
};
use schemas::problem::Code;
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
        Some(_) if !context.staff => {
            return Err(Refusal::parameter("generation", "only staff choose; send the staff key as a bearer token"));
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
    let mut moved = false;
    if let Some(cursor) = body.cursor.as_deref().filter(|cursor| *cursor != "*") {
        let cursor: Cursor = cursor.parse().map_err(|reason: String| Refusal::parameter("cursor", reason))?;
        request.offset = cursor.offset;
        match app.cursors.get(&(cursor.generation.clone(), cursor.data_version)).await {
            Some(kept) => seen = context.resume(app, seen, kept).await?,
            None => {
                let Seen { snapshot: present, .. } = &seen;
                moved = cursor.generation != present.manifest.generation || cursor.data_version != present.data_version;
            }
        }
    }
    let Seen { snapshot, verdict } = seen;
    let generation = snapshot.manifest.generation.clone();
    request.budget = Some(Budget::of(BUDGET));
    let Steered { shown, stamp, degraded } = steer(app, context, body, &snapshot, &mut request).await?;
    let data_version = snapshot.data_version;
    // Vectors change without a commit of the index, so that only answers by words can be kept.
    let key = match mode {
        Mode::Lexical => Some(Key {
            tenant: context.tenant,
            request: format!("search {} {stamp} {:?}", serde_json::to_string(body)?, shown.rules),
            generation: generation.clone(),
            data_version,
        }),
        Mode::Semantic | Mode::Hybrid => None,
    };
    if let Some(key) = &key {
        let kept = app.cache.get(key).await;
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
    let moved = moved.then(|| "the index of the page before is gone: this page is of the present one".to_owned());
    let lost: Vec<String> = [found.degraded.map(str::to_owned), degraded, moved].into_iter().flatten().collect();
    let mut page = SearchPage::new(found, mode, generation, data_version, shown);
    if body.cursor.is_some() && !is_last {
        page.next = Some(next(app, &page.generation, snapshot, end).await);
    }
    page.index_offsets = index_offsets;
    page.degraded = (!lost.is_empty()).then(|| lost.join("; "));
    app.metrics.searched(total);
    let page = Arc::new(page);
    // What was cut short may be whole the next time.
    if let Some(key) = key.filter(|_| !cut_short) {
        app.cache.put(key, Arc::clone(&page)).await;
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

/// The cursor of the next page; the index stays as it is for those who hold it.
async fn next(app: &App, generation: &str, snapshot: Snapshot, offset: usize) -> String {
    let cursor = Cursor { generation: generation.to_owned(), data_version: snapshot.data_version, offset };
    app.cursors.insert((cursor.generation.clone(), cursor.data_version), snapshot).await;
    cursor.to_string()
}
