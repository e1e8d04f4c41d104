//! What checkouts decide, and what their process does.

mod deciding;
mod model;
mod paths;
mod world;
