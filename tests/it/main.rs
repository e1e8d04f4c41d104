//! The acceptance tests: the system from outside, its contracts and its architecture.

mod architecture;
mod asyncapi;
mod chaos;
mod console;
mod insights;
mod lag;
mod letters;
mod lineage;
mod merchandising;
mod planning;
mod reconcile;
mod recovery;
mod reindex;
mod replay;
mod replicas;
mod retention;
mod road;
mod steering;
mod storefront;
mod tracing;
mod vectors;
mod views_rebuild;
