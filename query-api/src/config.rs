//! The query API's settings.

use crate::freshness::WaitLimits;
use access::ShopDomain;
use clap::{Args, Parser};
use reqwest::Url;
use schemas::token::MAX_ENTRIES;
use search::{
    embed::{ModelFolder, Models},
    searcher::SearchLimits,
};
use service::{http::HttpOptions, telemetry::TelemetryOptions};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// The read side of souk: search, listings, product pages, lag.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "query-api",
    version,
    after_help = "Example:\n  query-api --query-database-url postgres://souk_query@127.0.0.1/souk_read --index-dir index"
)]
pub struct Cli {
    /// Print the OpenAPI document and exit
    #[arg(long)]
    pub openapi: bool,
    /// The settings.
    #[command(flatten)]
    pub config: Config,
}

/// Settings.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// TOML file with these settings; its keys are the flags without dashes in front
    #[arg(long, env = "SOUK_CONFIG")]
    pub config: Option<PathBuf>,
    /// Address to listen on
    #[arg(long, env = "SOUK_QUERY_LISTEN", default_value = "127.0.0.1:8081")]
    pub query_listen: SocketAddr,
    /// URL of the read database, with a role that can only read
    #[arg(
        long,
        env = "SOUK_QUERY_DATABASE_URL",
        hide_env_values = true,
        default_value = "postgres://souk_query@127.0.0.1:5432/souk_read"
    )]
    pub query_database_url: String,
    /// Maximum number of connections to the read database
    #[arg(long, env = "SOUK_QUERY_CONNECTIONS", default_value_t = 16)]
    pub query_connections: u32,
    /// Folder of the index generations
    #[arg(long, env = "SOUK_INDEX_DIR", default_value = "index")]
    pub index_dir: PathBuf,
    /// Name of this node, the same as its index writer's [default: what the index writer of the folder is called]
    #[arg(long, env = "SOUK_NODE")]
    pub node: Option<String>,
    /// Searches that run at the same time; further ones wait
    #[arg(long, env = "SOUK_SEARCH_CONCURRENCY", default_value_t = 4)]
    pub search_concurrency: usize,
    /// Searches that may wait for those that run; further ones are refused for a moment
    #[arg(long, env = "SOUK_SEARCHES_WAITING", default_value_t = 160, value_name = "N")]
    pub searches_waiting: usize,
    /// Milliseconds that a search may wait for those that run; then it is refused for a moment
    #[arg(long, env = "SOUK_SEARCH_PATIENCE_MS", default_value_t = 2_000, value_name = "MS")]
    pub search_patience_ms: u64,
    /// Reads that may wait for their consistency tokens at the same time, a quarter of them of one tenant; further ones are
    /// refused for a moment
    #[arg(long, env = "SOUK_WAITING_READS", default_value_t = 1024, value_name = "N")]
    pub waiting_reads: usize,
    /// MiB of answers of searches that are kept for a moment, a quarter of them of one tenant at most
    #[arg(long, env = "SOUK_SEARCH_CACHE_MIB", default_value_t = 128, value_name = "MIB")]
    pub search_cache_mib: usize,
    /// MiB of product pages, trees and other views that are kept for a moment, a quarter of them of one tenant at most
    #[arg(long, env = "SOUK_VIEW_CACHE_MIB", default_value_t = 64, value_name = "MIB")]
    pub view_cache_mib: usize,
    /// Key of the installation's administrators, who may do everything; without it there are none
    #[arg(long, alias = "staff-key", env = "SOUK_ADMIN_KEY", hide_env_values = true)]
    pub admin_key: Option<String>,
    /// Refuse to start with what is for development: keys that are easily guessed
    #[arg(long, env = "SOUK_PRODUCTION")]
    pub production: bool,
    /// Domain below which each shop has a host, SLUG.DOMAIN: who asks there needs no key to shop
    #[arg(long, env = "SOUK_SHOP_DOMAIN", value_name = "DOMAIN")]
    pub shop_domain: Option<ShopDomain>,
    /// Reads of one shop a second, twice as many at once; more are answered 429. 0 for as many as come
    #[arg(long, env = "SOUK_SHOP_READS_PER_SECOND", default_value_t = 2_000, value_name = "N")]
    pub shop_reads_per_second: u32,
    /// Requests a second of each key, account or address, twice as many at once; more are answered 429. 0 for as many as come
    #[arg(long, env = "SOUK_CALLER_REQUESTS_PER_SECOND", default_value_t = 0, value_name = "N")]
    pub caller_requests_per_second: u32,
    /// Address of `reindex serve`, which runs the operations of the console
    #[arg(long, env = "SOUK_OPERATIONS_URL", default_value = "http://127.0.0.1:8084")]
    pub operations_url: String,
    /// Address of write-api, for the accounts of those who use the pages; without it nobody signs in there
    #[arg(long, env = "SOUK_WRITE_URL", value_name = "URL")]
    pub write_url: Option<Url>,
    /// Folder of the embedding model; without it there is no semantic search
    #[arg(long, env = "SOUK_MODEL_DIR")]
    pub model_dir: Option<PathBuf>,
    /// Another model that release bundles may name, with its folder
    #[arg(long = "model", env = "SOUK_MODELS", value_name = "NAME=FOLDER", value_delimiter = ',')]
    pub models: Vec<ModelFolder>,
    /// Path of libonnxruntime.so
    #[arg(long, env = "SOUK_ONNXRUNTIME")]
    pub onnxruntime: Option<PathBuf>,
    /// Bounds of the HTTP server.
    #[command(flatten)]
    pub http: HttpOptions,
    /// Logs and traces.
    #[command(flatten)]
    pub telemetry: TelemetryOptions,
}

/// Aggregates that the waiting reads of one tenant may name together: those of four tokens as large as can be.
const AGGREGATES_OF_TENANT: usize = 4 * MAX_ENTRIES;

impl Config {
    /// How many searches are taken on.
    #[must_use]
    pub const fn search_limits(&self) -> SearchLimits {
        SearchLimits {
            concurrency: self.search_concurrency,
            waiting: self.searches_waiting,
            patience: Duration::from_millis(self.search_patience_ms),
        }
    }

    /// How many reads may wait for tokens.
    #[must_use]
    pub fn wait_limits(&self) -> WaitLimits {
        let reads_of_tenant = (self.waiting_reads / 4).max(1);
        WaitLimits { reads: self.waiting_reads, reads_of_tenant, aggregates_of_tenant: AGGREGATES_OF_TENANT }
    }

    /// The embedding models, if the shipped one and the runtime are configured.
    #[must_use]
    pub fn models(&self) -> Option<Models> {
        Models::configured(self.model_dir.as_deref(), self.onnxruntime.as_deref(), &self.models)
    }
}
