//! A shopper who has an account.

use crate::domain::{Aggregate, Refusal, Slug, validation::Findings};
use schemas::{
    Uuid,
    events::{
        AccountsEvent,
        accounts::{
            AddressRemoved, AddressSaved, EmailChanged, EmailVerified, GroupsSet, IdentityLinked, IdentityUnlinked,
            PasswordChanged, RoleGranted, RoleRevoked, Sealed, SecondFactorDisabled, SecondFactorEnabled, UserErased,
            UserProfileUpdated, UserRegistered,
        },
    },
    problem::{Code, FieldError, ProblemType},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Groups that somebody may be in.
const MOST_GROUPS: usize = 20;
/// Addresses that somebody may keep.
pub const MOST_ADDRESSES: usize = 50;

/// A shopper, as far as it is kept; all that is personal is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Their id.
    pub user_id: Uuid,
    /// The e-mail address.
    pub email: Sealed,
    /// Whether mails to it reach them.
    pub is_verified: bool,
    /// What they tell of themselves.
    pub profile: Option<Sealed>,
    /// Where parcels are sent to.
    pub addresses: BTreeMap<Uuid, SavedAddress>,
    /// Groups of customers that they are in, by slug.
    #[serde(default)]
    pub groups: BTreeSet<String>,
    /// `staff`, `owner`, `admin`, and ids of roles that the shop has defined.
    #[serde(default)]
    pub roles: BTreeSet<String>,
    /// Whether they sign in with a one-time code besides the password.
    #[serde(default)]
    pub has_second_factor: bool,
    /// The identity providers by which they sign in.
    #[serde(default)]
    pub identities: BTreeSet<String>,
    /// Whether nothing sealed can be opened any more.
    pub is_erased: bool,
}

/// An address to send parcels to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedAddress {
    /// The address itself.
    pub address: Sealed,
    /// Whether it is taken unless another is named.
    pub is_default: bool,
}

/// What can be done to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserCommand {
    /// Begins it.
    Register(UserRegistered),
    /// The address is proved.
    VerifyEmail,
    /// Another address, which is proved.
    ChangeEmail(Sealed),
    /// Another password, which is kept elsewhere.
    ChangePassword,
    /// Another profile.
    UpdateProfile(Sealed),
    /// Adds or replaces an address.
    SaveAddress {
        /// Its id.
        id: Uuid,
        /// The address.
        address: Sealed,
        /// Whether it is taken unless another is named.
        is_default: bool,
    },
    /// Takes an address away.
    RemoveAddress(Uuid),
    /// They are in these groups of customers, and no others.
    SetGroups(BTreeSet<String>),
    /// They work for the shop, or for the installation.
    GrantRole(String),
    /// They do so no longer.
    RevokeRole(String),
    /// One-time codes are asked for, or are no longer.
    SetSecondFactor(bool),
    /// They sign in by this identity provider, too.
    LinkIdentity(String),
    /// They do not sign in by an identity provider any more.
    UnlinkIdentity {
        /// The provider.
        provider: String,
        /// Whether they can sign in by a password.
        has_password: bool,
    },
    /// For good.
    Erase,
}

/// Why an account stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is none, or none any more.
    #[error("there is no such account")]
    Missing,
    /// As many addresses as are kept.
    #[error("at most {MOST_ADDRESSES} addresses are kept; remove one first")]
    TooManyAddresses,
    /// Nobody could sign in any more.
    #[error("it is the only way into the account; set a password first, by `POST /v1/password-resets`")]
    OnlyWayIn,
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        match self {
            Self::Missing => Code::NotFound.into(),
            Self::TooManyAddresses => Code::TooManyAddresses.into(),
            Self::OnlyWayIn => Code::OnlyWayIn.into(),
        }
    }
}

/// Groups of customers, each a slug and each once.
///
/// # Errors
/// Those that are no slugs, or too many.
pub fn groups(texts: Vec<String>) -> Result<BTreeSet<String>, Vec<FieldError>> {
    let mut findings = Findings::default();
    findings.count("/groups", texts.len(), MOST_GROUPS);
    for (place, text) in texts.iter().enumerate() {
        if let Err(reason) = Slug::parse(text) {
            findings.add(format!("/groups/{place}"), reason);
        }
    }
    findings.done()?;
    Ok(texts.into_iter().collect())
}

impl Aggregate for User {
    const NAME: &'static str = "user";
    type Command = UserCommand;
    type Event = AccountsEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: UserCommand) -> Result<Vec<AccountsEvent>, Rejection> {
        let (user, command) = match (state, command) {
            (None, UserCommand::Register(registered)) => return Ok(vec![AccountsEvent::UserRegistered(registered)]),
            (Some(_), UserCommand::Register(_)) => return Ok(vec![]),
            (None, _) => return Err(Rejection::Missing),
            (Some(user), UserCommand::Erase) if user.is_erased => return Ok(vec![]),
            (Some(user), _) if user.is_erased => return Err(Rejection::Missing),
            (Some(user), command) => (user, command),
        };
        user.decide_on(command)
    }

    fn apply(state: Option<Self>, event: &AccountsEvent) -> Option<Self> {
        if let AccountsEvent::UserRegistered(registered) = event {
            return Some(Self {
                user_id: registered.user_id,
                email: registered.email.clone(),
                is_verified: false,
                profile: None,
                addresses: BTreeMap::new(),
                groups: BTreeSet::new(),
                roles: BTreeSet::new(),
                has_second_factor: false,
                identities: BTreeSet::new(),
                is_erased: false,
            });
        }
        state.map(|user| user.after(event))
    }
}

impl User {
    fn decide_on(&self, command: UserCommand) -> Result<Vec<AccountsEvent>, Rejection> {
        let user_id = self.user_id;
        Ok(match command {
            UserCommand::Register(_) => vec![],
            UserCommand::VerifyEmail if self.is_verified => vec![],
            UserCommand::VerifyEmail => vec![AccountsEvent::EmailVerified(EmailVerified { user_id })],
            UserCommand::ChangeEmail(email) => vec![AccountsEvent::EmailChanged(EmailChanged { user_id, email })],
            UserCommand::ChangePassword => vec![AccountsEvent::PasswordChanged(PasswordChanged { user_id })],
            UserCommand::UpdateProfile(profile) => {
                vec![AccountsEvent::UserProfileUpdated(UserProfileUpdated { user_id, profile })]
            }
            UserCommand::SaveAddress { id, address, is_default } => {
                if !self.addresses.contains_key(&id) && self.addresses.len() >= MOST_ADDRESSES {
                    return Err(Rejection::TooManyAddresses);
                }
                // One of them is always the default: the first, until another is.
                let is_only = self.addresses.keys().all(|known| *known == id);
                let is_default = is_default || is_only || self.addresses.get(&id).is_some_and(|known| known.is_default);
                vec![AccountsEvent::AddressSaved(AddressSaved { user_id, address_id: id, address, is_default })]
            }
            UserCommand::RemoveAddress(id) if self.addresses.contains_key(&id) => {
                vec![AccountsEvent::AddressRemoved(AddressRemoved { user_id, address_id: id })]
            }
            UserCommand::RemoveAddress(_) => vec![],
            UserCommand::SetGroups(groups) if self.groups == groups => vec![],
            UserCommand::SetGroups(groups) => {
                vec![AccountsEvent::GroupsSet(GroupsSet { user_id, groups: groups.into_iter().collect() })]
            }
            UserCommand::GrantRole(role) if self.roles.contains(&role) => vec![],
            UserCommand::GrantRole(role) => vec![AccountsEvent::RoleGranted(RoleGranted { user_id, role })],
            UserCommand::RevokeRole(role) if !self.roles.contains(&role) => vec![],
            UserCommand::RevokeRole(role) => vec![AccountsEvent::RoleRevoked(RoleRevoked { user_id, role })],
            UserCommand::SetSecondFactor(has) if self.has_second_factor == has => vec![],
            UserCommand::SetSecondFactor(true) => {
                vec![AccountsEvent::SecondFactorEnabled(SecondFactorEnabled { user_id })]
            }
            UserCommand::SetSecondFactor(false) => {
                vec![AccountsEvent::SecondFactorDisabled(SecondFactorDisabled { user_id })]
            }
            // Also where it is linked already: then it is another identity there that takes the place of the one before.
            UserCommand::LinkIdentity(provider) => {
                vec![AccountsEvent::IdentityLinked(IdentityLinked { user_id, provider })]
            }
            UserCommand::UnlinkIdentity { provider, .. } if !self.identities.contains(&provider) => vec![],
            UserCommand::UnlinkIdentity { has_password, .. } if !has_password && self.identities.len() <= 1 => {
                return Err(Rejection::OnlyWayIn);
            }
            UserCommand::UnlinkIdentity { provider, .. } => {
                vec![AccountsEvent::IdentityUnlinked(IdentityUnlinked { user_id, provider })]
            }
            UserCommand::Erase => vec![AccountsEvent::UserErased(UserErased { user_id })],
        })
    }

    fn after(mut self, event: &AccountsEvent) -> Self {
        match event {
            AccountsEvent::EmailVerified(_) => self.is_verified = true,
            AccountsEvent::EmailChanged(changed) => {
                self.email = changed.email.clone();
                self.is_verified = true;
            }
            AccountsEvent::UserProfileUpdated(updated) => self.profile = Some(updated.profile.clone()),
            AccountsEvent::AddressSaved(saved) => {
                if saved.is_default {
                    self.addresses.values_mut().for_each(|known| known.is_default = false);
                }
                let address = SavedAddress { address: saved.address.clone(), is_default: saved.is_default };
                self.addresses.insert(saved.address_id, address);
            }
            AccountsEvent::AddressRemoved(removed) => {
                let gone = self.addresses.remove(&removed.address_id);
                if gone.is_some_and(|gone| gone.is_default) {
                    // The oldest that is left: ids are drawn in the order of time.
                    self.addresses.values_mut().take(1).for_each(|first| first.is_default = true);
                }
            }
            AccountsEvent::IdentityLinked(linked) => drop(self.identities.insert(linked.provider.clone())),
            AccountsEvent::IdentityUnlinked(unlinked) => drop(self.identities.remove(&unlinked.provider)),
            AccountsEvent::UserErased(_) => {
                self.is_erased = true;
                self.is_verified = false;
                self.email = Sealed(String::new());
                self.profile = None;
                self.addresses.clear();
                self.groups.clear();
                self.roles.clear();
                self.has_second_factor = false;
                self.identities.clear();
            }
            AccountsEvent::GroupsSet(set) => self.groups = set.groups.iter().cloned().collect(),
            AccountsEvent::RoleGranted(granted) => {
                self.roles.insert(granted.role.clone());
            }
            AccountsEvent::RoleRevoked(revoked) => {
                self.roles.remove(&revoked.role);
            }
            AccountsEvent::SecondFactorEnabled(_) => self.has_second_factor = true,
            AccountsEvent::SecondFactorDisabled(_) => self.has_second_factor = false,
            AccountsEvent::UserRegistered(_)
            | AccountsEvent::PasswordChanged(_)
            | AccountsEvent::RoleDefined(_)
            | AccountsEvent::RoleRemoved(_)
            | AccountsEvent::SessionStarted(_)
            | AccountsEvent::SecondFactorShown(_)
            | AccountsEvent::SessionEnded(_)
            | AccountsEvent::TokenKeyAdded(_)
            | AccountsEvent::TokenKeyRevoked(_)
            | AccountsEvent::IdentityProviderSet(_)
            | AccountsEvent::IdentityProviderRemoved(_) => {}
        }
        self
    }
}
