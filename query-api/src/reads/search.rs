//! Search, suggestions, facets and similar products.

use crate::{
    app::App,
    http::{facets, search, similar, suggest},
    read_model::{Expected, Isolation, ReadModel},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Everything that the index answers.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[
        Isolation::of("/v1/search", "/v1/search", Expected::Concealed),
        Isolation::of("/v1/search/multi", "/v1/search/multi", Expected::Concealed)
            .posting(r#"{"searches": [{"q": "lamp"}]}"#),
        Isolation::of("/v1/search/why/{product}", "/v1/search/why/{product}?q=lamp", Expected::Denied("/found")),
        Isolation::of("/v1/suggest", "/v1/suggest?q=lamp", Expected::Concealed),
        Isolation::of("/v1/facets/{field}", "/v1/facets/category", Expected::Empty("/values")),
        Isolation::of("/v1/products/{id}/similar", "/v1/products/{product}/similar", Expected::NotFound),
    ],
};

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(search::search, search::search_json))
        .routes(routes!(search::multi))
        .routes(routes!(suggest::suggest))
        .routes(routes!(similar::similar))
        .routes(routes!(similar::why))
        .routes(routes!(facets::facet))
}
