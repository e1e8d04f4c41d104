//! What staff define to steer search: synonyms, rules, facets and experiments. Each is a content of a
//! [`Definition`](crate::domain::definition::Definition).

mod experiments;
mod facets;
pub mod policy;
mod rules;
mod synonyms;
