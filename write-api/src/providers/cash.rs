//! Cash that a carrier collects at the door, and hands over later.

use super::{Declaration, Provider};
use schemas::money::Money;

/// Cash on delivery.
#[derive(Debug, Clone, Copy)]
pub struct Cash;

impl Provider for Cash {
    fn declares(&self) -> Declaration {
        Declaration { is_asked: false, multi_capture: true, holds_for: None }
    }

    fn check(&self, money: Money) -> Result<(), String> {
        if money.amount > 0 { Ok(()) } else { Err("what is collected is above zero".to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::{ProviderError, WebhookRefused};
    use schemas::Timestamp;

    #[tokio::test]
    async fn nobody_is_asked_for_cash() {
        let money = |amount| Money { amount, currency: "JPY".parse().expect("a code") };
        assert!(Cash.check(money(1)).is_ok() && Cash.check(money(-1)).is_err());
        assert_eq!(Cash.void("x", "k").await, Err(ProviderError::Unsupported));
        assert_eq!(Cash.verify_webhook("", b"", Timestamp::UNIX_EPOCH), Err(WebhookRefused::Unreadable));
    }
}
