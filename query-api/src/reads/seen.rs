//! Whether reads see a write: asked by write-api for whoever wants the answer to a command when they do, and by clients.

use crate::{
    app::App,
    freshness::{Hop, Verdict},
    problem::Refusal,
    read_model::{Expected, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use access::{Routes, Rule};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use schemas::token::Reach;
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

/// Whether reads see a write.
pub const READ: ReadModel =
    ReadModel { routes, isolation: &[Isolation::of("/v1/seen", "/v1/seen", Expected::OfInstallation)] };

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Named, routes!(seen))
}

/// Which reads.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Where {
    /// Which reads have to see it: `views`, which is the default, `search` or `vectors`
    r#in: Option<Reach>,
}

/// Whether reads see what the token names.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(Seen { is_seen: true, reach: Reach::Search })))]
pub struct Seen {
    /// They do. If not, the header `souk-versions-served` has what they see instead.
    is_seen: bool,
    /// Which reads.
    #[serde(rename = "in")]
    reach: Reach,
}

/// Whether reads see a write
///
/// The answer comes when they do, or when `souk-wait-ms` are over.
#[utoipa::path(get, path = "/v1/seen", tag = "status", params(Where, ReadHeaders, ReadParameters),
    responses((status = 200, description = "Whether they do", body = Seen)))]
pub async fn seen(
    State(app): State<App>,
    asked: Result<Query<Where>, QueryRejection>,
    context: ReadContext,
) -> Result<Response, Refusal> {
    let reach = asked?.r#in.unwrap_or_default();
    let verdict = match reach {
        Reach::Views => context.wait(&app).await?,
        Reach::Search => context.see(&app, Hop::Index, None).await?.verdict,
        Reach::Vectors => context.see(&app, Hop::Vectors, None).await?.verdict,
    };
    let seen = Seen { is_seen: verdict == Verdict::Fresh, reach };
    Ok(mark(Json(seen).into_response(), &verdict))
}
