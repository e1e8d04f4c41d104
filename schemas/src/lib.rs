//! The contract between the write side and the read side of souk.
//!
//! Everything that crosses a process boundary is described here and nowhere else: typed ids, money,
//! the CloudEvents envelope, every event in every version, topic names and partition keys,
//! consistency tokens, problem codes and the product page. No IO: only serde, schemas and value types.
//!
//! To add a context: see [`contexts`].
//! To add an event: add its payload to `events/<context>.rs`, list it in that file's `events!` block,
//! add a golden file, and run `SOUK_BLESS=1 cargo test -p schemas`.
//! To retire a version: move the old payload to `events/<context>/vN.rs` and add an
//! [`upcast`] step; golden files of released versions are never edited.

pub mod asyncapi;
pub mod audit;
pub mod buyer;
pub mod cart;
pub mod compatibility;
pub mod contexts;
pub mod dead_letter;
pub mod envelope;
pub mod events;
pub mod filter;
pub mod good;
pub mod ids;
pub mod money;
pub mod order;
pub mod permission;
pub mod place;
pub mod problem;
pub mod product_page;
pub mod quote;
pub mod roles;
pub mod settings;
pub mod signals;
pub mod sizes;
pub mod status;
pub mod token;
pub mod topics;
pub mod upcast;

pub use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
pub use uuid::Uuid;

/// A point in time, UTC, microsecond precision in storage (PostgreSQL's `timestamptz`).
pub type Timestamp = DateTime<Utc>;
