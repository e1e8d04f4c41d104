//! A checkout: what is agreed on at its beginning never changes, and it ends once.

mod decide;
pub(super) mod price;
mod rejection;
mod state;

pub(crate) use decide::CheckoutCommand;
pub(crate) use rejection::Rejection;
pub(crate) use state::{Checkout, Phase};
