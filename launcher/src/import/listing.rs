//! The files beside an import: rejected lines with the reason and the original, and what was repaired. One JSON object a
//! line.

use super::{error::ImportError, repair::Repaired};
use schemas::problem::Problem;
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

/// A line that did not get in, or not whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rejected {
    /// Its line in the source, from 1.
    pub line: u64,
    /// Why, as a sentence.
    pub reason: String,
    /// What the write API answered, if it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// The text of the line.
    pub original: String,
}

/// A value that was repaired, and the record it stood in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepairedLine {
    /// The record's line in the source, from 1.
    pub line: u64,
    /// The product's id in the source.
    pub external_id: String,
    /// What was done.
    #[serde(flatten)]
    pub repaired: Repaired,
}

/// Written when there is something to tell, not before.
#[derive(Debug)]
pub(crate) struct Listing {
    path: PathBuf,
    file: Option<File>,
}

impl Listing {
    /// When an import goes on, so does its file; otherwise an older one is removed.
    pub(crate) fn begin(path: &Path, goes_on: bool) -> Result<Self, ImportError> {
        if !goes_on
            && let Err(error) = std::fs::remove_file(path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(ImportError::writing(path)(error));
        }
        Ok(Self { path: path.to_owned(), file: None })
    }

    pub(crate) fn add(&mut self, entries: &[impl Serialize]) -> Result<(), ImportError> {
        if entries.is_empty() {
            return Ok(());
        }
        let failed = ImportError::writing(&self.path);
        let mut lines = Vec::new();
        for entry in entries {
            serde_json::to_writer(&mut lines, entry).map_err(|error| failed(error.into()))?;
            lines.push(b'\n');
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(OpenOptions::new().create(true).append(true).open(&self.path).map_err(&failed)?),
        };
        file.write_all(&lines).map_err(&failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_that_goes_on_adds_and_a_new_one_begins_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rejected.ndjson");
        let rejected =
            |line| Rejected { line, reason: "no title".into(), problem: None, original: "{\"a\":\n1}".into() };
        Listing::begin(&path, false).expect("begun").add(&[rejected(1)]).expect("added");
        Listing::begin(&path, true).expect("begun").add(&[rejected(2), rejected(3)]).expect("added");
        let text = std::fs::read_to_string(&path).expect("read");
        let lines: Vec<Rejected> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines, [rejected(1), rejected(2), rejected(3)]);
        Listing::begin(&path, false).expect("begun").add(&[] as &[Rejected]).expect("added");
        assert!(!path.exists(), "nothing rejected, no file");
    }
}
