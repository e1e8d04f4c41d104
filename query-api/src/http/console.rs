//! What the console reads, for staff alone. What it does goes through [`super::operations`].

use super::{Refusal, context::ReadContext, operations::Staff};
use crate::{
    App,
    queries::{
        console::{self, LetterFilter, Road},
        lineage, search as searching,
    },
};
use ::search::query::SearchRequest;
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
};
use schemas::{
    ids::ProductId,
    problem::{Code, Problem},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Minutes that probes are kept.
const DAY_MINUTES: i32 = 1_440;
/// Products that a look-up by words gives.
const CANDIDATES: usize = 10;
const MAX_OPERATIONS: i64 = 500;

fn read<T>(parameters: Result<Query<T>, QueryRejection>) -> Result<T, Refusal> {
    match parameters {
        Ok(Query(parameters)) => Ok(parameters),
        Err(error) => Err(Refusal(Problem::new(Code::InvalidRequest).detail(error.body_text()))),
    }
}

/// Everything between a command and a hit, now.
#[utoipa::path(get, path = "/v1/console/road", tag = "console",
    responses((status = 200, description = "`projections`, `tenants`, `documents_waiting`, `nodes`, `dead_letters`, `probe`", body = Object), (status = 401, description = "The staff key is missing", body = Object)))]
pub async fn road(State(app): State<App>, _: Staff) -> Result<Json<Road>, Refusal> {
    Ok(Json(console::road(&app.pool).await?))
}

/// The index generations, their copies, who answers from them, and the last switches.
#[utoipa::path(get, path = "/v1/console/generations", tag = "console",
    responses((status = 200, description = "`generations`, `copies`, `nodes`, `switches`, `vectors`", body = Object), (status = 401, description = "The staff key is missing", body = Object)))]
pub async fn generations(State(app): State<App>, _: Staff) -> Result<Json<Value>, Refusal> {
    Ok(Json(console::generations(&app.pool).await?))
}

/// One index generation with manifest, certificate and comparison.
#[utoipa::path(get, path = "/v1/console/generations/{name}", tag = "console", params(("name" = String, Path, description = "The generation")),
    responses((status = 200, description = "The generation", body = Object), (status = 401, description = "The staff key is missing", body = Object), (status = 404, description = "No such generation", body = Object)))]
pub async fn generation(State(app): State<App>, _: Staff, Path(name): Path<String>) -> Result<Json<Value>, Refusal> {
    let found = console::generation(&app.pool, &name).await?;
    found.map(Json).ok_or_else(|| Refusal::not_found("there is no such generation"))
}

/// Events that could not be applied, of all tenants.
#[utoipa::path(get, path = "/v1/console/letters", tag = "console", params(LetterFilter),
    responses((status = 200, description = "`total`, `letters`, `next`", body = Object), (status = 401, description = "The staff key is missing", body = Object)))]
pub async fn letters(
    State(app): State<App>,
    _: Staff,
    filter: Result<Query<LetterFilter>, QueryRejection>,
) -> Result<Json<Value>, Refusal> {
    Ok(Json(console::letters(&app.pool, &read(filter)?).await?))
}

/// One event that could not be applied, whole.
#[utoipa::path(get, path = "/v1/console/letters/{id}", tag = "console", params(("id" = i64, Path, description = "Its number")),
    responses((status = 200, description = "The letter with headers, payload, history, and what queues behind it", body = Object), (status = 401, description = "The staff key is missing", body = Object), (status = 404, description = "No such letter", body = Object)))]
pub async fn letter(State(app): State<App>, _: Staff, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    let id: i64 = id.parse().map_err(|_| Refusal::parameter("id", "a whole number is expected"))?;
    let found = console::letter(&app.pool, id).await?;
    found.map(Json).ok_or_else(|| Refusal::not_found("there is no such dead letter"))
}

/// How far back.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Span {
    /// 1 to 1440, default 60
    minutes: Option<i32>,
}

/// The rounds of the synthetic probe.
#[utoipa::path(get, path = "/v1/console/probes", tag = "console", params(Span),
    responses((status = 200, description = "`figures`, `probes` (each `each`-th of them)", body = Object), (status = 401, description = "The staff key is missing", body = Object)))]
pub async fn probes(
    State(app): State<App>,
    _: Staff,
    span: Result<Query<Span>, QueryRejection>,
) -> Result<Json<Value>, Refusal> {
    let minutes = read(span)?.minutes.unwrap_or(60);
    if !(1..=DAY_MINUTES).contains(&minutes) {
        return Err(Refusal::parameter("minutes", "1 to 1440 is expected"));
    }
    Ok(Json(console::probes(&app.pool, minutes).await?))
}

/// How many.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Most {
    /// 1 to 500, default 100
    limit: Option<i64>,
}

/// What operators did, and what the reconciler found.
#[utoipa::path(get, path = "/v1/console/operations", tag = "console", params(Most),
    responses((status = 200, description = "`operations`, `reconciliations`, the newest first", body = Object), (status = 401, description = "The staff key is missing", body = Object)))]
pub async fn operations(
    State(app): State<App>,
    _: Staff,
    most: Result<Query<Most>, QueryRejection>,
) -> Result<Json<Value>, Refusal> {
    let limit = read(most)?.limit.unwrap_or(100).clamp(1, MAX_OPERATIONS);
    Ok(Json(console::operations(&app.pool, limit).await?))
}

/// All shops.
#[utoipa::path(get, path = "/v1/console/tenants", tag = "console",
    responses((status = 200, description = "`tenants` by slug", body = Object), (status = 401, description = "The staff key is missing", body = Object)))]
pub async fn tenants(State(app): State<App>, _: Staff) -> Result<Json<Value>, Refusal> {
    Ok(Json(json!({"tenants": console::tenants(&app.pool).await?})))
}

/// What is looked up.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Words {
    /// An id, a SKU, a slug, an external id, or words
    q: String,
}

/// Products by whatever names them.
#[utoipa::path(get, path = "/v1/console/lineage", tag = "console", params(Words),
    responses((status = 200, description = "`products`, and `by` what each was found", body = Object), (status = 401, description = "The staff key is missing", body = Object)))]
pub async fn look_up(
    State(app): State<App>,
    _: Staff,
    context: ReadContext,
    words: Result<Query<Words>, QueryRejection>,
) -> Result<Json<Value>, Refusal> {
    let words = read(words)?;
    let named = lineage::named(&app.pool, context.tenant, words.q.trim()).await?;
    if !named.is_empty() {
        return Ok(Json(json!({"products": named})));
    }
    // SKUs and words are the index's to know.
    let snapshot = app.index.get().ok_or_else(Refusal::no_index)?.snapshot();
    let request = SearchRequest::text(context.tenant, words.q.trim(), CANDIDATES);
    let found = searching::run(&app, snapshot, searching::Mode::Lexical, request).await?;
    let ids: Vec<ProductId> = found.hits.iter().map(|hit| hit.card.id).collect();
    Ok(Json(json!({"products": lineage::found(&app.pool, context.tenant, &ids).await?})))
}

/// One product from its events to its hit.
#[utoipa::path(get, path = "/v1/console/lineage/{product}", tag = "console", params(("product" = String, Path, description = "souk's id")),
    responses((status = 200, description = "`sources`, `page`, `document`, `generations` (as open on this node), `vectors`, `letters`, `found`", body = Object), (status = 401, description = "The staff key is missing", body = Object)))]
pub async fn of_product(
    State(app): State<App>,
    _: Staff,
    context: ReadContext,
    Path(product): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let product: ProductId = product.parse().map_err(|_| Refusal::parameter("product", "a UUID is expected"))?;
    let mut lineage = lineage::of(&app.pool, context.tenant, product).await?;
    let active = app.index.get();
    let name = active.as_ref().map(|handle| handle.manifest().generation.clone()).unwrap_or_default();
    let open = app.index.open();
    let tenant = context.tenant;
    let held = searching::blocking(&app, move || {
        let held = open.into_iter().map(|(generation, handle)| {
            let version = handle.snapshot().version_of(tenant, product)?;
            Ok(json!({"active": generation == name, "generation": generation, "version": version}))
        });
        held.collect::<Result<Vec<Value>, ::search::IndexError>>()
    })
    .await?;
    let title = lineage["page"]["title"].as_str().or(lineage["document"]["body"]["title"].as_str()).map(str::to_owned);
    let (mut found, mut reason) = (false, Value::Null);
    if let (Some(handle), Some(title)) = (active, &title) {
        let (snapshot, request) = (handle.snapshot(), SearchRequest::text(tenant, title, 1));
        let why = searching::blocking(&app, move || ::search::lexical::why(&snapshot, &request, product)).await?;
        (found, reason) = (why.found, json!(why.reason));
    }
    lineage["title"] = json!(title);
    lineage["generations"] = held.into();
    lineage["found"] = found.into();
    lineage["reason"] = reason;
    Ok(Json(lineage))
}
