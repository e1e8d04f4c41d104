//! Prices: one sheet per variant.

pub mod command;
pub mod decide;
pub mod policy;
pub mod rejection;
pub mod state;

pub use command::PriceCommand;
pub use rejection::Rejection;
pub use state::PriceSheet;
