//! The accounts of a shop's shoppers and staff, without anything personal: that is sealed, and no read model has it.

use crate::{
    app::App,
    example,
    problem::Refusal,
    read_model::{Expected, Given, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use access::{Permission, Routes, Rule};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use schemas::{Timestamp, Uuid};
use serde::Serialize;
use utoipa_axum::routes;

/// The accounts of a shop.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[Isolation::of("/v1/users", "/v1/users", Expected::Empty("/users")).given(SIGNED_UP)],
};

const SIGNED_UP: &[Given] = &[Given {
    method: "POST",
    path: "/v1/accounts",
    body: r#"{"email": "somebody@ours.example", "password": "vX9-lampe-42"}"#,
}];

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Staff(Permission::AccountsRead), routes!(all))
}

/// The accounts of a shop.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(UserList { users: vec![ShownUser::example()] })))]
pub struct UserList {
    /// The newest thousand, the newest first.
    users: Vec<ShownUser>,
}

/// An account, as far as it is shown.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ShownUser {
    /// Its id.
    id: Uuid,
    /// When somebody signed up.
    #[schema(value_type = String, format = DateTime)]
    registered_at: Timestamp,
    /// When the e-mail address was proved first; null if it was not.
    #[schema(value_type = Option<String>, format = DateTime)]
    verified_at: Option<Timestamp>,
    /// When it was erased; null if it was not.
    #[schema(value_type = Option<String>, format = DateTime)]
    erased_at: Option<Timestamp>,
    /// The groups of customers that they are in.
    groups: Vec<String>,
    /// The roles of somebody who works for the shop: `staff`, `owner`, `admin`, or slugs of the shop's own.
    roles: Vec<String>,
    /// Whether they sign in with one-time codes, without which a role does not count.
    has_second_factor: bool,
}

impl ShownUser {
    fn example() -> Self {
        let verified_at = Some(example::moment());
        Self {
            id: example::id(22),
            registered_at: example::moment(),
            verified_at,
            erased_at: None,
            groups: vec!["trade".to_owned()],
            roles: vec!["buyers".to_owned()],
            has_second_factor: true,
        }
    }
}

/// The accounts of the shop, those that were erased included.
#[utoipa::path(get, path = "/v1/users", tag = "accounts", params(ReadHeaders, ReadParameters),
    responses((status = 200, description = "The newest first", body = UserList)))]
pub async fn all(State(app): State<App>, context: ReadContext) -> Result<Response, Refusal> {
    let verdict = context.wait(&app).await?;
    let users: Vec<ShownUser> = sqlx::query_as(
        "SELECT u.user_id AS id, u.registered_at, u.verified_at, u.erased_at, u.groups, u.has_second_factor,
           array(SELECT coalesce(r.slug, g.role) FROM unnest(u.roles) AS g(role)
             LEFT JOIN roles r ON r.tenant_id = u.tenant_id AND r.role_id::text = g.role
             WHERE r.removed_at IS NULL ORDER BY 1) AS roles
         FROM users u WHERE u.tenant_id = $1 ORDER BY u.registered_at DESC, u.user_id DESC LIMIT 1000",
    )
    .bind(context.tenant.uuid())
    .fetch_all(&app.pool)
    .await?;
    Ok(mark(Json(UserList { users }).into_response(), &verdict))
}
