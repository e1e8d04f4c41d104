//! Measurements of a running souk: is what was written found, how soon, and how fast the model is.
//!
//! Each writes into a shop of its own, so that a catalog beside it stays as it is. To add one, write a
//! module with `Args` and `run` and name it in `main.rs`.

pub mod chaos;
pub mod checkout;
pub mod embed;
pub mod first;
pub mod freshness;
pub mod ingest;
pub mod lag;
pub mod noisy;
pub mod orders;
pub mod peers;
pub mod profile;
pub mod rebuild;
pub mod reindexing;
pub mod reservations;
pub mod searches;

mod figures;
mod shop;
mod words;

/// A measurement can't be made.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A service does not answer, or refuses.
    #[error("{what} failed at {url}: {reason}")]
    Service {
        /// What was asked.
        what: &'static str,
        /// The address.
        url: String,
        /// What came back.
        reason: String,
    },
    /// The texts to embed can't be read.
    #[error(transparent)]
    Texts(#[from] launcher::import::ImportError),
    /// A process of a stack can't be started or stopped.
    #[error(transparent)]
    Stack(#[from] launcher::LaunchError),
    /// The model can't be loaded or run.
    #[error(transparent)]
    Model(#[from] search::embed::EmbedError),
    /// An operation on the index generations failed.
    #[error(transparent)]
    Reindex(#[from] reindex::Failure),
    /// The index can't be written.
    #[error(transparent)]
    Index(#[from] search::IndexError),
    /// A database fails.
    #[error("a database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// A folder can't be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// There is nothing to measure with.
    #[error("{0}")]
    Nothing(String),
    /// The measurement was made and is not what it has to be.
    #[error("{0}")]
    Failed(String),
    /// A task of the benchmark broke; a defect.
    #[error("the benchmark broke off: {0}")]
    Broken(String),
}

/// A report as it is printed with `--json`.
fn json(report: &impl serde::Serialize) -> Result<String, BenchError> {
    serde_json::to_string_pretty(report).map_err(|error| BenchError::Broken(error.to_string()))
}
