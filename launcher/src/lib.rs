//! launcher

pub mod import;
