//! One product from its events to its hit: what the views keep of it at each station.

use crate::{
    app::App,
    problem::Refusal,
    read_model::{Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters},
};
use ::search::{
    document::SearchDocument,
    query::SearchRequest,
    searcher::{Mode, Question},
};
use access::{Routes, Rule};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
};
use schemas::ids::{ProductId, TenantId};
use serde::Deserialize;
use utoipa_axum::routes;

mod row;
mod stations;

use row::{Held, Lineage, ProductsNamed};

/// One product from its events to its hit.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[Isolation::staff("/v1/console/lineage"), Isolation::staff("/v1/console/lineage/{product}")],
};

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Admin, routes!(look_up)).allow(Rule::Admin, routes!(of_product))
}

/// Products that a look-up by words gives.
const CANDIDATES: usize = 10;

/// What is looked up.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Words {
    /// An id, a SKU, a slug, an external id, or words
    q: String,
}

/// Products by whatever names them.
#[utoipa::path(get, path = "/v1/console/lineage", tag = "console", params(Words, ReadHeaders, ReadParameters),
    responses((status = 200, description = "The products", body = ProductsNamed)))]
pub async fn look_up(
    State(app): State<App>,
    context: ReadContext,
    words: Result<Query<Words>, QueryRejection>,
) -> Result<Json<ProductsNamed>, Refusal> {
    let words = words?.0;
    let products = stations::named(&app.pool, context.tenant, words.q.trim()).await?;
    if !products.is_empty() {
        return Ok(Json(ProductsNamed { products }));
    }
    // SKUs and words are the index's to know.
    let snapshot = app.index.get().ok_or_else(Refusal::no_index)?.snapshot();
    let request = SearchRequest::text(context.tenant, words.q.trim(), CANDIDATES);
    let question = Question { request, mode: Mode::Lexical, suiting: None };
    let found = app.searcher.search(&snapshot, question, &app.vectors).await?;
    let ids: Vec<ProductId> = found.hits.iter().map(|hit| hit.card.id).collect();
    Ok(Json(ProductsNamed { products: stations::by_id(&app.pool, context.tenant, &ids).await? }))
}

/// One product from its events to its hit.
#[utoipa::path(get, path = "/v1/console/lineage/{product}", tag = "console", params(("product" = String, Path, description = "souk's id"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "What each station has of it", body = Lineage)))]
pub async fn of_product(
    State(app): State<App>,
    context: ReadContext,
    Path(product): Path<String>,
) -> Result<Json<Lineage>, Refusal> {
    let product: ProductId = product.parse().map_err(|_| Refusal::parameter("product", "a UUID is expected"))?;
    let kept = stations::kept(&app.pool, context.tenant, product).await?;
    let in_page = kept.page.as_ref().and_then(|page| page.title.clone());
    let title = in_page.or_else(|| {
        let document: SearchDocument = serde_json::from_str(kept.document.as_ref()?.body.get()).ok()?;
        Some(document.product?.title)
    });
    let generations = held(&app, context.tenant, product).await?;
    let (mut found, mut reason) = (false, None);
    if let (Some(handle), Some(title)) = (app.index.get(), &title) {
        let (snapshot, request) = (handle.snapshot(), SearchRequest::text(context.tenant, title, 1));
        let why = app.searcher.why(&snapshot, request, product).await?;
        (found, reason) = (why.found, Some(why.reason));
    }
    Ok(Json(Lineage { kept, title, generations, found, reason }))
}

/// What each generation that is open on this node has of a product.
async fn held(app: &App, tenant: TenantId, product: ProductId) -> Result<Vec<Held>, Refusal> {
    let active = app.index.get().map(|handle| handle.manifest().generation.clone());
    let open = app.index.open();
    let held = app.searcher.blocking(move || {
        let held = open.into_iter().map(|(generation, handle)| {
            let version = handle.snapshot().version_of(tenant, product)?;
            Ok(Held { active: active.as_ref() == Some(&generation), generation, version })
        });
        held.collect::<Result<Vec<Held>, ::search::IndexError>>()
    });
    Ok(held.await?)
}
