//! All tenants.

use crate::{
    app::App,
    problem::Refusal,
    read_model::{Isolation, ReadModel},
    staff::Staff,
};
use axum::{Json, extract::State};
use serde_json::{Value, json};
use sqlx::PgPool;
use utoipa_axum::{router::OpenApiRouter, routes};

/// All tenants.
pub const READ: ReadModel = ReadModel { routes, isolation: &[Isolation::staff("/v1/console/tenants")] };

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(tenants))
}

/// All shops by slug.
async fn by_slug(pool: &PgPool) -> Result<Vec<Value>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT jsonb_build_object('id', id, 'slug', slug, 'name', name) FROM tenants ORDER BY slug LIMIT 1000",
    )
    .fetch_all(pool)
    .await
}

/// All shops.
#[utoipa::path(get, path = "/v1/console/tenants", tag = "console",
    responses((status = 200, description = "`tenants` by slug", body = Object), (status = 401, description = "The staff key is missing", body = Object)))]
pub async fn tenants(State(app): State<App>, _: Staff) -> Result<Json<Value>, Refusal> {
    Ok(Json(json!({"tenants": by_slug(&app.pool).await?})))
}
