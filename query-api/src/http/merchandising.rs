//! What staff have defined to steer search, as they read it back.

use super::{
    Refusal,
    context::{ReadContext, mark},
};
use crate::{
    App,
    freshness::Hop,
    queries::merchandising::{self, Definition},
};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use schemas::events::merchandising::MerchandisingKind;
use serde::{Deserialize, Serialize};

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 200;

/// Which page.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// The `next` of the page before
    after: Option<String>,
    /// Definitions on the page, 1 to 200, default 50
    limit: Option<i64>,
}

/// A page of definitions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Definitions {
    /// By name.
    definitions: Vec<Definition>,
    /// What to send as `after` for the next page; null on the last one.
    next: Option<String>,
}

/// Everything of a kind that is defined, by name, page by page.
#[utoipa::path(get, path = "/v1/merchandising/{kind}", tag = "merchandising",
    params(("kind" = String, Path, description = "synonyms, rules, facets or experiments"), Parameters),
    responses((status = 200, description = "A page", body = Definitions), (status = 404, description = "No such kind", body = Object)))]
pub async fn all(
    State(app): State<App>,
    context: ReadContext,
    Path(kind): Path<String>,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(parameters) = parameters?;
    let kind = read_kind(&kind)?;
    let limit = parameters.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Refusal::parameter("limit", "1 to 200 definitions fit on a page"));
    }
    let verdict = context.wait(&app, Hop::Views).await?;
    let after = parameters.after.unwrap_or_default();
    let (definitions, more) = merchandising::page(&app.pool, context.tenant, kind, &after, limit).await?;
    let next = definitions.last().filter(|_| more).map(|last| last.name.clone());
    Ok(mark(Json(Definitions { definitions, next }).into_response(), &verdict))
}

/// What is defined under a name.
#[utoipa::path(get, path = "/v1/merchandising/{kind}/{name}", tag = "merchandising",
    params(("kind" = String, Path, description = "synonyms, rules, facets or experiments"), ("name" = String, Path, description = "The name it was defined under")),
    responses((status = 200, description = "The definition; the version is the ETag, too", body = Definition), (status = 404, description = "Nothing is defined under this name", body = Object)))]
pub async fn one(
    State(app): State<App>,
    context: ReadContext,
    Path((kind, name)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let kind = read_kind(&kind)?;
    let verdict = context.wait(&app, Hop::Views).await?;
    let found = merchandising::find(&app.pool, context.tenant, kind, &name).await?;
    let definition = found.ok_or_else(|| Refusal::not_found("nothing is defined under this name in this shop"))?;
    let etag = HeaderValue::from_str(&format!("\"{}\"", definition.version));
    let mut response = Json(definition).into_response();
    if let Ok(etag) = etag {
        response.headers_mut().insert(header::ETAG, etag);
    }
    Ok(mark(response, &verdict))
}

fn read_kind(text: &str) -> Result<MerchandisingKind, Refusal> {
    text.parse().map_err(|error: schemas::events::merchandising::UnknownKind| Refusal::not_found(&error.to_string()))
}
