//! A cart: open, locked by a checkout, and then checked out or open again; or it expires.

pub mod command;
mod decide;
pub mod limits;
mod merge;
pub mod policy;
pub mod rejection;

pub use command::{CartChange, CartCommand, CouponCode, Destination, NewItem, OpenCart, Options, Quantity};
pub use rejection::Rejection;
pub use schemas::cart::Cart;
