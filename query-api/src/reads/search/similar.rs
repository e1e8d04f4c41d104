//! `GET /v1/products/{id}/similar`: products like a product.

use crate::{
    app::App,
    example,
    freshness::{Hop, Seen},
    problem::{Refusal, bounded},
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use ::search::{query::Hit, searcher::By};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use schemas::ids::ProductId;
use serde::{Deserialize, Serialize};

const DEFAULT_LIMIT: usize = 8;
const MAX_LIMIT: usize = 50;

/// What similar products take.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// Most products, 1 to 50, default 8
    limit: Option<usize>,
}

/// Products like a product.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(SimilarProducts::example())))]
pub struct SimilarProducts {
    /// They, the most similar first.
    hits: Vec<Hit>,
    /// By what they were found.
    by: By,
}

impl SimilarProducts {
    fn example() -> Self {
        Self { hits: vec![Hit::new(0.75, example::card())], by: By::Vectors }
    }
}

/// Products like this one, by meaning, or by words where it has no vector yet.
#[utoipa::path(get, path = "/v1/products/{id}/similar", tag = "search",
    params(("id" = String, Path, description = "souk's id"), Parameters, ReadHeaders, ReadParameters),
    responses((status = 200, description = "The most similar first", body = SimilarProducts), (status = 404, description = "No such product")))]
pub async fn similar(
    State(app): State<App>,
    context: ReadContext,
    Path(id): Path<String>,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(Parameters { limit }) = parameters?;
    let limit = bounded("limit", limit.unwrap_or(DEFAULT_LIMIT), 1, MAX_LIMIT)?;
    let id: ProductId = id.parse().map_err(|_| Refusal::parameter("id", "a UUID is expected"))?;
    let Seen { snapshot, verdict } = context.see(&app, Hop::Index, None).await?;
    let found = app.searcher.similar(&snapshot, context.tenant, id, limit, &app.vectors).await?;
    let found = found.ok_or_else(|| Refusal::not_found("no such product in this shop"))?;
    Ok(mark(Json(SimilarProducts { hits: found.hits, by: found.by }).into_response(), &verdict))
}
