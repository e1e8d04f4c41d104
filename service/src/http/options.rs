//! The bounds of an HTTP server, the same for every process, and what it is for the world outside.

use super::{hosts::Hosts, proxies::TrustedProxies};
use clap::Args;
use std::{path::PathBuf, time::Duration};

/// Bounds and edges of the HTTP server.
#[derive(Debug, Clone, Args)]
pub struct HttpOptions {
    /// Maximum number of connections at once; one more is answered 503 and closed
    #[arg(long, env = "SOUK_HTTP_CONNECTIONS", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub http_connections: u32,
    /// Maximum number of connections at once from one address (IPv6: of one /64 network); behind a proxy all come from its
    #[arg(long, env = "SOUK_HTTP_CONNECTIONS_PER_PEER", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub http_connections_per_peer: u32,
    /// Milliseconds within which the header of a request has to come, and within which TLS has to be agreed on
    #[arg(long, env = "SOUK_HTTP_HEADER_MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub http_header_ms: u64,
    /// Milliseconds within which the body of a request has to come, and within which a client has to take on some of an answer
    #[arg(long, env = "SOUK_HTTP_BODY_MS", default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub http_body_ms: u64,
    /// Milliseconds within which a request that has come is answered; reads, bulk writes and operations have times of their own
    #[arg(long, env = "SOUK_HTTP_REQUEST_MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub http_request_ms: u64,
    /// Milliseconds after which a connection without a request is closed
    #[arg(long, env = "SOUK_HTTP_IDLE_MS", default_value_t = 75_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub http_idle_ms: u64,
    /// Names that this server answers to, such as shop.example,www.shop.example; a request for another gets 421. Without it: any
    #[arg(long, env = "SOUK_HOSTS", default_value = "", hide_default_value = true)]
    pub hosts: Hosts,
    /// Proxies that are believed about whom they ask for (X-Forwarded-For), such as 10.0.0.0/8,::1. Without it: none
    #[arg(long, env = "SOUK_TRUSTED_PROXIES", default_value = "", hide_default_value = true, value_name = "NETWORKS")]
    pub trusted_proxies: TrustedProxies,
    /// Seconds for which browsers are to ask for this host over HTTPS alone; 0: nothing is said
    #[arg(long, env = "SOUK_HSTS_SECONDS", default_value_t = 0)]
    pub hsts_seconds: u64,
    /// File with the server's certificate and those between it and its authority (PEM); with it only HTTPS is spoken
    #[arg(long, env = "SOUK_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// File with the key of the certificate (PEM). Both are read again when they change
    #[arg(long, env = "SOUK_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            http_connections: 1_000,
            http_connections_per_peer: 500,
            http_header_ms: 10_000,
            http_body_ms: 30_000,
            http_request_ms: 10_000,
            http_idle_ms: 75_000,
            hosts: Hosts::default(),
            trusted_proxies: TrustedProxies::default(),
            hsts_seconds: 0,
            tls_certificate: None,
            tls_key: None,
        }
    }
}

impl HttpOptions {
    pub(super) const fn header(&self) -> Duration {
        Duration::from_millis(self.http_header_ms)
    }

    pub(super) const fn body(&self) -> Duration {
        Duration::from_millis(self.http_body_ms)
    }

    pub(super) const fn request(&self) -> Duration {
        Duration::from_millis(self.http_request_ms)
    }

    pub(super) const fn idle(&self) -> Duration {
        Duration::from_millis(self.http_idle_ms)
    }
}
