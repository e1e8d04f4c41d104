//! eventlog: reading and writing the log of events, for every process that follows it.
//!
//! [`log`] says where the log is and makes clients with the settings souk relies on. [`consumer`] reads from offsets
//! that the reader keeps itself, [`checkpoint`] stores them in the transaction of what they describe, and [`leader`]
//! sees to it that one process at a time does so. [`producer`] sends in order. [`event`] decodes a record; one that
//! can't be applied goes to [`dead_letter`]. [`linger`] and [`database`] keep rounds few and their plans cheap, [`round_size`] keeps them short.
//! [`archive`] keeps what has left the outboxes.
//!
//! Who needs Kafka asks this crate: `rdkafka` is named nowhere else in the product.

pub mod archive;
pub mod checkpoint;
pub mod consumer;
pub mod database;
pub mod dead_letter;
pub mod event;
pub mod leader;
pub mod linger;
pub mod log;
pub mod producer;
pub mod round_size;
mod told;

pub use checkpoint::Offsets;
pub use consumer::{Record, Source};
pub use event::Event;
pub use log::{Epoch, Log};
pub use round_size::RoundSize;
