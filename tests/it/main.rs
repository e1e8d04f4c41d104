//! The acceptance tests: the system from outside, its contracts and its architecture.

mod architecture;
mod asyncapi;
mod browsing;
mod chaos;
mod console;
mod dead_letters;
mod feeds;
mod insights;
mod lag;
mod lineage;
mod merchandising;
mod openapi;
mod pipeline;
mod planning;
mod reconcile;
mod recovery;
mod reindex;
mod replay;
mod replicas;
mod requests;
mod retention;
mod steering;
mod storefront;
mod tracing;
mod vectors;
mod views_rebuild;
