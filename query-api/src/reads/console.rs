//! What the console shows, for administrators alone. What it does goes through [`crate::operations`].

pub mod dead_letters;
pub mod generations;
pub mod lineage;
pub mod nodes;
pub mod operations;
pub mod pipeline;
pub mod probes;
pub mod tenants;
