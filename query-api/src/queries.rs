//! One file per read model; each query is one indexed lookup.

pub mod categories;
pub mod console;
pub mod defined;
pub mod definitions;
pub mod insights;
pub mod lineage;
pub mod listing;
pub mod merchandising;
pub mod pages;
pub mod popularity;
pub mod search;
pub mod status;
pub mod tenants;
