//! The flags of `write-api`.

mod secret;

pub use secret::Secret;

use crate::{mail::MailUrl, vault::MasterKeys};
use access::{ShopDomain, key::weakness, tokens::Algorithm};
use clap::{Args, Parser, Subcommand, ValueEnum};
use service::{http::HttpOptions, telemetry::TelemetryOptions};
use std::{net::SocketAddr, path::PathBuf};
use url::Url;

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
    /// What this process does besides taking commands: carry processes such as checkouts on, and do jobs
    #[arg(long, env = "SOUK_WRITE_ROLES", value_enum, value_delimiter = ',', default_value = "processes,jobs")]
    pub write_roles: Vec<WriteRole>,
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
    /// Refuse to start with what is for development: keys that are easily guessed, mails into a folder, local identity
    /// providers
    #[arg(long, env = "SOUK_PRODUCTION")]
    pub production: bool,
    /// Domain below which each shop has a host, SLUG.DOMAIN: who asks there needs no key to shop
    #[arg(long, env = "SOUK_SHOP_DOMAIN", value_name = "DOMAIN")]
    pub shop_domain: Option<ShopDomain>,
    /// Commands of one shop a second, twice as many at once; a bulk write is one; more are answered 429. 0 for as many as come
    #[arg(long, env = "SOUK_SHOP_COMMANDS_PER_SECOND", default_value_t = 500, value_name = "N")]
    pub shop_commands_per_second: u32,
    /// Requests a second of each key, account or address, twice as many at once; more are answered 429. 0 for as many as come
    #[arg(long, env = "SOUK_CALLER_REQUESTS_PER_SECOND", default_value_t = 0, value_name = "N")]
    pub caller_requests_per_second: u32,
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
    /// Days after which a cart that nobody has touched expires
    #[arg(long, env = "SOUK_CART_DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=365), value_name = "DAYS")]
    pub cart_days: u32,
    /// Accounts of shoppers
    #[command(flatten)]
    pub accounts: AccountOptions,
    /// Another address of Stripe's interface, such as that of a stand-in on this machine: for development
    #[arg(long, env = "SOUK_STRIPE_URL", value_name = "URL")]
    pub stripe_url: Option<String>,
    /// Address of query-api, which is asked whether reads see a command that came with Prefer: wait
    #[arg(long, env = "SOUK_QUERY_URL", value_name = "URL")]
    pub query_url: Option<Url>,
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

/// What a process of write-api does besides taking commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WriteRole {
    /// Carries on what spans contexts, such as checkouts.
    Processes,
    /// Does what is due now and then, such as deleting what is over.
    Jobs,
    /// Nothing: commands only.
    None,
}

/// The sender of mails where none is set.
const NO_SENDER: &str = "souk@localhost.localdomain";

impl Config {
    /// What of it production refuses, each as a sentence. Nothing, unless it is production.
    #[must_use]
    pub fn refused(&self) -> Vec<String> {
        if !self.production {
            return Vec::new();
        }
        let mut refused: Vec<String> = weakness(self.admin_key.as_deref()).into_iter().collect();
        let accounts = &self.accounts;
        if accounts.local_issuers {
            refused.push("--local-issuers is for development: shops could have private networks asked".to_owned());
        }
        if self.stripe_url.is_some() {
            refused.push("--stripe-url is for development: cards would be charged by somebody else".to_owned());
        }
        if accounts.mail_url.as_ref().is_some_and(MailUrl::is_folder) {
            refused.push("--mail-url is a folder: mails would reach nobody".to_owned());
        }
        if accounts.mail_url.is_some() && accounts.mail_from == NO_SENDER {
            refused.push("--mail-from is not set: nobody could answer mails".to_owned());
        }
        if accounts.master_keys.as_ref().is_some_and(MasterKeys::are_guessable) {
            refused.push("--master-keys has a key that is one byte over and over".to_owned());
        }
        refused
    }
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
    #[arg(long, env = "SOUK_MAIL_FROM", default_value = NO_SENDER, value_name = "ADDRESS")]
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(flags: &[&str]) -> Vec<String> {
        let config = Config::parse_from(["write-api"].iter().chain(flags));
        config.refused()
    }

    #[test]
    fn production_refuses_what_is_for_development() {
        let zeros = format!("first:{}", "0".repeat(64));
        let stripe = ["--stripe-url", "http://127.0.0.1:1"];
        let careless =
            ["--admin-key", "secret", "--local-issuers", "--mail-url", "file:/tmp/mails", "--master-keys", &zeros];
        let careless = [&careless[..], &stripe].concat();
        assert!(refused(&careless).is_empty(), "anything goes for development");
        let told = refused(&[&careless[..], &["--production"]].concat());
        let flags = ["--admin-key", "--local-issuers", "--stripe-url", "--mail-url", "--mail-from", "--master-keys"];
        assert_eq!(told.iter().map(|said| said.split(' ').next().unwrap_or_default()).collect::<Vec<_>>(), flags);
        assert!(!told.concat().contains("secret") && !told.concat().contains("0000"), "{told:?}");
        let careful = [
            "--production",
            "--admin-key",
            "0123456789abcdef0123456789abcdef",
            "--mail-url",
            "smtps://mail.example",
            "--mail-from",
            "Shop <shop@example.com>",
            "--master-keys",
            "first:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        ];
        assert_eq!(refused(&careful), Vec::<String>::new());
        assert_eq!(refused(&["--production"]), Vec::<String>::new());
    }
}
