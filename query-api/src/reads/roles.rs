//! The roles that a shop has defined.

use crate::{
    app::App,
    example,
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
use schemas::Uuid;
use serde::Serialize;
use utoipa_axum::routes;

/// The roles of a shop.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[Isolation::of("/v1/roles", "/v1/roles", Expected::Empty("/roles")).given(DEFINED)],
};

const DEFINED: &[Given] = &[Given {
    method: "PUT",
    path: "/v1/roles/ours",
    body: r#"{"name": "Buyers of ours", "permissions": ["catalog.write"]}"#,
}];

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Owner, routes!(all))
}

/// The roles of a shop.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(RoleList { roles: vec![ShownRole::example()] })))]
pub struct RoleList {
    /// By slug.
    roles: Vec<ShownRole>,
}

/// A role.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ShownRole {
    /// Its id.
    id: Uuid,
    /// By which it is named in addresses.
    slug: String,
    /// What people call it.
    name: String,
    /// What who has it may do.
    permissions: Vec<String>,
    /// Its version, for `If-Match`.
    version: i64,
    /// How many accounts have it.
    members: i64,
}

impl ShownRole {
    fn example() -> Self {
        Self {
            id: example::id(23),
            slug: "buyers".to_owned(),
            name: "Buyers".to_owned(),
            permissions: vec!["catalog.write".to_owned(), "pricing.write".to_owned()],
            version: 1,
            members: 2,
        }
    }
}

/// The roles that the shop has defined. `staff`, `owner` and `admin` are in every shop, and not among them.
#[utoipa::path(get, path = "/v1/roles", tag = "accounts", params(ReadHeaders, ReadParameters),
    responses((status = 200, description = "By slug", body = RoleList)))]
pub async fn all(State(app): State<App>, context: ReadContext) -> Result<Response, Refusal> {
    let verdict = context.wait(&app).await?;
    let roles: Vec<ShownRole> = sqlx::query_as(
        "SELECT r.role_id AS id, r.slug, r.name, r.permissions, r.version,
           (SELECT count(*) FROM users u WHERE u.tenant_id = r.tenant_id AND u.roles <> '{}'
              AND u.roles @> ARRAY[r.role_id::text]) AS members
         FROM roles r WHERE r.tenant_id = $1 AND r.removed_at IS NULL ORDER BY r.slug LIMIT 1000",
    )
    .bind(context.tenant.uuid())
    .fetch_all(&app.pool)
    .await?;
    Ok(mark(Json(RoleList { roles }).into_response(), &verdict))
}
