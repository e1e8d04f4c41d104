//! The options of `reindex serve`.

use crate::{availability, probe, reconcile};
use service::http::HttpOptions;
use std::net::SocketAddr;

/// Serve operations to the console, and run the reconciler, the probe and the comparison of availability
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Example:\n  reindex serve --admin-key $(cat admin.key)")]
pub struct Args {
    /// Address to serve
    #[arg(long, env = "SOUK_OPERATIONS_LISTEN", default_value = "127.0.0.1:8084")]
    pub operations_listen: SocketAddr,
    /// Bounds of the HTTP server
    #[command(flatten)]
    pub http: HttpOptions,
    /// Seconds between two reconciliations; 0 for none
    #[arg(long, env = "SOUK_RECONCILE_SECONDS", default_value_t = 60)]
    pub reconcile_seconds: u64,
    /// What a reconciliation compares
    #[command(flatten)]
    pub reconcile: reconcile::Args,
    /// The synthetic probe
    #[command(flatten)]
    pub probe: probe::Background,
    /// The comparison of what surfaces say of availability
    #[command(flatten)]
    pub availability: availability::Background,
}
