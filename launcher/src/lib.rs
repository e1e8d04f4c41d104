//! launcher: souk on one machine. What is missing is fetched, everything started, data loaded and
//! measured.
//!
//! [`artifacts`] are fetched by package name and pinned by hash; [`postgres`] and [`broker`] (or
//! [`apache`]) are what a managed service would be elsewhere; [`stack`] starts the processes and knows
//! them again; [`up`] is the command that does all of it. [`import`], [`eval`] and [`demo`] talk HTTP to
//! any running souk. [`backup`] and [`restore`] keep what can't be rebuilt. [`browser`] is what the storefront's test needs.

pub mod apache;
pub mod artifacts;
mod asked;
pub mod audit;
pub mod backup;
pub mod broker;
pub mod browser;
pub mod demo;
pub mod eval;
pub mod import;
pub mod invariants;
pub mod key;
pub mod keys;
pub mod migrate;
mod null_device;
pub mod operate;
pub mod passwords;
pub mod people;
pub mod postgres;
pub mod process;
pub mod restore;
pub mod roles;
mod secret;
pub mod settings;
pub mod stack;
pub mod status;
pub mod suite;
pub mod tenants;
pub mod up;
pub mod users;

/// A command of the launcher can't go on; each is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// An address is taken by something else.
    #[error("{what} can't listen on {address}: it is in use. Stop what listens there, or choose another with {flag}")]
    InUse {
        /// Who wanted it.
        what: String,
        /// The address.
        address: String,
        /// The flag that changes it.
        flag: &'static str,
    },
    /// A program is not installed.
    #[error("{program} is not installed. Install it with: {install}")]
    Tool {
        /// Which one.
        program: String,
        /// The command that installs it.
        install: String,
    },
    /// A package could not be fetched or is not what was expected.
    #[error("the package {package} could not be fetched: {reason}")]
    Artifact {
        /// Name and version.
        package: String,
        /// What went wrong and what to do.
        reason: String,
    },
    /// A process did not start or does not answer.
    #[error("{name} {reason}. Its log: {log}")]
    Process {
        /// Which one.
        name: String,
        /// What it does not do.
        reason: String,
        /// The log file.
        log: String,
    },
    /// A file or folder can't be used.
    #[error("{path}: {source}. Check the disk and the rights, or choose another folder with --data-dir")]
    Folder {
        /// Which one.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A database can't be reached or migrated.
    #[error("the database {url} can't be used: {reason}")]
    Database {
        /// Which one, without its password.
        url: String,
        /// What it said.
        reason: String,
    },
    /// Anything else, already a sentence.
    #[error("{0}")]
    Other(String),
}

impl LaunchError {
    /// An error about a path.
    pub(crate) fn folder(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Folder { path: path.display().to_string(), source }
    }
}
