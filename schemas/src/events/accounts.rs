//! Events of the accounts context. What they tell of a person is sealed with a key that only this person's data have: once
//! it is destroyed, nobody reads it any more, wherever a copy of the event lies.

use crate::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// A text about a person, encrypted; nobody but the accounts context can open it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Sealed(pub String);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(..)")
    }
}

/// Somebody signed up, with an address that is not proved yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserRegistered {
    /// Their id, also the aggregate id.
    pub user_id: Uuid,
    /// The e-mail address, sealed.
    pub email: Sealed,
}

/// Somebody has proved that mails to the address reach them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmailVerified {
    /// Their id, also the aggregate id.
    pub user_id: Uuid,
}

/// Somebody has another address, which is proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmailChanged {
    /// Their id, also the aggregate id.
    pub user_id: Uuid,
    /// The new address, sealed.
    pub email: Sealed,
}

/// Somebody has another password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PasswordChanged {
    /// Their id, also the aggregate id.
    pub user_id: Uuid,
}

/// Somebody has told other things of themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserProfileUpdated {
    /// Their id, also the aggregate id.
    pub user_id: Uuid,
    /// All of the profile, sealed.
    pub profile: Sealed,
}

/// Somebody has a new address to send parcels to, or has changed one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AddressSaved {
    /// Their id, also the aggregate id.
    pub user_id: Uuid,
    /// The address's id.
    pub address_id: Uuid,
    /// The address, sealed.
    pub address: Sealed,
    /// Whether it is the one that is taken unless another is named.
    pub is_default: bool,
}

/// An address to send parcels to is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AddressRemoved {
    /// Whose it was, also the aggregate id.
    pub user_id: Uuid,
    /// The address's id.
    pub address_id: Uuid,
}

/// A person's key is destroyed: nothing that was sealed with it can be read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserErased {
    /// Their id, also the aggregate id.
    pub user_id: Uuid,
}

/// Somebody is in other groups of customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupsSet {
    /// Their id, also the aggregate id.
    pub user_id: Uuid,
    /// All groups that they are in, by slug.
    pub groups: Vec<String>,
}

/// Somebody works for the shop, or for the installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoleGranted {
    /// Their id, also the aggregate id.
    pub user_id: Uuid,
    /// `staff`, `owner` or `admin`, or the id of a role that the shop has defined.
    pub role: String,
}

/// Somebody has a role no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoleRevoked {
    /// Their id, also the aggregate id.
    pub user_id: Uuid,
    /// The role, as it was granted.
    pub role: String,
}

/// Somebody signs in with a one-time code from now on, besides the password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecondFactorEnabled {
    /// Their id, also the aggregate id.
    pub user_id: Uuid,
}

/// Somebody signs in by the password alone from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecondFactorDisabled {
    /// Their id, also the aggregate id.
    pub user_id: Uuid,
}

/// A shop has a role, or it has other permissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoleDefined {
    /// Its id, also the aggregate id.
    pub role_id: Uuid,
    /// By which it is named in addresses, unique in the tenant.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// What who has it may do, such as `catalog.write`.
    pub permissions: Vec<String>,
}

/// A role is none any more; who had it may do nothing by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoleRemoved {
    /// Its id, also the aggregate id.
    pub role_id: Uuid,
}

/// Somebody signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionStarted {
    /// Its id, also the aggregate id.
    pub session_id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// Whether a one-time code was shown besides the password.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub second_factor: bool,
}

/// A one-time code was shown in a session that had begun without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecondFactorShown {
    /// The session's id, also the aggregate id.
    pub session_id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// They signed out.
    SignedOut,
    /// They signed out everywhere.
    SignedOutEverywhere,
    /// The password or the address is another one.
    CredentialsChanged,
    /// A refresh token came a second time: somebody has a copy of it.
    TokenReused,
    /// The person was erased.
    Erased,
    /// An owner has taken away the second factor of the person.
    SecondFactorReset,
}

/// A session ended before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionEnded {
    /// Its id, also the aggregate id.
    pub session_id: Uuid,
    /// Whose it was.
    pub user_id: Uuid,
    /// Why.
    pub reason: SessionEnd,
}

/// A shop signs access tokens with a new key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenKeyAdded {
    /// Its id, also the aggregate id and the `kid` of tokens.
    pub key_id: Uuid,
    /// Its public half, a JSON Web Key (RFC 7517) as text.
    pub public: String,
    /// From when on tokens are signed with it.
    pub signs_from: Timestamp,
    /// Until when tokens that were signed with it are taken.
    pub valid_until: Timestamp,
}

/// Tokens that were signed with a key are none any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenKeyRevoked {
    /// Its id, also the aggregate id.
    pub key_id: Uuid,
}

/// Somebody signs in by what an identity provider knows of them, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdentityLinked {
    /// Their id, also the aggregate id.
    pub user_id: Uuid,
    /// The provider's slug.
    pub provider: String,
}

/// Somebody does not sign in by a provider any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdentityUnlinked {
    /// Their id, also the aggregate id.
    pub user_id: Uuid,
    /// The provider's slug.
    pub provider: String,
}

/// A shop lets people sign in by an identity provider. The secret that they share is in no event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdentityProviderSet {
    /// Its id, also the aggregate id.
    pub provider_id: Uuid,
    /// By which requests name it.
    pub slug: String,
    /// For people, on the page where they sign in.
    pub name: String,
    /// Its address, as its ID tokens say it.
    pub issuer: String,
    /// What the shop is called there.
    pub client_id: String,
    /// A digest of the secret that only the shop can make: another secret shows by it.
    pub secret_digest: String,
    /// What it is asked to tell, besides who somebody is.
    pub scopes: Vec<String>,
}

/// A shop lets nobody sign in by an identity provider any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdentityProviderRemoved {
    /// Its id, also the aggregate id.
    pub provider_id: Uuid,
}

super::events! {
    /// What happens to accounts of shoppers, their sessions, and the keys that their tokens are signed with.
    AccountsEvent of Accounts; {
        /// Somebody signed up.
        UserRegistered(UserRegistered) = "souk.accounts.user.registered.v1",
        /// An address is proved.
        EmailVerified(EmailVerified) = "souk.accounts.user.email_verified.v1",
        /// An address is another one.
        EmailChanged(EmailChanged) = "souk.accounts.user.email_changed.v1",
        /// A password is another one.
        PasswordChanged(PasswordChanged) = "souk.accounts.user.password_changed.v1",
        /// A profile is another one.
        UserProfileUpdated(UserProfileUpdated) = "souk.accounts.user.profile_updated.v1",
        /// An address to send parcels to is there, or changed.
        AddressSaved(AddressSaved) = "souk.accounts.user.address_saved.v1",
        /// An address to send parcels to is gone.
        AddressRemoved(AddressRemoved) = "souk.accounts.user.address_removed.v1",
        /// A person was erased.
        UserErased(UserErased) = "souk.accounts.user.erased.v1",
        /// Somebody is in other groups.
        GroupsSet(GroupsSet) = "souk.accounts.user.groups_set.v1",
        /// Somebody has a role.
        RoleGranted(RoleGranted) = "souk.accounts.user.role_granted.v1",
        /// Somebody has a role no longer.
        RoleRevoked(RoleRevoked) = "souk.accounts.user.role_revoked.v1",
        /// Somebody signs in with a one-time code.
        SecondFactorEnabled(SecondFactorEnabled) = "souk.accounts.user.second_factor_enabled.v1",
        /// Somebody signs in by the password alone.
        SecondFactorDisabled(SecondFactorDisabled) = "souk.accounts.user.second_factor_disabled.v1",
        /// A role is there, or another than before.
        RoleDefined(RoleDefined) = "souk.accounts.role.defined.v1",
        /// A role is none any more.
        RoleRemoved(RoleRemoved) = "souk.accounts.role.removed.v1",
        /// Somebody signed in.
        SessionStarted(SessionStarted) = "souk.accounts.session.started.v1",
        /// A one-time code was shown in a session.
        SecondFactorShown(SecondFactorShown) = "souk.accounts.session.second_factor_shown.v1",
        /// A session ended before its time.
        SessionEnded(SessionEnded) = "souk.accounts.session.ended.v1",
        /// A shop has a new key to sign tokens with.
        TokenKeyAdded(TokenKeyAdded) = "souk.accounts.token_key.added.v1",
        /// A key to sign tokens with is none any more.
        TokenKeyRevoked(TokenKeyRevoked) = "souk.accounts.token_key.revoked.v1",
        /// Somebody signs in by an identity provider, too.
        IdentityLinked(IdentityLinked) = "souk.accounts.user.identity_linked.v1",
        /// Somebody does not sign in by an identity provider any more.
        IdentityUnlinked(IdentityUnlinked) = "souk.accounts.user.identity_unlinked.v1",
        /// An identity provider is there, or changed.
        IdentityProviderSet(IdentityProviderSet) = "souk.accounts.identity_provider.set.v1",
        /// An identity provider is gone.
        IdentityProviderRemoved(IdentityProviderRemoved) = "souk.accounts.identity_provider.removed.v1",
    }
}
