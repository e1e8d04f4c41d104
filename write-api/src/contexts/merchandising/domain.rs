//! What staff define to steer search: synonyms, rules, facets and experiments.
//!
//! The four are alike in all but their content: each stands under a name of its own, is replaced as a
//! whole, and is removed. So one aggregate, [`Definition`], holds any [`Content`].

pub mod command;
pub mod decide;
mod experiments;
mod facets;
pub mod policy;
pub mod rejection;
mod rules;
pub mod state;
mod synonyms;

pub use command::{Checked, Content, DefinitionCommand};
pub use rejection::Rejection;
pub use state::Definition;
