//! The projector's settings.

use clap::{Parser, ValueEnum};
use eventlog::{Epoch, Log};
use search::{
    embed::{ModelFolder, Models},
    nodes::host_name,
};
use service::{http::HttpOptions, kafka::KafkaSecurity, telemetry::TelemetryOptions};
use std::{net::SocketAddr, path::PathBuf};

/// A part of the pipeline; one process can take several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Sends events from the outboxes to Kafka
    Relay,
    /// Applies events to the views and sends search documents to Kafka
    Views,
    /// Writes documents into the tantivy index
    Index,
    /// Computes the vectors of documents
    Embed,
}

/// Streams events from the outboxes through Kafka into views, indexes and vectors.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "projector",
    version,
    after_help = "Examples:\n  projector --roles relay,views,index\n  projector --roles embed --projector-listen 127.0.0.1:8083 --model-dir model --onnxruntime libonnxruntime.so"
)]
pub struct Config {
    /// TOML file with these settings; its keys are the flags without dashes in front
    #[arg(long, env = "SOUK_CONFIG")]
    pub config: Option<PathBuf>,
    /// Roles of this process
    #[arg(long, env = "SOUK_ROLES", value_enum, value_delimiter = ',', default_value = "relay,views,index,embed")]
    pub roles: Vec<Role>,
    /// Address of health and metrics
    #[arg(long, env = "SOUK_PROJECTOR_LISTEN", default_value = "127.0.0.1:8082")]
    pub projector_listen: SocketAddr,
    /// URL of the write database, whose outboxes the relay reads
    #[arg(
        long,
        env = "SOUK_WRITE_DATABASE_URL",
        hide_env_values = true,
        default_value = "postgres://souk@127.0.0.1:5432/souk_write"
    )]
    pub write_database_url: String,
    /// URL of the read database
    #[arg(
        long,
        env = "SOUK_READ_DATABASE_URL",
        hide_env_values = true,
        default_value = "postgres://souk@127.0.0.1:5432/souk_read"
    )]
    pub read_database_url: String,
    /// Kafka bootstrap servers, comma separated
    #[arg(long, env = "SOUK_KAFKA_BROKERS", default_value = "127.0.0.1:9092")]
    pub kafka_brokers: String,
    /// Who this process is to Kafka.
    #[command(flatten)]
    pub security: KafkaSecurity,
    /// Replication factor of new topics
    #[arg(long, env = "SOUK_KAFKA_REPLICATION", default_value_t = 1)]
    pub kafka_replication: i32,
    /// Replicas of a new topic that must have a record before it is acknowledged [default: 2 of 3 or more, else 1]
    #[arg(long, env = "SOUK_KAFKA_MIN_INSYNC")]
    pub kafka_min_insync: Option<i32>,
    /// Prefix of all topic and group names, for several installations on one cluster
    #[arg(long, env = "SOUK_TOPIC_PREFIX", default_value = "")]
    pub topic_prefix: String,
    /// Partitions of every topic. The first start records it [default: 4]; later ones refuse another number, since order
    /// depends on it: `souk recover --partitions` changes it (role relay)
    #[arg(long, env = "SOUK_TOPIC_PARTITIONS", value_parser = clap::value_parser!(i32).range(1..=10_000))]
    pub topic_partitions: Option<i32>,
    /// Threads of the embedding model. They wait for each other actively, so a second one slows the other processes by
    /// more than its share
    #[arg(long, env = "SOUK_EMBED_THREADS", default_value_t = 1)]
    pub embed_threads: usize,
    /// Folder of the index generations
    #[arg(long, env = "SOUK_INDEX_DIR", default_value = "index")]
    pub index_dir: PathBuf,
    /// Name of this node, which stands for its index folder: no other folder may have it [default: the host's name]
    #[arg(long, env = "SOUK_NODE", default_value_t = host_name())]
    pub node: String,
    /// Seconds between two checks of all index files against their checksums; 0 switches them off
    #[arg(long, env = "SOUK_SCRUB_SECONDS", default_value_t = 30)]
    pub scrub_seconds: u64,
    /// Days that single searches and what followed from them are kept; sums by day are kept for ever; 0 keeps
    /// everything (role views)
    #[arg(long, env = "SOUK_INSIGHT_RETENTION_DAYS", default_value_t = 90)]
    pub insight_retention_days: u32,
    /// Days after which a month of an outbox goes into the archive, once all of it is so old and published; 0 for never
    /// (role relay)
    #[arg(long, env = "SOUK_OUTBOX_RETENTION_DAYS", default_value_t = 0)]
    pub outbox_retention_days: u32,
    /// Folder of the archived months; all processes with the role relay share it
    #[arg(long, env = "SOUK_ARCHIVE_DIR", default_value = "archive")]
    pub archive_dir: PathBuf,
    /// Days after which a dead letter that was settled goes, with its history; 0 for never (role views)
    #[arg(long, env = "SOUK_DEAD_LETTER_RETENTION_DAYS", default_value_t = 90)]
    pub dead_letter_retention_days: u32,
    /// Days after which the record of an operation or of a switch of the index goes; 0 for never (role views)
    #[arg(long, env = "SOUK_OPERATION_RETENTION_DAYS", default_value_t = 365)]
    pub operation_retention_days: u32,
    /// Days after which probes, reconciliations and what processes that are gone have reported go; 0 for never (role views)
    #[arg(long, env = "SOUK_REPORT_RETENTION_DAYS", default_value_t = 7)]
    pub report_retention_days: u32,
    /// Folder of the embedding model (role embed)
    #[arg(long, env = "SOUK_MODEL_DIR")]
    pub model_dir: Option<PathBuf>,
    /// Another model that release bundles may name, with its folder (role embed)
    #[arg(long = "model", env = "SOUK_MODELS", value_name = "NAME=FOLDER", value_delimiter = ',')]
    pub models: Vec<ModelFolder>,
    /// Path of libonnxruntime.so (role embed)
    #[arg(long, env = "SOUK_ONNXRUNTIME")]
    pub onnxruntime: Option<PathBuf>,
    /// Bounds of the HTTP server.
    #[command(flatten)]
    pub http: HttpOptions,
    /// Logs and traces.
    #[command(flatten)]
    pub telemetry: TelemetryOptions,
}

impl Config {
    /// The embedding models, if the shipped one and the runtime are configured.
    #[must_use]
    pub fn models(&self) -> Option<Models> {
        Models::configured(self.model_dir.as_deref(), self.onnxruntime.as_deref(), &self.models)
    }

    /// The log on the cluster that is configured, in an epoch.
    #[must_use]
    pub fn log(&self, epoch: Epoch) -> Log {
        Log {
            brokers: self.kafka_brokers.clone(),
            security: self.security.clone(),
            client_id: "souk-projector".to_owned(),
            topic_prefix: self.topic_prefix.clone(),
            replication: self.kafka_replication,
            min_insync: self.kafka_min_insync.unwrap_or(if self.kafka_replication >= 3 { 2 } else { 1 }),
            epoch,
        }
    }

    /// Whether this process publishes what the write side records, and so answers for the log.
    #[must_use]
    pub fn relays(&self) -> bool {
        self.roles.contains(&Role::Relay)
    }
}
