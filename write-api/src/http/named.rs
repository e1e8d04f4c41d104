//! Names in addresses: what staff define stands under one.

use super::problem::ApiError;
use crate::{
    domain::Name,
    pipeline::{App, Rejection},
};
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use utoipa::IntoParams;

/// The name in the path, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "read by the OpenAPI macros only")]
pub(crate) struct NameParameter {
    /// Lower-case letters, digits and single hyphens between, 1 to 64 characters
    name: String,
}

/// The name of a definition, as the address gives it.
pub(crate) struct PathName(pub(crate) Name);

impl FromRequestParts<App> for PathName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let text = Path::<String>::from_request_parts(parts, app).await.map(|Path(text)| text).unwrap_or_default();
        let name = Name::parse(&text).map_err(|reason| Rejection::invalid_at("name", reason))?;
        Ok(Self(name))
    }
}
