//! What can end an import, each as a sentence that says what to do.

use std::path::{Path, PathBuf};

/// An import could not begin, or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file can't be read or written.
    #[error("{} can't be {what}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file has nothing in it.
    #[error("{} is empty: there is nothing to import", .0.display())]
    Empty(PathBuf),
    /// No mapping of that name ships with souk, and there is no such file.
    #[error(
        "there is no mapping `{name}`: give the path of a TOML file, or one of those that ship with souk ({shipped})"
    )]
    NoMapping {
        /// As given.
        name: String,
        /// The names that exist.
        shipped: String,
    },
    /// The mapping can't be understood.
    #[error("the mapping {name} is wrong: {reason}")]
    BadMapping {
        /// The mapping.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A flag's value is not usable.
    #[error("{0}")]
    BadOption(String),
    /// The write API did not answer for too long.
    #[error(
        "write-api at {url} has not answered for {seconds} s ({reason}). See `./souk status`; the same command goes on where this one stopped"
    )]
    Unreachable {
        /// Its address.
        url: String,
        /// How long it was tried.
        seconds: u64,
        /// The last failure.
        reason: String,
    },
    /// The write API refused a whole request.
    #[error("write-api refused {what}: {reason}")]
    Refused {
        /// What was asked of it.
        what: String,
        /// Its answer.
        reason: String,
    },
    /// The query API can't say whether all is searchable.
    #[error("query-api at {url} can't say what is searchable: {reason}. What was imported stays imported")]
    Query {
        /// Its address.
        url: String,
        /// The last failure.
        reason: String,
    },
    /// `--on-error stop` met a rejected line.
    #[error("stopped at line {line}: {reason}. The lines before it are imported")]
    Stopped {
        /// The line in the file.
        line: u64,
        /// Why it was rejected.
        reason: String,
    },
    /// `--on-error all-or-nothing` met rejected lines.
    #[error("nothing was imported, since {rejected} of {read} lines were rejected; the first is line {line}: {reason}")]
    NothingImported {
        /// Lines rejected.
        rejected: u64,
        /// Lines read.
        read: u64,
        /// The first rejected line in the file.
        line: u64,
        /// Why it was rejected.
        reason: String,
    },
    /// A task of the import itself broke; a defect.
    #[error("the import broke off: {0}")]
    Broken(String),
}

impl ImportError {
    pub(crate) fn reading(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::File { path: path.to_owned(), what: "read", source }
    }

    pub(crate) fn writing(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::File { path: path.to_owned(), what: "written", source }
    }
}
