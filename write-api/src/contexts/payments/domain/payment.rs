//! A payment: attempts to pay a sum, and the money that has come of them.

mod command;
mod decide;
mod observe;
pub mod policy;
mod rejection;
mod state;

pub use command::{NewPayment, NewTransfer, Observed, ObservedStatus, PaymentCommand};
pub use rejection::Rejection;
pub use state::{Attempt, Capture, Payment, Status};
