//! The identity providers of a shop, for the page where people sign in.

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

/// The identity providers of a shop.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[
        Isolation::of("/v1/identity-providers", "/v1/identity-providers", Expected::Empty("/providers")).given(SET)
    ],
};

const SET: &[Given] = &[Given {
    method: "PUT",
    path: "/v1/identity-providers/acme",
    body: r#"{"name": "Acme", "issuer": "https://login.acme.example", "client_id": "ours", "client_secret": "secret"}"#,
}];

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Search, routes!(all))
}

/// The identity providers of a shop.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!({"providers": [{"slug": "acme", "name": "Acme"}]})))]
pub struct ProviderList {
    /// In the order of their slugs.
    providers: Vec<ShownProvider>,
}

/// A provider, as far as the page shows it.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ShownProvider {
    /// By which `POST /v1/sessions/oidc` names it.
    slug: String,
    /// For people.
    name: String,
}

/// The identity providers by which people sign in
#[utoipa::path(get, path = "/v1/identity-providers", tag = "accounts", params(ReadHeaders, ReadParameters),
    responses((status = 200, description = "In the order of their slugs", body = ProviderList)))]
pub async fn all(State(app): State<App>, context: ReadContext) -> Result<Response, Refusal> {
    let verdict = context.wait(&app).await?;
    let providers: Vec<ShownProvider> = sqlx::query_as(
        "SELECT slug, name FROM identity_providers WHERE tenant_id = $1 AND removed_at IS NULL ORDER BY slug LIMIT 100",
    )
    .bind(context.tenant.uuid())
    .fetch_all(&app.pool)
    .await?;
    Ok(mark(Json(ProviderList { providers }).into_response(), &verdict))
}
