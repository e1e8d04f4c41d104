//! Which pages of other hosts may read the answers of a shop, as its owners see it.

use crate::{
    app::App,
    problem::Refusal,
    read_model::{Expected, Given, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use access::{Routes, Rule};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa_axum::routes;

/// The origins of a shop.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[Isolation::of("/v1/origins", "/v1/origins", Expected::Empty("/origins")).given(SET)],
};

const SET: &[Given] = &[Given {
    method: "PUT",
    path: "/v1/origins",
    body: r#"{"origins": ["https://ours.example", "http://localhost:3000"]}"#,
}];

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Owner, routes!(all))
}

/// The origins of a shop.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!({"origins": ["https://shop.example"]})))]
pub struct OriginList {
    /// As browsers send them, in the order of the alphabet. None: reads are answered for pages of every origin, and
    /// commands for those of none.
    origins: Vec<String>,
}

/// The origins of the pages that may read the shop's answers.
#[utoipa::path(get, path = "/v1/origins", tag = "access", params(ReadHeaders, ReadParameters),
    responses((status = 200, description = "The origins", body = OriginList)))]
pub async fn all(State(app): State<App>, context: ReadContext) -> Result<Response, Refusal> {
    let verdict = context.wait(&app).await?;
    let found: Option<Vec<String>> = sqlx::query_scalar("SELECT origins FROM tenants WHERE id = $1")
        .bind(context.tenant.uuid())
        .fetch_optional(&app.pool)
        .await?;
    Ok(mark(Json(OriginList { origins: found.unwrap_or_default() }).into_response(), &verdict))
}
