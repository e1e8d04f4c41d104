//! The accounts that payments post to. Those of invoices, disputes and payouts come with them.

use schemas::Uuid;
use std::fmt;

/// An account of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account<'a> {
    /// What a payment provider has captured and not paid out.
    Provider(&'a str),
    /// What is settled.
    Bank(&'a str),
    /// Cash that a carrier has collected and not handed over.
    CarrierCash(&'a str),
    /// What an order owes, or has paid ahead.
    Customer(Uuid),
    /// What providers and carriers keep.
    Fees(&'a str),
    /// What is held for a payment, beside the balance.
    Holds(Uuid),
    /// What stands against all holds.
    HoldsContra,
}

/// As entries have it.
impl fmt::Display for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider(account) => write!(f, "1000:{account}"),
            Self::Bank(account) => write!(f, "1010:{account}"),
            Self::CarrierCash(carrier) => write!(f, "1020:{carrier}"),
            Self::Customer(order) => write!(f, "1100:{order}"),
            Self::Fees(account) => write!(f, "5000:{account}"),
            Self::Holds(payment) => write!(f, "9000:{payment}"),
            Self::HoldsContra => f.write_str("9001"),
        }
    }
}
