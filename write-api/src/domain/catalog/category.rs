//! The category tree of a tenant.

pub mod command;
pub mod decide;
pub mod error;
pub mod policy;
pub mod state;

pub use command::{CategoryCommand, Content, Facts};
pub use error::Rejection;
pub use state::Category;
