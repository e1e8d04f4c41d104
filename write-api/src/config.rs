//! The flags of `write-api`.

mod secret;

pub use secret::Secret;

use crate::{mail::MailUrl, vault::MasterKeys};
use access::{ShopDomain, tokens::Algorithm};
use clap::{Args, Parser, Subcommand};
use service::{http::HttpOptions, telemetry::TelemetryOptions};
use std::{net::SocketAddr, path::PathBuf};

/// The write side of souk: takes commands, checks the rules, records events.
#[derive(Debug, Clone, Parser)]
#[command(name = "write-api", version)]
pub struct Config {
    /// TOML file with these settings; its keys are the flags without dashes in front
    #[arg(long, env = "SOUK_CONFIG")]
    pub config: Option<PathBuf>,
    /// Address to listen on
    #[arg(long, env = "SOUK_WRITE_LISTEN", default_value = "127.0.0.1:8080")]
    pub write_listen: SocketAddr,
    /// URL of the write database, such as postgres://souk@127.0.0.1:5432/souk_write
    #[arg(
        long,
        env = "SOUK_WRITE_DATABASE_URL",
        hide_env_values = true,
        default_value = "postgres://souk@127.0.0.1:5432/souk_write"
    )]
    pub write_database_url: String,
    /// Key of the installation's administrators, who open shops; without it there are none
    #[arg(long, env = "SOUK_ADMIN_KEY", hide_env_values = true)]
    pub admin_key: Option<String>,
    /// Domain below which each shop has a host, SLUG.DOMAIN: who asks there needs no key to shop
    #[arg(long, env = "SOUK_SHOP_DOMAIN", value_name = "DOMAIN")]
    pub shop_domain: Option<ShopDomain>,
    /// Commands of one shop a second, twice as many at once; a bulk write is one; more are answered 429. 0 for as many as come
    #[arg(long, env = "SOUK_SHOP_COMMANDS_PER_SECOND", default_value_t = 500, value_name = "N")]
    pub shop_commands_per_second: u32,
    /// Maximum number of connections to the write database
    #[arg(long, env = "SOUK_WRITE_CONNECTIONS", default_value_t = 16)]
    pub write_connections: u32,
    /// Milliseconds that one statement of a command may take; later the command is answered 503
    #[arg(long, env = "SOUK_WRITE_STATEMENT_MS", default_value_t = 30_000)]
    pub write_statement_ms: u64,
    /// Milliseconds that a command waits for what others hold; later it is answered 503
    #[arg(long, env = "SOUK_WRITE_LOCK_MS", default_value_t = 5_000)]
    pub write_lock_ms: u64,
    /// Hours for which the same idempotency key gets the first answer; later it begins anew
    #[arg(long, env = "SOUK_IDEMPOTENCY_KEY_HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(24..))]
    pub idempotency_key_hours: u32,
    /// Attribute names that a shop may have, over all its products; a product with one more is refused
    #[arg(long, env = "SOUK_ATTRIBUTE_NAMES", default_value_t = 20_000)]
    pub attribute_names: u32,
    /// Accounts of shoppers
    #[command(flatten)]
    pub accounts: AccountOptions,
    /// Bounds of bulk writes
    #[command(flatten)]
    pub bulk: BulkOptions,
    /// Bounds of the HTTP server
    #[command(flatten)]
    pub http: HttpOptions,
    /// Logs and spans
    #[command(flatten)]
    pub telemetry: TelemetryOptions,
    /// What to do instead of serving
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Accounts of shoppers.
#[derive(Debug, Clone, Args)]
pub struct AccountOptions {
    /// Keys that wrap the keys of persons, NAME:64 hex digits, separated by commas: the first wraps, all unwrap. Without
    /// any, nobody can sign up
    #[arg(long, env = "SOUK_MASTER_KEYS", hide_env_values = true, value_name = "KEYS")]
    pub master_keys: Option<MasterKeys>,
    /// Where mails go: smtp://USER:PASSWORD@HOST:PORT, smtps://..., or file:/FOLDER; without it they wait
    #[arg(long, env = "SOUK_MAIL_URL", hide_env_values = true, value_name = "URL")]
    pub mail_url: Option<MailUrl>,
    /// The sender of mails, such as Shop <shop@example.com>
    #[arg(long, env = "SOUK_MAIL_FROM", default_value = "souk@localhost.localdomain", value_name = "ADDRESS")]
    pub mail_from: String,
    /// How access tokens of shoppers are signed: EdDSA or RS256; it holds for keys that are made from here on
    #[arg(long, env = "SOUK_TOKEN_ALGORITHM", default_value = "EdDSA", value_name = "ALGORITHM")]
    pub token_algorithm: Algorithm,
    /// Let shops name identity providers on this machine, by http, and in private networks: for development
    #[arg(long, env = "SOUK_LOCAL_ISSUERS")]
    pub local_issuers: bool,
}

/// Bounds of bulk writes.
#[derive(Debug, Clone, Copy, Args)]
pub struct BulkOptions {
    /// Maximum number of bulk writes at once, always below --write-connections; more are answered 503
    #[arg(long, env = "SOUK_BULK_STREAMS", default_value_t = 8)]
    pub bulk_streams: u32,
    /// Milliseconds that a bulk write waits for the next piece of its body, and for its answers to be read
    #[arg(long, env = "SOUK_BULK_GAP_MS", default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub bulk_gap_ms: u64,
    /// Maximum MiB of a bulk write that is one transaction; it is kept in a temporary file until all of it has come
    #[arg(long, env = "SOUK_BULK_SPOOL_MIB", default_value_t = 256)]
    pub bulk_spool_mib: u32,
}

/// What to do instead of serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Print the OpenAPI document and exit
    Openapi,
}
