//! What staff have defined to steer search, as they read it back.

use crate::{
    app::App,
    problem::Refusal,
    read_model::{Expected, Given, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
    view::View,
};
use access::{Permission, Routes, Rule};
use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use schemas::{events::merchandising::MerchandisingKind, ids::TenantId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::{PgPool, types::Json};
use utoipa_axum::routes;

/// What staff have defined.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[
        Isolation::of("/v1/merchandising/{kind}", "/v1/merchandising/synonyms", Expected::Empty("/definitions"))
            .given(DEFINED),
        Isolation::of("/v1/merchandising/{kind}/{name}", "/v1/merchandising/synonyms/lamps", Expected::NotFound),
    ],
};

const DEFINED: &[Given] = &[Given {
    method: "PUT",
    path: "/v1/merchandising/synonyms/lamps",
    body: r#"{"kind": "multi_way", "terms": ["lamp", "light"]}"#,
}];

fn routes() -> Routes<App> {
    Routes::default()
        .allow(Rule::Staff(Permission::MerchandisingRead), routes!(all))
        .allow(Rule::Staff(Permission::MerchandisingRead), routes!(one))
}

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
#[schema(examples(json!(Definitions { definitions: vec![Definition::example()], next: None })))]
pub struct Definitions {
    /// By name.
    definitions: Vec<Definition>,
    /// What to send as `after` for the next page; null on the last one.
    next: Option<String>,
}

/// Everything of a kind that is defined, by name, page by page.
#[utoipa::path(get, path = "/v1/merchandising/{kind}", tag = "merchandising",
    params(("kind" = String, Path, description = "synonyms, rules, facets or experiments"), Parameters, ReadHeaders, ReadParameters),
    responses((status = 200, description = "A page", body = Definitions), (status = 404, description = "No such kind")))]
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
    let verdict = context.wait(&app).await?;
    let after = parameters.after.unwrap_or_default();
    let (definitions, more) = page(&app.pool, context.tenant, kind, &after, limit).await?;
    let next = definitions.last().filter(|_| more).map(|last| last.name.clone());
    Ok(mark(axum::Json(Definitions { definitions, next }).into_response(), &verdict))
}

/// What is defined under a name.
#[utoipa::path(get, path = "/v1/merchandising/{kind}/{name}", tag = "merchandising",
    params(("kind" = String, Path, description = "synonyms, rules, facets or experiments"), ("name" = String, Path, description = "The name it was defined under"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "The definition; the version is the ETag, too", body = Definition), (status = 404, description = "Nothing is defined under this name")))]
pub async fn one(
    State(app): State<App>,
    context: ReadContext,
    Path((kind, name)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let kind = read_kind(&kind)?;
    let verdict = context.wait(&app).await?;
    let found = find(&app.pool, context.tenant, kind, &name).await?;
    let definition = found.ok_or_else(|| Refusal::not_found("nothing is defined under this name in this shop"))?;
    let view = View::of(&definition)?.version(definition.version);
    Ok(mark(view.response(), &verdict))
}

fn read_kind(text: &str) -> Result<MerchandisingKind, Refusal> {
    text.parse().map_err(|error: schemas::events::merchandising::UnknownKind| Refusal::not_found(&error.to_string()))
}

/// What is defined under a name.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
#[schema(examples(json!(Definition::example())))]
pub struct Definition {
    /// `synonyms`, `rules`, `facets` or `experiments`.
    pub kind: String,
    /// The name.
    pub name: String,
    /// Its version: what If-Match has to name to replace it.
    pub version: i64,
    /// What is defined, as it was put.
    #[schema(value_type = Object)]
    pub definition: Json<Box<RawValue>>,
}

impl Definition {
    fn example() -> Self {
        let definition = RawValue::from_string(r#"{"kind":"multi_way","terms":["lamp","light"]}"#.to_owned());
        Self {
            kind: "synonyms".to_owned(),
            name: "lamps".to_owned(),
            version: 1,
            definition: Json(definition.unwrap_or_default()),
        }
    }
}

/// Looks a definition up.
async fn find(
    pool: &PgPool,
    tenant: TenantId,
    kind: MerchandisingKind,
    name: &str,
) -> Result<Option<Definition>, sqlx::Error> {
    sqlx::query_as(
        "SELECT kind, name, version, body AS definition FROM merchandising
         WHERE tenant_id = $1 AND kind = $2 AND name = $3 AND body IS NOT NULL",
    )
    .bind(tenant.uuid())
    .bind(kind.as_str())
    .bind(name)
    .fetch_optional(pool)
    .await
}

/// The definitions of a kind by name, from after a name on; and whether there are more.
async fn page(
    pool: &PgPool,
    tenant: TenantId,
    kind: MerchandisingKind,
    after: &str,
    limit: i64,
) -> Result<(Vec<Definition>, bool), sqlx::Error> {
    let mut found: Vec<Definition> = sqlx::query_as(
        "SELECT kind, name, version, body AS definition FROM merchandising
         WHERE tenant_id = $1 AND kind = $2 AND name > $3 AND body IS NOT NULL ORDER BY name LIMIT $4",
    )
    .bind(tenant.uuid())
    .bind(kind.as_str())
    .bind(after)
    .bind(limit + 1)
    .fetch_all(pool)
    .await?;
    let limit = usize::try_from(limit).unwrap_or_default();
    let more = found.len() > limit;
    found.truncate(limit);
    Ok((found, more))
}
