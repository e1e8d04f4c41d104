//! Search, suggestions, facets and similar products.

mod answer;
mod body;
mod facet;
mod multi;
mod page;
mod parameters;
mod route;
mod run;
mod similar;
mod steered;
mod suggest;
mod suggested;
mod why;

use crate::{
    app::App,
    read_model::{Expected, Isolation, ReadModel},
};
use access::{Routes, Rule};
pub use body::SearchBody;
use body::{FacetBody, FacetSettings, text};
pub use page::SearchPage;
pub use steered::steer;
use utoipa_axum::routes;

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

fn routes() -> Routes<App> {
    Routes::default()
        .allow(Rule::Search, routes!(route::search, route::search_json))
        .allow(Rule::Search, routes!(multi::multi))
        .allow(Rule::Shopper, routes!(suggest::suggest))
        .allow(Rule::Shopper, routes!(similar::similar))
        .allow(Rule::Shopper, routes!(why::why))
        .allow(Rule::Search, routes!(facet::facet))
}
