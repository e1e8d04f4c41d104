//! What carts decide.

pub(in crate::contexts) mod diagrams;
mod merging;
mod model;
mod rules;
