//! What a shop has agreed with a payment provider. Secrets stand beside it, sealed, and in no event.

use crate::domain::{Aggregate, validation::Findings};
use schemas::{
    events::{PaymentsEvent, payments::ProviderAccountSet},
    problem::FieldError,
};
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, fmt};

/// Secrets of webhooks that are believed at once, so that one follows another without a gap.
pub const MOST_WEBHOOK_SECRETS: usize = 2;

/// What a shop has agreed with a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderAccount {
    /// What was set last.
    #[serde(flatten)]
    pub set: ProviderAccountSet,
}

/// What the shop proves by who it is, and the provider who it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// Opens the provider's interface.
    pub secret_key: String,
    /// Webhooks are signed with one of them.
    pub webhook_secrets: Vec<String>,
}

/// A secret stands in no log.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl Secrets {
    /// What of them is not allowed.
    ///
    /// # Errors
    /// Each wrong value with its pointer.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        let mut findings = Findings::default();
        let is_secret =
            |text: &str| (1..=500).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        let wanted = "1 to 500 visible ASCII characters are allowed";
        if !is_secret(&self.secret_key) {
            findings.add("/secret_key", wanted);
        }
        findings.count("/webhook_secrets", self.webhook_secrets.len(), MOST_WEBHOOK_SECRETS);
        for (place, _) in self.webhook_secrets.iter().enumerate().filter(|(_, secret)| !is_secret(secret)) {
            findings.add(format!("/webhook_secrets/{place}"), wanted);
        }
        findings.done()
    }
}

/// Sets what was agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderAccountCommand(pub ProviderAccountSet);

impl Aggregate for ProviderAccount {
    const NAME: &'static str = "provider_account";
    type Command = ProviderAccountCommand;
    type Event = PaymentsEvent;
    type Rejection = Infallible;

    fn decide(state: Option<&Self>, command: ProviderAccountCommand) -> Result<Vec<PaymentsEvent>, Infallible> {
        let ProviderAccountCommand(set) = command;
        Ok(match state {
            Some(known) if known.set == set => vec![],
            _ => vec![PaymentsEvent::ProviderAccountSet(set)],
        })
    }

    fn apply(state: Option<Self>, event: &PaymentsEvent) -> Option<Self> {
        match event {
            PaymentsEvent::ProviderAccountSet(set) => Some(Self { set: set.clone() }),
            _ => state,
        }
    }
}
