//! Transfers to a bank account. Nobody is asked: somebody of the staff enters what has come, with a proof, and somebody else
//! approves it.

use super::{Declaration, Provider};
use schemas::money::Money;

/// Transfers that staff confirm.
#[derive(Debug, Clone, Copy)]
pub struct Transfers;

impl Provider for Transfers {
    fn declares(&self) -> Declaration {
        Declaration { is_asked: false, multi_capture: true, holds_for: None }
    }

    fn check(&self, money: Money) -> Result<(), String> {
        if money.amount > 0 { Ok(()) } else { Err("a transfer is above zero".to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::ProviderError;

    #[tokio::test]
    async fn nobody_is_asked_for_a_transfer() {
        let money = |amount| Money { amount, currency: "USD".parse().expect("a code") };
        assert!(Transfers.check(money(1)).is_ok() && Transfers.check(money(0)).is_err());
        assert!(!Transfers.declares().is_asked);
        assert_eq!(Transfers.fetch("x").await, Err(ProviderError::Unsupported));
        assert_eq!(Transfers.capture("x", money(1), "k").await, Err(ProviderError::Unsupported));
    }
}
