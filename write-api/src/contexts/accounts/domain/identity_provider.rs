//! An identity provider by which the shoppers of a shop sign in.

use crate::domain::{Aggregate, Refusal, Slug, validation::Findings};
use schemas::{
    events::{
        AccountsEvent,
        accounts::{IdentityProviderRemoved, IdentityProviderSet},
    },
    problem::{Code, FieldError, ProblemType},
};
use serde::{Deserialize, Serialize};

/// Providers that a shop may have.
pub const MOST_PROVIDERS: usize = 20;
/// What a provider may be asked to tell.
const MOST_SCOPES: usize = 20;
/// The longest slug.
const MOST_SLUG: usize = 50;

/// A provider, as far as it is told; the secret stands beside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityProvider {
    /// What was set last.
    #[serde(flatten)]
    pub set: IdentityProviderSet,
    /// Whether nobody signs in by it any more.
    pub is_removed: bool,
}

/// A provider, as an owner names it.
#[derive(Clone)]
pub struct NewProvider {
    /// By which requests name it.
    pub slug: String,
    /// For people.
    pub name: String,
    /// Its address.
    pub issuer: String,
    /// What the shop is called there.
    pub client_id: String,
    /// What the shop proves that by.
    pub client_secret: String,
    /// What it is asked to tell.
    pub scopes: Vec<String>,
}

impl NewProvider {
    /// What of it is not allowed; whether the address may be asked is found out elsewhere.
    ///
    /// # Errors
    /// Each wrong value with its pointer.
    pub fn check(&self, issuer: Result<(), String>) -> Result<(), Vec<FieldError>> {
        let mut findings = Findings::default();
        match Slug::parse(&self.slug) {
            Ok(_) if self.slug.len() > MOST_SLUG => {
                findings.add("/slug", format!("at most {MOST_SLUG} characters are allowed"));
            }
            Ok(_) => {}
            Err(reason) => findings.add("/slug", reason),
        }
        findings.line(|| "/name".to_owned(), &self.name, 100);
        if let Err(reason) = issuer {
            findings.add("/issuer", reason);
        }
        findings.line(|| "/client_id".to_owned(), &self.client_id, 500);
        findings.line(|| "/client_secret".to_owned(), &self.client_secret, 4_000);
        if self.scopes.len() > MOST_SCOPES {
            findings.add("/scopes", format!("at most {MOST_SCOPES} are allowed"));
        }
        // The letters of RFC 6749, 3.3.
        let is_letter = |byte: u8| byte == b'!' || (b'#'..=b'[').contains(&byte) || (b']'..=b'~').contains(&byte);
        for (index, scope) in self.scopes.iter().enumerate() {
            if scope.is_empty() || scope.len() > 200 || !scope.bytes().all(is_letter) {
                findings.add(
                    format!("/scopes/{index}"),
                    "1 to 200 visible ASCII characters without quotation marks and backslashes are allowed",
                );
            }
        }
        findings.done()
    }
}

/// What can be done to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityProviderCommand {
    /// Adds it, or changes it.
    Set(IdentityProviderSet),
    /// Takes it away.
    Remove,
}

/// Why a provider stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is none.
    #[error("there is no such identity provider")]
    Missing,
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        Code::NotFound.into()
    }
}

impl Aggregate for IdentityProvider {
    const NAME: &'static str = "identity_provider";
    type Command = IdentityProviderCommand;
    type Event = AccountsEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: IdentityProviderCommand) -> Result<Vec<AccountsEvent>, Rejection> {
        match (state, command) {
            (Some(known), IdentityProviderCommand::Set(set)) if !known.is_removed && known.set == set => Ok(vec![]),
            (_, IdentityProviderCommand::Set(set)) => Ok(vec![AccountsEvent::IdentityProviderSet(set)]),
            (Some(known), IdentityProviderCommand::Remove) if known.is_removed => Ok(vec![]),
            (Some(known), IdentityProviderCommand::Remove) => {
                let removed = IdentityProviderRemoved { provider_id: known.set.provider_id };
                Ok(vec![AccountsEvent::IdentityProviderRemoved(removed)])
            }
            (None, IdentityProviderCommand::Remove) => Err(Rejection::Missing),
        }
    }

    fn apply(state: Option<Self>, event: &AccountsEvent) -> Option<Self> {
        match event {
            AccountsEvent::IdentityProviderSet(set) => Some(Self { set: set.clone(), is_removed: false }),
            AccountsEvent::IdentityProviderRemoved(_) => state.map(|known| Self { is_removed: true, ..known }),
            _ => state,
        }
    }
}
