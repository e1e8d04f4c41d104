//! What one step of the pipeline was found to be.

use serde::Serialize;

/// Products that are named as examples.
const EXAMPLES: usize = 5;

/// What one step of the pipeline was found to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// What was looked at.
    pub checked: u64,
    /// What differs from the step before.
    pub wrong: u64,
    /// What was sent through the pipeline again.
    pub mended: u64,
    /// Some of what differs, and how.
    pub examples: Vec<String>,
}

impl Hop {
    pub(crate) fn found(&mut self, example: impl FnOnce() -> String) {
        self.wrong += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(example());
        }
    }
}
