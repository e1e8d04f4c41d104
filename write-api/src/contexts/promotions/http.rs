//! `/v1/promotions/{name}`, and the codes below it.

mod codes;
mod definitions;

use crate::{
    domain::Name,
    http::problem::ApiError,
    pipeline::{App, Rejection},
};
use access::{Permission, Routes, Rule};
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

const STAFF: Rule = Rule::Staff(Permission::PromotionsWrite);

/// The routes of this slice.
pub(super) fn routes() -> Routes<App> {
    Routes::default()
        .allow(STAFF, routes!(definitions::define, definitions::end))
        .allow(STAFF, routes!(codes::add))
        .allow(STAFF, routes!(codes::generate))
        .allow(STAFF, routes!(codes::disable))
}

/// The name in the path, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "read by the OpenAPI macros only")]
struct NameParameter {
    /// Lower-case letters, digits and single hyphens between, 1 to 64 characters
    name: String,
}

/// The name of a promotion, as the address gives it.
struct PathName(Name);

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl FromRequestParts<App> for PathName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let text = Path::<Named>::from_request_parts(parts, app).await.map(|Path(named)| named.name);
        let name = Name::parse(&text.unwrap_or_default()).map_err(|reason| Rejection::invalid_at("name", reason))?;
        Ok(Self(name))
    }
}
