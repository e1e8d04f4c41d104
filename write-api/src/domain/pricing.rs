//! Prices: one sheet per variant.

pub mod command;
pub mod decide;
pub mod error;
pub mod policy;
pub mod state;

pub use command::PriceCommand;
pub use error::Rejection;
pub use state::PriceSheet;
