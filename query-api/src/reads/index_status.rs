//! The index generation in use.

use crate::{
    app::App,
    example,
    problem::Refusal,
    read_model::{Expected, Isolation, ReadModel},
};
use access::{Routes, Rule};
use axum::{Json, extract::State};
use search::{bundle::Bundle, generation::Manifest};
use serde::Serialize;
use utoipa_axum::routes;

/// The index generation in use.
pub const READ: ReadModel =
    ReadModel { routes, isolation: &[Isolation::of("/v1/status/index", "/v1/status/index", Expected::OfInstallation)] };

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Admin, routes!(index))
}

/// The index generation in use.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(IndexStatus::example())))]
pub struct IndexStatus {
    /// Its name.
    generation: String,
    /// Everything that decides what a search finds: the release bundle, its hash, and when the generation was created.
    #[schema(value_type = Object)]
    manifest: Manifest,
    /// Counts the commits of the index that this process has taken in.
    data_version: u64,
    /// Documents of all tenants, records of what was removed among them.
    records: u64,
    /// Segments of the index.
    segments: usize,
}

impl IndexStatus {
    fn example() -> Self {
        let manifest = Manifest {
            generation: "g1".to_owned(),
            bundle: Bundle::default(),
            bundle_hash: "4c1f0f0b5e9d2a37".to_owned(),
            created_at: example::moment(),
        };
        Self { generation: manifest.generation.clone(), manifest, data_version: 812, records: 20_000, segments: 9 }
    }
}

/// The index generation in use and what it holds.
#[utoipa::path(get, path = "/v1/status/index", tag = "status",
    responses((status = 200, description = "Generation, documents and data version", body = IndexStatus), (status = 503, description = "No index is loaded")))]
pub async fn index(State(app): State<App>) -> Result<Json<IndexStatus>, Refusal> {
    let handle = app.index.get().ok_or_else(Refusal::no_index)?;
    let snapshot = handle.snapshot();
    Ok(Json(IndexStatus {
        generation: handle.manifest().generation.clone(),
        manifest: handle.manifest().clone(),
        data_version: snapshot.data_version,
        records: snapshot.segments.searcher.num_docs(),
        segments: snapshot.segments.searcher.segment_readers().len(),
    }))
}
