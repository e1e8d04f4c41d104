//! What carts decide.

mod merging;
mod model;
mod rules;
