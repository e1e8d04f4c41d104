//! `/v1/tenants/{slug}/quotas`: how much a shop may have, and what it has.

use super::{
    super::domain::{self, TenantCommand},
    change,
};
use crate::{
    http::{answer::CommandAnswer, extract, json, problem::ApiError},
    pipeline::{App, Rejection, command::CarriedOut},
};
use access::shop::TenantName;
use axum::{
    Json,
    body::Body,
    extract::{Path, Request, State},
};
use schemas::{Timestamp, events::tenants::Quotas};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The quotas of a shop, all of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::contexts::tenants) struct QuotasInput {
    /// Products. Without it, as many as come.
    #[schema(maximum = 1_000_000_000)]
    products: Option<u64>,
    /// Commands a second, on each write-api. Without it, as many as each shop may.
    #[schema(minimum = 1, maximum = 1_000_000)]
    commands_per_second: Option<u32>,
    /// Reads a second, on each query-api. Without it, as many as each shop may.
    #[schema(minimum = 1, maximum = 1_000_000)]
    reads_per_second: Option<u32>,
    /// MiB of states in the write database. Without it, as much as comes.
    #[schema(maximum = 1_073_741_824)]
    storage_mib: Option<u64>,
}

/// Set the quotas of a tenant
///
/// They take the place of those before, within 5 seconds on every node.
#[utoipa::path(
    put, path = "/v1/tenants/{slug}/quotas", tag = "tenants", params(("slug" = String, Path, description = "The tenant's slug")),
    request_body = QuotasInput,
    responses((status = 200, description = "Set, or were so before", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "tenant_not_found"])))
)]
pub(in crate::contexts::tenants) async fn set_quotas(
    State(app): State<App>,
    Path(slug): Path<String>,
    request: Request<Body>,
) -> Result<CarriedOut, ApiError> {
    let (parts, body) = request.into_parts();
    let input: QuotasInput = json::read(&extract::read_body(body).await?)?;
    let QuotasInput { products, commands_per_second, reads_per_second, storage_mib } = input;
    let asked = Quotas { products, commands_per_second, reads_per_second, storage_mib };
    let quotas = domain::quotas(asked).map_err(Rejection::invalid)?;
    change(&app, &parts, slug, TenantCommand::SetQuotas(quotas)).await
}

/// How much a tenant may have, and what it has.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(QuotasAndUsage::example())))]
pub(in crate::contexts::tenants) struct QuotasAndUsage {
    /// What is not there is as the installation has it set, or not limited.
    quotas: Quotas,
    /// What it has; null until it was measured first.
    usage: Option<MeasuredUsage>,
}

impl QuotasAndUsage {
    fn example() -> Self {
        let usage = MeasuredUsage { products: 8_120, bytes: 21_504_000, measured_at: Timestamp::UNIX_EPOCH };
        let quotas = Quotas { products: Some(10_000), storage_mib: Some(512), ..Quotas::default() };
        Self { quotas, usage: Some(usage) }
    }
}

/// What a tenant has.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::contexts::tenants) struct MeasuredUsage {
    /// Products.
    products: u64,
    /// Bytes of states in the write database.
    bytes: u64,
    /// When it was measured.
    #[schema(value_type = String, format = DateTime)]
    measured_at: Timestamp,
}

/// Show the quotas and the usage of a tenant
///
/// Usage is measured once a minute where there is a quota of storage, and else once an hour.
#[utoipa::path(
    get, path = "/v1/tenants/{slug}/quotas", tag = "tenants", params(("slug" = String, Path, description = "The tenant's slug")),
    responses((status = 200, description = "Quotas and usage", body = QuotasAndUsage)),
    extensions(("x-problems" = json!(["tenant_not_found"])))
)]
pub(in crate::contexts::tenants) async fn show_quotas(
    State(app): State<App>,
    Path(slug): Path<String>,
) -> Result<Json<QuotasAndUsage>, ApiError> {
    let found = app.tenants.find(&app.database, &TenantName::Slug(slug)).await?;
    let found = found.ok_or_else(|| Rejection::from(domain::Rejection::Missing))?;
    let usage = found.usage.map(|usage| MeasuredUsage {
        products: usage.products,
        bytes: usage.bytes,
        measured_at: usage.measured_at,
    });
    Ok(Json(QuotasAndUsage { quotas: found.quotas, usage }))
}
