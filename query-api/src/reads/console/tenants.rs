//! All tenants.

use crate::{
    app::App,
    example,
    problem::Refusal,
    read_model::{Isolation, ReadModel},
};
use access::{Routes, Rule};
use axum::{Json, extract::State};
use schemas::{Uuid, events::tenants::Quotas};
use serde::Serialize;
use sqlx::PgPool;
use utoipa_axum::routes;

/// All tenants.
pub const READ: ReadModel = ReadModel { routes, isolation: &[Isolation::staff("/v1/console/tenants")] };

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Admin, routes!(tenants))
}

/// The tenants of the installation.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(TenantList::example())))]
pub struct TenantList {
    /// The first thousand by slug.
    tenants: Vec<TenantName>,
}

impl TenantList {
    fn example() -> Self {
        let host = Some("demo.shops.example".to_owned());
        let tenant = TenantName {
            id: example::id(9),
            slug: "demo".to_owned(),
            name: "Demo shop".to_owned(),
            suspended: None,
            origins: vec!["https://shop.example".to_owned()],
            quotas: sqlx::types::Json(Quotas { products: Some(10_000), ..Quotas::default() }),
            host,
        };
        Self { tenants: vec![tenant] }
    }
}

/// A tenant by its names.
#[derive(Debug, Clone, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct TenantName {
    /// Its id.
    id: Uuid,
    /// The name in addresses.
    slug: String,
    /// The name people read.
    name: String,
    /// Why it is closed to everybody but administrators; null if it is not.
    suspended: Option<String>,
    /// The origins whose pages may read its answers; none if it names none.
    origins: Vec<String>,
    /// How much it may have and ask for; what is not there is as the installation has it set, or not limited.
    #[schema(value_type = Quotas)]
    quotas: sqlx::types::Json<Quotas>,
    /// Where who has no key shops in it, if shops have hosts.
    #[sqlx(default)]
    host: Option<String>,
}

async fn by_slug(pool: &PgPool) -> Result<Vec<TenantName>, sqlx::Error> {
    sqlx::query_as(
        "SELECT id, slug, name, suspended, origins, quotas FROM tenants WHERE NOT deleted ORDER BY slug LIMIT 1000",
    )
    .fetch_all(pool)
    .await
}

/// All tenants.
#[utoipa::path(get, path = "/v1/console/tenants", tag = "console",
    responses((status = 200, description = "The tenants by slug", body = TenantList)))]
pub async fn tenants(State(app): State<App>) -> Result<Json<TenantList>, Refusal> {
    let mut tenants = by_slug(&app.pool).await?;
    for tenant in &mut tenants {
        tenant.host = app.callers.host_of(&tenant.slug);
    }
    Ok(Json(TenantList { tenants }))
}
