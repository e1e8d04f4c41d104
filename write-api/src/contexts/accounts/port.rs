//! What the rest of write-api may know of accounts: whether there are any on this installation, and whose a token is.

pub(super) mod attempts;
pub(crate) mod former;
pub(super) mod hashing;
pub(super) mod keyring;
pub(crate) mod persons;
pub(super) mod signing;

use self::{attempts::Attempts, hashing::Hashing, keyring::Keyring, signing::SigningKeys};
use super::{domain::User, table};
use crate::{
    oidc::Providers,
    pipeline::{Failure, database::Database},
    vault::MasterKeys,
};
use ::access::{
    KnownTokenKey, Power,
    tokens::{Algorithm, PublicKey},
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use schemas::{
    Uuid,
    ids::TenantId,
    problem::{Code, Problem},
};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::PgConnection;
use std::{num::NonZeroU32, sync::Arc};
use tokio::sync::Notify;

/// Mails to one address within an hour; more are not sent.
const MAILS_AN_HOUR: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);

/// What accounts need, if the installation has master keys.
#[derive(Debug, Clone)]
pub(crate) struct Accounts(Option<Arc<Parts>>);

/// What accounts need.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(super) keyring: Keyring,
    pub(super) hashing: Hashing,
    pub(super) attempts: Attempts,
    pub(super) signing: SigningKeys,
    /// Speaks to identity providers.
    pub(super) providers: Providers,
    /// Mails that wait; told after each commit that adds one.
    pub(crate) mails: Notify,
    /// How many mails an address gets.
    rates: DefaultKeyedRateLimiter<(TenantId, String)>,
}

impl Accounts {
    /// By the master keys; without any, nobody can sign up.
    pub(crate) fn new(masters: Option<MasterKeys>, algorithm: Algorithm, providers: Providers) -> Self {
        let parts = |masters| Parts {
            keyring: Keyring::new(masters),
            hashing: Hashing::default(),
            attempts: Attempts::default(),
            signing: SigningKeys::new(algorithm),
            providers,
            mails: Notify::new(),
            rates: RateLimiter::keyed(Quota::per_hour(MAILS_AN_HOUR)),
        };
        Self(masters.map(|masters| Arc::new(parts(masters))))
    }

    /// What accounts need.
    ///
    /// # Errors
    /// As a problem, if there are none here.
    pub(crate) fn parts(&self) -> Result<Arc<Parts>, Problem> {
        let detail = "there are no accounts on this server: it was started without --master-keys";
        self.0.clone().ok_or_else(|| Problem::new(Code::Unavailable).detail(detail))
    }

    /// The same for tasks, which do nothing without.
    pub(crate) fn get(&self) -> Option<Arc<Parts>> {
        self.0.clone()
    }
}

impl Parts {
    /// Whether another mail to this address may be sent: nobody is flooded by whoever types their address.
    pub(super) fn may_mail(&self, tenant: TenantId, digest: &str) -> bool {
        // What is full again is forgotten, so that made-up addresses take no memory for good.
        if self.rates.len() > 100_000 {
            self.rates.retain_recent();
        }
        self.rates.check_key(&(tenant, digest.to_owned())).is_ok()
    }

    /// What seals and opens for a shop, also in other contexts.
    pub(crate) async fn vault(&self, database: &Database, tenant: TenantId) -> Result<ShopVault, Failure> {
        Ok(ShopVault(self.keyring.shop(database, tenant).await?))
    }

    /// Wraps keys anew that another master key than the first has wrapped, some at once; gives how many.
    pub(crate) async fn rewrap(&self, conn: &mut PgConnection, most: i64) -> Result<u64, Failure> {
        let current = self.keyring.current_id();
        table::rewrap(conn, current, most, |old| self.keyring.rewrap(old)).await
    }
}

/// Seals and opens what a shop keeps secret. Each purpose is one of its own: what was sealed for one can't be opened for another.
#[derive(Debug, Clone)]
pub(crate) struct ShopVault(Arc<keyring::ShopKey>);

impl ShopVault {
    /// Seals a value.
    pub(crate) fn seal<T: Serialize>(&self, purpose: &str, value: &T) -> Result<String, Failure> {
        self.0.seal(purpose, value)
    }

    /// The value again.
    pub(crate) fn open<T: DeserializeOwned>(&self, purpose: &str, sealed: &str) -> Result<T, Failure> {
        self.0.open(purpose, sealed)
    }

    /// By which another text shows; only the shop can make it.
    pub(crate) fn digest(&self, purpose: &str, text: &str) -> String {
        self.0.digest(purpose, text)
    }
}

/// The key of that id by which tokens are signed, unless there is none or it was revoked.
pub(crate) async fn token_key(database: &Database, kid: Uuid) -> Result<Option<KnownTokenKey>, Failure> {
    // Whose it is, is what is looked for.
    let found = table::token_key(&mut *database.of_installation().await?, kid).await?;
    // A kind of key that a newer release knows is none here.
    Ok(found.and_then(|(tenant, added)| {
        let public = PublicKey::from_json(&added.public).ok()?;
        Some(KnownTokenKey { tenant, public, valid_until: added.valid_until })
    }))
}

/// What somebody may do beyond what shoppers may, unless they have no role.
pub(crate) async fn power_of(database: &Database, tenant: TenantId, user: Uuid) -> Result<Option<Power>, Failure> {
    let mut transaction = database.of_shop(tenant).await?;
    let found = table::user(&mut *transaction, tenant, user).await?;
    let Some((_, user)) = found.filter(|(_, user)| !user.is_erased) else { return Ok(None) };
    power(&mut transaction, tenant, &user).await
}

/// The same of a user who was loaded.
pub(super) async fn power(conn: &mut PgConnection, tenant: TenantId, user: &User) -> Result<Option<Power>, Failure> {
    let defined: Vec<Uuid> = user.roles.iter().filter_map(|role| Uuid::parse_str(role).ok()).collect();
    let permissions = match &defined[..] {
        [] => Vec::new(),
        defined => table::roles::permissions(conn, tenant, defined).await?,
    };
    Ok(Power::of(user.roles.iter().map(String::as_str), permissions))
}

/// Whether a session has ended before its time, or was never there.
pub(crate) async fn has_ended(database: &Database, tenant: TenantId, session: Uuid) -> Result<bool, Failure> {
    table::has_ended(&mut *database.of_shop(tenant).await?, tenant, session).await
}
