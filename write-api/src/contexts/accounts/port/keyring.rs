//! The keys that seal what is personal. Each person has one, and each shop; master keys wrap them.

use super::super::table;
use crate::{
    pipeline::{Failure, database::Database},
    vault::{DataKey, MasterKeys, VaultError},
};
use moka::future::Cache;
use schemas::{Uuid, events::accounts::Sealed, ids::TenantId};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::PgConnection;
use std::sync::Arc;

/// Shops whose key is remembered.
const SHOPS: u64 = 10_000;

/// The master keys, and the keys of shops that were unwrapped before.
#[derive(Debug, Clone)]
pub(crate) struct Keyring {
    masters: Arc<MasterKeys>,
    shops: Cache<TenantId, Arc<ShopKey>>,
}

impl Keyring {
    pub(in super::super) fn new(masters: MasterKeys) -> Self {
        Self { masters: Arc::new(masters), shops: Cache::builder().max_capacity(SHOPS).build() }
    }

    /// What the master key is called that wraps new keys.
    pub(in super::super) fn current_id(&self) -> &str {
        self.masters.current_id()
    }

    /// Wraps a key anew.
    pub(in super::super) fn rewrap(&self, old: &table::beside::Wrapped) -> Result<String, Failure> {
        let bound = old.user.map_or_else(|| of_shop(old.tenant), |user| of_person(old.tenant, user));
        let key = self.masters.unwrap(&bound, &old.wrapped).map_err(failure)?;
        self.masters.wrap(&bound, &key).map_err(failure)
    }

    /// The key of a shop, which is made if there is none.
    pub(in super::super) async fn shop(&self, database: &Database, tenant: TenantId) -> Result<Arc<ShopKey>, Failure> {
        if let Some(known) = self.shops.get(&tenant).await {
            return Ok(known);
        }
        let made = DataKey::generate().map_err(failure)?;
        let wrapped = self.masters.wrap(&of_shop(tenant), &made).map_err(failure)?;
        let kept = table::shop_key(database, tenant, &wrapped).await?;
        let key = self.masters.unwrap(&of_shop(tenant), &kept).map_err(failure)?;
        let key = Arc::new(ShopKey(key));
        self.shops.insert(tenant, Arc::clone(&key)).await;
        Ok(key)
    }

    /// A new key for somebody, with the form in which it is kept.
    pub(in super::super) fn new_person(&self, tenant: TenantId, user: Uuid) -> Result<(PersonKey, String), Failure> {
        let key = DataKey::generate().map_err(failure)?;
        let wrapped = self.masters.wrap(&of_person(tenant, user), &key).map_err(failure)?;
        Ok((PersonKey { user, key }, wrapped))
    }

    /// The key of somebody, unless there is none any more.
    pub(in super::super) async fn person(
        &self,
        conn: &mut PgConnection,
        tenant: TenantId,
        user: Uuid,
    ) -> Result<Option<PersonKey>, Failure> {
        let Some(wrapped) = table::person_key(conn, tenant, user).await? else { return Ok(None) };
        let key = self.masters.unwrap(&of_person(tenant, user), &wrapped).map_err(failure)?;
        Ok(Some(PersonKey { user, key }))
    }
}

/// What a wrapped key is bound to.
fn of_shop(tenant: TenantId) -> String {
    format!("shop:{tenant}")
}

/// What a wrapped key is bound to.
fn of_person(tenant: TenantId, user: Uuid) -> String {
    format!("person:{tenant}:{user}")
}

/// Tells addresses of a shop apart, and seals what waits there.
#[derive(Debug)]
pub(in super::super) struct ShopKey(DataKey);

impl ShopKey {
    /// By which an account is found: the digest of an address.
    pub(in super::super) fn of_email(&self, folded: &str) -> String {
        self.0.digest("email", folded)
    }

    /// By which a recovery code of somebody is known again.
    pub(in super::super) fn of_recovery_code(&self, user: Uuid, code: &str) -> String {
        self.0.digest("recovery code", &format!("{user}:{code}"))
    }

    /// By which an account is found whose owner signs in by a provider: the digest of the provider's address and of what
    /// it calls them. Another provider under the same slug knows nobody.
    pub(in super::super) fn of_identity(&self, issuer: &str, subject: &str) -> String {
        // No address has a space.
        self.0.digest("identity", &format!("{issuer} {subject}"))
    }

    /// By which another secret of a provider shows.
    pub(in super::super) fn of_secret(&self, secret: &str) -> String {
        self.0.digest("identity provider secret", secret)
    }

    /// The digest of a text of another context.
    pub(in super::super) fn digest(&self, purpose: &str, text: &str) -> String {
        self.0.digest(purpose, text)
    }

    /// Seals what waits to be read once.
    pub(in super::super) fn seal<T: Serialize>(&self, purpose: &str, value: &T) -> Result<String, Failure> {
        let text = serde_json::to_vec(value).map_err(|error| Failure::NoJson("sealed text", error))?;
        self.0.seal(purpose, &text).map_err(failure)
    }

    /// The value again.
    pub(in super::super) fn open<T: DeserializeOwned>(&self, purpose: &str, sealed: &str) -> Result<T, Failure> {
        let text = self.0.open(purpose, sealed).map_err(failure)?;
        serde_json::from_slice(&text).map_err(|error| Failure::Unreadable("sealed text", error.to_string()))
    }
}

/// Seals what is personal of somebody.
#[derive(Debug)]
pub(in super::super) struct PersonKey {
    user: Uuid,
    key: DataKey,
}

impl PersonKey {
    /// Seals something of the person, such as the address.
    pub(in super::super) fn seal<T: Serialize>(&self, what: &str, value: &T) -> Result<Sealed, Failure> {
        let text = serde_json::to_vec(value).map_err(|error| Failure::NoJson("sealed text", error))?;
        self.key.seal(&format!("{}:{what}", self.user), &text).map(Sealed).map_err(failure)
    }

    /// The value again.
    pub(in super::super) fn open<T: DeserializeOwned>(&self, what: &str, sealed: &Sealed) -> Result<T, Failure> {
        let text = self.key.open(&format!("{}:{what}", self.user), &sealed.0).map_err(failure)?;
        serde_json::from_slice(&text).map_err(|error| Failure::Unreadable("sealed text", error.to_string()))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn failure(error: VaultError) -> Failure {
    Failure::Unreadable("key", error.to_string())
}
