//! Statements that are the same in the schema of each context.

use schemas::contexts::Context;
use std::sync::OnceLock;

/// A statement for each context. The texts are made once, so that prepared statements are kept.
pub(crate) struct PerContext {
    write: fn(&str) -> String,
    statements: OnceLock<[String; Context::COUNT]>,
}

impl PerContext {
    /// By a function from the name of a schema to the statement.
    pub(crate) const fn new(write: fn(&str) -> String) -> Self {
        Self { write, statements: OnceLock::new() }
    }

    /// The statement of a context.
    pub(crate) fn sql(&'static self, context: Context) -> &'static str {
        &self.statements.get_or_init(|| Context::ALL.map(|context| (self.write)(context.name())))[context.index()]
    }
}
