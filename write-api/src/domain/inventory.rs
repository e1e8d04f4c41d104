//! Stock: one item per variant, with the pieces on hand at each location. Never below zero.

pub mod command;
pub mod decide;
pub mod error;
pub mod policy;
pub mod state;

pub use command::StockCommand;
pub use error::Rejection;
pub use state::StockItem;
