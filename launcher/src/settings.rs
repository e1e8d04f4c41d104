//! Where everything of a one-machine stack listens and lies.

use crate::{
    LaunchError,
    passwords::{Passwords, Role},
};
use clap::Parser;
use service::kafka::KafkaSecurity;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

const DEFAULT_DATA_DIR: &str = ".souk";

/// Which Kafka-protocol broker a stack starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Broker {
    /// The embedded, persistent broker
    Embedded,
    /// Apache Kafka from Maven Central; needs Java 17 and Maven
    Apache,
}

/// Flags that every command about a stack takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Settings {
    /// TOML file with these settings; its keys are the flags without dashes in front
    #[arg(long, env = "SOUK_CONFIG")]
    pub config: Option<PathBuf>,
    /// Folder for all data of this stack: databases, topics, index, logs
    #[arg(long, env = "SOUK_DATA_DIR", default_value = DEFAULT_DATA_DIR)]
    pub data_dir: PathBuf,
    /// Folder for downloaded packages, shared by all stacks [default: /var/cache/souk as root, else ~/.cache/souk]
    #[arg(long, env = "SOUK_CACHE_DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Address of write-api
    #[arg(long, env = "SOUK_WRITE_LISTEN", default_value = "127.0.0.1:8080")]
    pub write_listen: SocketAddr,
    /// Address of query-api
    #[arg(long, env = "SOUK_QUERY_LISTEN", default_value = "127.0.0.1:8081")]
    pub query_listen: SocketAddr,
    /// Address of the projector's health and metrics
    #[arg(long, env = "SOUK_PROJECTOR_LISTEN", default_value = "127.0.0.1:8082")]
    pub projector_listen: SocketAddr,
    /// Address of the embedding projector's health and metrics
    #[arg(long, env = "SOUK_EMBED_LISTEN", default_value = "127.0.0.1:8083")]
    pub embed_listen: SocketAddr,
    /// Address of `reindex serve`, which runs the operations of the console
    #[arg(long, env = "SOUK_OPERATIONS_LISTEN", default_value = "127.0.0.1:8084")]
    pub operations_listen: SocketAddr,
    /// Address of the broker that this stack starts
    #[arg(long, env = "SOUK_BROKER_LISTEN", default_value = "127.0.0.1:9092")]
    pub broker_listen: SocketAddr,
    /// Port of the PostgreSQL that this stack starts
    #[arg(long, env = "SOUK_POSTGRES_PORT", default_value_t = 54320)]
    pub postgres_port: u16,
    /// Which broker to start
    #[arg(long, env = "SOUK_KAFKA", value_enum, default_value = "embedded")]
    pub kafka: Broker,
    /// URL of a write database to use instead of starting one (PostgreSQL 15 or newer)
    #[arg(long, env = "SOUK_WRITE_DATABASE_URL", requires = "read_database_url", hide_env_values = true)]
    pub write_database_url: Option<String>,
    /// URL of a read database to use instead of starting one (PostgreSQL 15 or newer with pgvector 0.8)
    #[arg(long, env = "SOUK_READ_DATABASE_URL", requires = "write_database_url", hide_env_values = true)]
    pub read_database_url: Option<String>,
    /// URL of the read database for query-api, with the role souk_query [default: the read database with that role]
    #[arg(long, env = "SOUK_QUERY_DATABASE_URL", hide_env_values = true)]
    pub query_database_url: Option<String>,
    /// File of the form of PGPASSFILE: each process uses the given databases with a role of its own, whose password
    /// stands there [default: with the URLs as they are]
    #[arg(long, env = "SOUK_ROLE_PASSWORDS", requires = "write_database_url")]
    pub role_passwords: Option<PathBuf>,
    /// Addresses of a Kafka to use instead of starting a broker
    #[arg(long, env = "SOUK_KAFKA_BROKERS")]
    pub kafka_brokers: Option<String>,
    /// Who the processes are to that Kafka.
    #[command(flatten)]
    pub security: KafkaSecurity,
    /// Let the embedded broker ask nobody for a password: every user of the machine can read and write its topics then
    #[arg(long, env = "SOUK_BROKER_OPEN")]
    pub broker_open: bool,
    /// Domain below which each shop has a host, SLUG.DOMAIN: who asks there needs no key to shop. Empty for none
    #[arg(long, env = "SOUK_SHOP_DOMAIN", default_value = "localhost", value_name = "DOMAIN")]
    pub shop_domain: String,
    /// Where mails of accounts go, such as smtp://USER:PASSWORD@HOST:PORT. Unless it is said, each becomes a file in the folder
    /// `mails` of the data folder
    #[arg(long, env = "SOUK_MAIL_URL", hide_env_values = true, value_name = "URL")]
    pub mail_url: Option<String>,
    /// Let shops name identity providers on this machine, by http, and in private networks: for development
    #[arg(long, env = "SOUK_LOCAL_ISSUERS")]
    pub local_issuers: bool,
    /// Another address of Stripe's interface, such as that of a stand-in on this machine: for development
    #[arg(long, env = "SOUK_STRIPE_URL", value_name = "URL")]
    pub stripe_url: Option<String>,
    /// Prefix of all topic names, for several installations on one cluster
    #[arg(long, env = "SOUK_TOPIC_PREFIX", default_value = "")]
    pub topic_prefix: String,
    /// Partitions of every topic. The first start records it [default: 4]; later ones refuse another number: `souk recover
    /// --partitions` changes it
    #[arg(long, env = "SOUK_TOPIC_PARTITIONS", value_parser = clap::value_parser!(i32).range(1..=10_000))]
    pub topic_partitions: Option<i32>,
    /// Run without the embedding model: there are no vectors, and semantic search answers that it is not available
    #[arg(long, env = "SOUK_WITHOUT_VECTORS")]
    pub without_vectors: bool,
    /// Another embedding model that release bundles may name, with its folder; the built-in one is always available
    #[arg(long = "model", env = "SOUK_MODELS", value_name = "NAME=FOLDER", value_delimiter = ',')]
    pub models: Vec<String>,
    /// Log filter of the processes
    #[arg(long, env = "SOUK_LOG", default_value = "info")]
    pub log: String,
    /// Seconds between two checks of all index files against their checksums; 0 switches them off
    #[arg(long, env = "SOUK_SCRUB_SECONDS", default_value_t = 30)]
    pub scrub_seconds: u64,
    /// Milliseconds between two synthetic probes; 0 switches them off
    #[arg(long, env = "SOUK_PROBE_INTERVAL_MS", default_value_t = 5_000)]
    pub probe_interval_ms: u64,
    /// Seconds between two comparisons of what listings, pages, carts and checkouts say of availability; 0 switches them off
    #[arg(long, env = "SOUK_AVAILABILITY_SECONDS", default_value_t = 15)]
    pub availability_seconds: u64,
    /// OTLP/HTTP collector that receives the spans of all processes
    #[arg(long, env = "SOUK_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
}

/// The flags alone, as on a command line that says nothing.
#[derive(Parser)]
struct Unsaid {
    #[command(flatten)]
    settings: Settings,
}

impl Settings {
    /// What the environment says, and the defaults.
    ///
    /// # Errors
    /// Which variable can't be read.
    pub fn from_environment() -> Result<Self, clap::Error> {
        Ok(Unsaid::try_parse_from(["souk"])?.settings)
    }

    /// The data folder as an absolute path; the default one lies in the checkout that `./souk` names in
    /// `SOUK_HOME`, wherever it is called from.
    ///
    /// # Errors
    /// If there is no working directory.
    pub fn data_folder(&self) -> Result<PathBuf, LaunchError> {
        match std::env::var_os("SOUK_HOME") {
            Some(home) if self.data_dir == Path::new(DEFAULT_DATA_DIR) => {
                Ok(PathBuf::from(home).join(DEFAULT_DATA_DIR))
            }
            _ => std::path::absolute(&self.data_dir).map_err(LaunchError::folder(&self.data_dir)),
        }
    }

    /// The folder of archived months of outboxes: a backup has to take it along.
    #[must_use]
    pub fn archive_dir(&self) -> PathBuf {
        self.data_dir.join("archive")
    }

    /// The folder of fetched packages.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.cache_dir.clone().unwrap_or_else(default_cache)
    }

    /// Whether this stack starts a PostgreSQL of its own.
    #[must_use]
    pub const fn starts_postgres(&self) -> bool {
        self.write_database_url.is_none()
    }

    /// Whether this stack starts a broker of its own.
    #[must_use]
    pub const fn starts_broker(&self) -> bool {
        self.kafka_brokers.is_none()
    }

    /// The write database, for its owner.
    #[must_use]
    pub fn write_url(&self) -> String {
        self.write_database_url.clone().unwrap_or_else(|| self.own_database("souk_write"))
    }

    /// The read database, for its owner.
    #[must_use]
    pub fn read_url(&self) -> String {
        self.read_database_url.clone().unwrap_or_else(|| self.own_database("souk_read"))
    }

    /// The write database as a process may use it: with a role of its own, if its password is known.
    #[must_use]
    pub fn write_url_as(&self, role: Role) -> String {
        self.passwords().put_into(&self.write_url(), role)
    }

    /// The read database as a process may use it, in the same way.
    #[must_use]
    pub fn read_url_as(&self, role: Role) -> String {
        self.passwords().put_into(&self.read_url(), role)
    }

    /// The read database as query-api may use it.
    #[must_use]
    pub fn query_url(&self) -> String {
        if let Some(url) = &self.query_database_url {
            return url.clone();
        }
        let with_role = |text: &str| {
            let mut url = url::Url::parse(text).ok()?;
            url.set_username(Role::Query.name()).ok()?;
            Some(url.to_string())
        };
        let url = with_role(&self.read_url()).unwrap_or_else(|| self.read_url());
        self.passwords().put_into(&url, Role::Query)
    }

    /// The file with the passwords of the databases' roles, if there may be one.
    #[must_use]
    pub fn password_file(&self) -> Option<PathBuf> {
        if self.starts_postgres() {
            return Some(Passwords::file(&self.data_folder().ok()?));
        }
        self.role_passwords.clone()
    }

    fn passwords(&self) -> Passwords {
        self.password_file().map(|file| Passwords::load(&file)).unwrap_or_default()
    }

    /// The Kafka bootstrap servers.
    #[must_use]
    pub fn brokers(&self) -> String {
        self.kafka_brokers.clone().unwrap_or_else(|| self.broker_listen.to_string())
    }

    /// The database server's own database, where others are created.
    #[must_use]
    pub fn admin_url(&self) -> String {
        self.own_database("postgres")
    }

    fn own_database(&self, name: &str) -> String {
        let url = format!("postgres://{}@127.0.0.1:{}/{name}", Role::Owner.name(), self.postgres_port);
        self.passwords().put_into(&url, Role::Owner)
    }
}

/// Where packages are kept unless a setting says otherwise.
#[must_use]
pub fn default_cache() -> PathBuf {
    if nix::unistd::Uid::effective().is_root() {
        // PostgreSQL runs as another user there, who can't look into root's home.
        return PathBuf::from("/var/cache/souk");
    }
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home).unwrap_or_default().join("souk")
}
