//! What a shop has decided, as its staff read it back.

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
use schemas::{
    events::settings::{SettingKind, ShopPolicy},
    ids::TenantId,
    settings::Setting,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::{PgPool, types::Json};
use utoipa_axum::routes;

/// What a shop has decided.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[
        Isolation::of("/v1/settings/{kind}", "/v1/settings/channels", Expected::Empty("/settings")).given(DECIDED),
        Isolation::of("/v1/settings/{kind}/{name}", "/v1/settings/channels/web", Expected::NotFound),
        Isolation::of("/v1/settings/policy", "/v1/settings/policy", Expected::Denied("/is_decided")).given(POLICIED),
    ],
};

const DECIDED: &[Given] = &[Given {
    method: "PUT",
    path: "/v1/settings/channels/web",
    body: r#"{"title": "Lamp shop of ours", "currencies": ["USD"]}"#,
}];

const POLICIED: &[Given] = &[Given {
    method: "PUT",
    path: "/v1/settings/policy",
    body: r#"{"home": {"country": "CH"}, "time_zone": "Europe/Zurich", "prices": "inclusive", "payment_attempts": 5, "cart_days": 30,
        "payments": [{"method": "cash_on_delivery", "deadline_minutes": 60}], "cash_rounding": [{"currency": "CHF", "to": 5}]}"#,
}];

const STAFF: Rule = Rule::Staff(Permission::SettingsWrite);

fn routes() -> Routes<App> {
    Routes::default().allow(STAFF, routes!(policy)).allow(STAFF, routes!(all)).allow(STAFF, routes!(one))
}

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 250;

/// Which page.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SettingsPage {
    /// The `next` of the page before
    after: Option<String>,
    /// Settings on the page, 1 to 250, default 50
    #[param(minimum = 1, maximum = 250)]
    limit: Option<i64>,
}

/// A page of settings.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(SettingList { settings: vec![ShownSetting::example()], next: None })))]
pub struct SettingList {
    /// By name.
    settings: Vec<ShownSetting>,
    /// What to send as `after` for the next page; null on the last one.
    next: Option<String>,
}

/// Everything of a kind that is decided, by name, page by page.
#[utoipa::path(get, path = "/v1/settings/{kind}", tag = "settings",
    params(("kind" = String, Path, description = "tax-zones, shipping-methods, locations or channels"), SettingsPage, ReadHeaders, ReadParameters),
    responses((status = 200, description = "A page", body = SettingList), (status = 404, description = "No such kind")))]
pub async fn all(
    State(app): State<App>,
    context: ReadContext,
    Path(kind): Path<String>,
    parameters: Result<Query<SettingsPage>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(parameters) = parameters?;
    let kind = read_kind(&kind)?;
    let limit = parameters.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Refusal::parameter("limit", format!("1 to {MAX_LIMIT} settings fit on a page")));
    }
    let verdict = context.wait(&app).await?;
    let after = parameters.after.unwrap_or_default();
    let (settings, more) = page(&app.pool, context.tenant, kind, &after, limit).await?;
    let next = settings.last().filter(|_| more).map(|last| last.name.clone());
    Ok(mark(axum::Json(SettingList { settings, next }).into_response(), &verdict))
}

/// What is decided under a name.
#[utoipa::path(get, path = "/v1/settings/{kind}/{name}", tag = "settings",
    params(("kind" = String, Path, description = "tax-zones, shipping-methods, locations or channels"), ("name" = String, Path, description = "The name it was defined under"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "The setting; the version is the ETag, too", body = ShownSetting), (status = 404, description = "Nothing is defined under this name")))]
pub async fn one(
    State(app): State<App>,
    context: ReadContext,
    Path((kind, name)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let kind = read_kind(&kind)?;
    let verdict = context.wait(&app).await?;
    let found = find(&app.pool, context.tenant, kind, &name).await?;
    let setting = found.ok_or_else(|| Refusal::not_found("nothing is defined under this name in this shop"))?;
    let view = View::of(&setting)?.version(setting.version);
    Ok(mark(view.response(), &verdict))
}

/// What holds for the whole shop.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(ShownPolicy { is_decided: false, version: 0, definition: ShopPolicy::default() })))]
pub struct ShownPolicy {
    /// Whether somebody has decided it. If not, this is what holds in a shop that has decided nothing.
    is_decided: bool,
    /// Its version: what If-Match has to name to replace it; 0 until it is decided.
    version: u64,
    /// What holds.
    definition: ShopPolicy,
}

/// What holds for the whole shop, also where nobody has decided it.
#[utoipa::path(get, path = "/v1/settings/policy", tag = "settings", params(ReadHeaders, ReadParameters),
    responses((status = 200, description = "The policy; the version is the ETag, too, once it is decided", body = ShownPolicy)))]
pub async fn policy(State(app): State<App>, context: ReadContext) -> Result<Response, Refusal> {
    let verdict = context.wait(&app).await?;
    let Setting { version, content, .. } = app.settings.of(context.tenant, true).await?.policy.clone();
    let is_decided = version > 0;
    let view = View::of(&ShownPolicy { is_decided, version, definition: content })?;
    let view = if is_decided { view.version(version) } else { view };
    Ok(mark(view.response(), &verdict))
}

/// A kind of which there are several; the policy has an address of its own.
fn read_kind(text: &str) -> Result<SettingKind, Refusal> {
    let kind = text.parse().ok().filter(|kind| *kind != SettingKind::ShopPolicy);
    kind.ok_or_else(|| Refusal::not_found("there are tax-zones, shipping-methods, locations, channels and policy"))
}

/// What is decided under a name.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
#[schema(examples(json!(ShownSetting::example())))]
pub struct ShownSetting {
    /// `tax-zones`, `shipping-methods`, `locations` or `channels`.
    kind: String,
    /// The name.
    name: String,
    /// Its version: what If-Match has to name to replace it.
    version: i64,
    /// What is decided, as it was put.
    #[schema(value_type = Object)]
    definition: Json<Box<RawValue>>,
}

impl ShownSetting {
    fn example() -> Self {
        let definition = RawValue::from_string(r#"{"title":"Web shop","currencies":["EUR","USD"]}"#.to_owned());
        Self {
            kind: SettingKind::Channel.as_str().to_owned(),
            name: "web".to_owned(),
            version: 1,
            definition: Json(definition.unwrap_or_default()),
        }
    }
}

/// Looks a setting up.
async fn find(
    pool: &PgPool,
    tenant: TenantId,
    kind: SettingKind,
    name: &str,
) -> Result<Option<ShownSetting>, sqlx::Error> {
    sqlx::query_as(
        "SELECT kind, name, version, body AS definition FROM settings
         WHERE tenant_id = $1 AND kind = $2 AND name = $3 AND body IS NOT NULL",
    )
    .bind(tenant.uuid())
    .bind(kind.as_str())
    .bind(name)
    .fetch_optional(pool)
    .await
}

/// The settings of a kind by name, from after a name on; and whether there are more.
async fn page(
    pool: &PgPool,
    tenant: TenantId,
    kind: SettingKind,
    after: &str,
    limit: i64,
) -> Result<(Vec<ShownSetting>, bool), sqlx::Error> {
    let mut found: Vec<ShownSetting> = sqlx::query_as(
        "SELECT kind, name, version, body AS definition FROM settings
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
