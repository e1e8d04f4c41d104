//! The bounds of an HTTP server, the same for every process.

use clap::Args;
use std::time::Duration;

/// Bounds of the HTTP server.
#[derive(Debug, Clone, Copy, Args)]
pub struct HttpOptions {
    /// Maximum number of connections at once; one more is answered 503 and closed
    #[arg(long, env = "SOUK_HTTP_CONNECTIONS", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub http_connections: u32,
    /// Milliseconds within which the header of a request has to come
    #[arg(long, env = "SOUK_HTTP_HEADER_MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub http_header_ms: u64,
    /// Milliseconds within which the body of a request has to come, and within which a client has to take on some of an answer
    #[arg(long, env = "SOUK_HTTP_BODY_MS", default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub http_body_ms: u64,
    /// Milliseconds after which a connection without a request is closed
    #[arg(long, env = "SOUK_HTTP_IDLE_MS", default_value_t = 75_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub http_idle_ms: u64,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self { http_connections: 1_000, http_header_ms: 10_000, http_body_ms: 30_000, http_idle_ms: 75_000 }
    }
}

impl HttpOptions {
    pub(super) const fn header(&self) -> Duration {
        Duration::from_millis(self.http_header_ms)
    }

    pub(super) const fn body(&self) -> Duration {
        Duration::from_millis(self.http_body_ms)
    }

    pub(super) const fn idle(&self) -> Duration {
        Duration::from_millis(self.http_idle_ms)
    }
}
