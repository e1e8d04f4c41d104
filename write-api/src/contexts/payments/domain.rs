//! What payments decide: of themselves, of refunds, of the ledger, and of what a shop has agreed with providers.

pub mod ledger;
pub mod payment;
pub mod provider_account;
pub mod refund;

pub use ledger::LedgerTransaction;
pub use payment::{Payment, PaymentCommand};
pub use provider_account::{ProviderAccount, ProviderAccountCommand};
pub use refund::{Refund, RefundCommand};
