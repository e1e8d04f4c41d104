//! Products: draft, published, archived; published again or deleted.

pub mod command;
pub mod content;
pub mod decide;
pub mod form;
pub mod policy;
pub mod rejection;
pub mod state;

pub use command::{Facts, ProductCommand};
pub use content::{Content, Draft};
pub use rejection::Rejection;
pub use state::{Product, Status};
