//! projector: from the outboxes of the write side to everything the read side answers from.
//!
//! The pipeline through this crate: [`relay`] (outbox -> Kafka) -> [`views`] (decode, [`projections`],
//! checkpoint: one transaction) -> [`document_relay`] (documents -> compacted topic) ->
//! [`index_writer`] and [`embeddings`]. What can't be applied goes to [`eventlog::dead_letter`]; how far each
//! part is, [`status`] tells. Should Kafka lose what was written, [`log_epoch`] begins the log anew.
//!
//! To add a read model: add a file to `projections/`, call it from [`projections::project`], and give
//! its table a migration.

pub mod config;
pub mod deps;
pub mod document;
pub mod document_relay;
pub mod embeddings;
pub mod epochs;
pub mod index_writer;
pub mod log_epoch;
pub mod metrics;
pub mod projections;
pub mod rebuild;
pub mod relay;
pub mod retention;
pub mod role;
pub mod status;
pub mod tasks;
pub mod views;

pub use config::Config;
pub use role::run;
