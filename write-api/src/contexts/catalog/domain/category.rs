//! The category tree of a tenant.

pub mod command;
pub mod decide;
pub mod policy;
pub mod rejection;
pub mod state;

pub use command::{CategoryCommand, Content, Facts};
pub use rejection::Rejection;
pub use state::Category;
