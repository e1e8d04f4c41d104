//! `/v1/merchandising/facets/{name}`.

use crate::{
    http::{
        answer::CommandAnswer,
        extract::{BareCommand, Command},
        headers::{IdempotencyHeader, TenantHeaders, VersionHeader},
        named::{NameParameter, PathName},
        problem::ApiError,
    },
    pipeline::{App, command::CarriedOut},
};
use axum::extract::State;
use schemas::events::merchandising::{FacetDisplay, FacetOrder, FacetSetting};
use serde::Deserialize;
use utoipa::ToSchema;

/// Which facets are shown, in this order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FacetDisplayInput {
    /// The slug of the category it is for; the whole shop, if absent.
    category: Option<String>,
    /// At most 50, each of another field.
    facets: Vec<FacetSettingInput>,
}

/// How one facet is shown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FacetSettingInput {
    /// `brand`, `category`, `available`, `price` or `attr.<name>`.
    field: String,
    /// What people read above it.
    label: Option<String>,
    /// The most values that are shown, 1 to 100.
    limit: Option<u32>,
    /// `count` (default), `value` or `listed`.
    #[serde(default = "by_count")]
    #[schema(value_type = Option<String>)]
    order: FacetOrder,
    /// The values in their order, where that is `listed`.
    #[serde(default)]
    listed_values: Vec<String>,
    /// Whether it is left out; it is not, if absent.
    #[serde(default)]
    hidden: bool,
}

const fn by_count() -> FacetOrder {
    FacetOrder::Count
}

impl From<FacetDisplayInput> for FacetDisplay {
    fn from(input: FacetDisplayInput) -> Self {
        let facet = |facet: FacetSettingInput| FacetSetting {
            field: facet.field,
            label: facet.label,
            limit: facet.limit,
            order: facet.order,
            listed_values: facet.listed_values,
            hidden: facet.hidden,
        };
        Self { category: input.category, facets: input.facets.into_iter().map(facet).collect() }
    }
}

/// Define how facets are shown
///
/// Creates it, or replaces it as a whole; If-Match is needed when it is there already.
#[utoipa::path(
    put, path = "/v1/merchandising/facets/{name}", tag = "merchandising",
    params(NameParameter, TenantHeaders, VersionHeader, IdempotencyHeader), request_body = FacetDisplayInput,
    responses((status = 201, description = "Created", body = CommandAnswer), (status = 200, description = "Replaced or unchanged", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "version_required", "quota_exceeded"])))
)]
pub(super) async fn define(
    State(app): State<App>,
    name: PathName,
    command: Command<FacetDisplayInput>,
) -> Result<CarriedOut, ApiError> {
    super::define::<FacetDisplay>(&app, name, command).await
}

/// Remove how facets are shown
#[utoipa::path(
    delete, path = "/v1/merchandising/facets/{name}", tag = "merchandising",
    params(NameParameter, TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "Removed", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "version_required"])))
)]
pub(super) async fn remove(
    State(app): State<App>,
    name: PathName,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    super::remove::<FacetDisplay>(&app, name, command).await
}
