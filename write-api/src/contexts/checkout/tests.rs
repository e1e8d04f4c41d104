//! What checkouts decide, and what their process does.

mod deciding;
pub(in crate::contexts) mod diagrams;
mod model;
mod paths;
mod world;
