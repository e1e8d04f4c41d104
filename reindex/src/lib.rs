//! reindex: how operators look after the read models. A new index generation is planned from a release bundle, built
//! beside the active one, verified, compared, promoted, watched and, if need be, rolled back. The read database records
//! all of it, and every command can be interrupted and run again.
//!
//! [`context`] holds what every command needs, [`generations`] the state machine. Each command has a file of its own.
//! [`serve`] offers the same operations to the console and runs the background jobs.
//!
//! To add a command: a file, a variant of [`Command`], and an arm of [`run`].

pub mod availability;
pub mod build;
pub mod bundles;
pub mod cli;
pub mod compare;
pub mod context;
pub mod control;
pub mod dead_letters;
pub mod failure;
pub mod generations;
pub mod phase;
pub mod plan;
pub mod probe;
pub mod promote;
pub mod reconcile;
pub mod replay;
pub mod rollback;
pub mod serve;
pub mod settings;
pub mod status;
pub mod switch;
pub mod vectors;
pub mod verify;
pub mod views;
pub mod watch;

pub use cli::{Cli, Command, run};
pub use context::CommandContext;
pub use failure::Failure;
pub use settings::Settings;
