//! projector: from the outboxes of the write side to everything the read side answers from.
//!
//! The pipeline through this crate: [`relay`] (outbox -> Kafka) -> [`feed`] (decode, [`projections`],
//! checkpoint: one transaction) -> [`document_relay`] (documents -> compacted topic) ->
//! [`index_writer`] and [`embeddings`]. What can't be applied goes to [`eventlog::dead_letter`]; how far each
//! part is, [`status`] tells. Should Kafka lose what was written, [`log_epoch`] begins the log anew.
//!
//! To add a read model: a file in `projections/`, its line in [`registry`], and a migration for its table; see
//! docs/guides/adding-a-read-model.md.

pub mod ahead;
pub mod blame;
pub mod config;
pub mod deps;
pub mod document;
pub mod document_relay;
pub mod embeddings;
pub mod epochs;
pub mod feed;
pub mod gaps;
pub mod holds;
pub mod index_writer;
pub mod log_epoch;
pub mod metrics;
pub mod outboxes;
pub mod projection;
pub mod projections;
pub mod readers;
pub mod rebuild;
pub mod registry;
pub mod relay;
pub mod retention;
pub mod role;
pub mod status;
pub mod stored;
pub mod tasks;
pub mod turns;
pub mod unsent;

pub use config::Config;
pub use role::run;
