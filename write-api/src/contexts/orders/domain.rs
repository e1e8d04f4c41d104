//! An order: what was bought never changes, and where it stands follows from what it is told.

mod decide;
pub(crate) mod policy;
mod rejection;
mod state;

pub(crate) use decide::OrderCommand;
pub(crate) use rejection::Rejection;
pub(crate) use state::Order;
