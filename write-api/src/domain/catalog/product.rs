//! Products: draft, published, archived; published again or deleted.

pub mod command;
pub mod content;
pub mod decide;
pub mod error;
pub mod policy;
pub mod state;

pub use command::{Facts, ProductCommand};
pub use content::{Content, Draft};
pub use error::Rejection;
pub use state::{Product, Status};
