//! The write API over HTTP against a real PostgreSQL: a database of its own for each test.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bulk;
mod carts;
mod commands;
mod deadlines;
mod idempotency;
mod insights;
mod jobs;
mod merchandising;
mod outbox;
mod problems;
mod promotions;
mod reservations;
mod schedules;
mod settings;
mod stack;
mod stalled;
mod tenants;
