//! launcher

pub mod demo;
pub mod eval;
pub mod import;
