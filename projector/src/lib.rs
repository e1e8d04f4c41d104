//! projector: from the outboxes of the write side to everything the read side answers from.
//!
//! The road through this crate: [`relay`] (outbox -> Kafka) -> [`consumer`] -> [`views`] (decode,
//! [`projections`], checkpoint: one transaction) -> [`document_relay`] (documents -> compacted topic) ->
//! [`index_writer`] and [`embeddings`]. What can't be applied goes to [`dead_letter`]; how far each
//! part is, [`status`] tells. Should Kafka lose what was written, [`log_epoch`] begins the log anew.
//!
//! To add a read model: add a file to `projections/`, call it from [`projections::project`], and give
//! its table a migration.

pub mod cadence;
pub mod checkpoint;
pub mod config;
pub mod consumer;
pub mod database;
pub mod dead_letter;
pub mod document;
pub mod document_relay;
pub mod embeddings;
pub mod index_writer;
pub mod kafka;
pub mod leader;
pub mod log_epoch;
pub mod metrics;
pub mod producer;
pub mod projections;
pub mod rebuild;
pub mod relay;
pub mod role;
pub mod status;
pub mod views;

pub use config::Config;
pub use role::run;
