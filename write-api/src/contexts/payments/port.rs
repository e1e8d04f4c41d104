//! What the rest of write-api may do with payments: the checkout creates, authorises, captures and gives up; shipping tells of cash.
//! Each is safe twice. None waits for longer than a provider may take; what came of it then is found out later, and told by events.

pub(super) mod agreed;
mod attempt;
pub(super) mod call;
mod capture;
mod cash;
mod create;
mod late;
pub(super) mod note;
pub(crate) mod parts;
pub(super) mod record;
mod state;
mod void;

pub(crate) use attempt::{Authorise, authorise};
pub(crate) use capture::capture;
pub(super) use cash::Single;
pub(crate) use cash::{collect_cash, remit_cash};
pub(crate) use create::{Order, create};
pub(crate) use late::refund_late;
pub(super) use late::settle_late;
pub(crate) use state::{NextAction, PaymentState, state};
pub(crate) use void::void;
