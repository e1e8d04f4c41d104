//! The flags of `write-api`.

use clap::{Parser, Subcommand};
use service::telemetry::TelemetryOptions;
use std::{net::SocketAddr, path::PathBuf};

/// souk's write side: takes commands, guards the rules, records what happened.
#[derive(Debug, Clone, Parser)]
#[command(name = "write-api", version)]
pub struct Config {
    /// TOML file with settings named like the flags
    #[arg(long, env = "SOUK_CONFIG")]
    pub config: Option<PathBuf>,
    /// Address to listen on
    #[arg(long, env = "SOUK_WRITE_LISTEN", default_value = "127.0.0.1:8080")]
    pub write_listen: SocketAddr,
    /// The write database, such as postgres://souk@127.0.0.1:5432/souk_write
    #[arg(long, env = "SOUK_WRITE_DATABASE_URL", default_value = "postgres://souk@127.0.0.1:5432/souk_write")]
    pub write_database_url: String,
    /// Most connections to the write database
    #[arg(long, env = "SOUK_WRITE_CONNECTIONS", default_value_t = 16)]
    pub write_connections: u32,
    /// Logs and spans
    #[command(flatten)]
    pub telemetry: TelemetryOptions,
    /// What to do instead of serving
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do instead of serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Print the OpenAPI document and end
    Openapi,
}
