//! Stock: one item per variant, with the pieces on hand at each location. Never below zero.

pub mod command;
pub mod decide;
pub mod policy;
pub mod rejection;
pub mod state;

pub use command::StockCommand;
pub use rejection::Rejection;
pub use state::StockItem;
