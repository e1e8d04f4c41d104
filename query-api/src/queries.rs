//! Searches of the index.

pub mod search;
