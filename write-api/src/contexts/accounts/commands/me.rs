//! What somebody keeps of themselves: it is read, changed, and erased.

use super::{Loaded, end_sessions, person_key, signing};
use crate::{
    contexts::{
        accounts::{
            domain::{PostalAddress, Profile, Role, User, UserCommand},
            port::{self, Parts, keyring::PersonKey},
            table,
        },
        carts::port as carts,
    },
    pipeline::{App, Change, Done, Error, Expected, Rejection, Scope, procedure::Procedure},
};
use access::{customer, tokens};
use schemas::{
    Uuid, buyer::Buyer, contexts::Context, events::accounts::SessionEnd, ids::TenantId, permission::Permission,
    roles::BuiltIn,
};
use serde::Serialize;
use sqlx::PgConnection;
use std::sync::Arc;

/// All that is kept of somebody, in the clear.
#[derive(Debug)]
pub(in super::super) struct Person {
    pub(in super::super) version: u64,
    pub(in super::super) email: String,
    pub(in super::super) is_verified: bool,
    pub(in super::super) profile: Profile,
    pub(in super::super) addresses: Vec<(Uuid, PostalAddress, bool)>,
    /// Groups of customers that they are in.
    pub(in super::super) groups: Vec<String>,
    pub(in super::super) has_second_factor: bool,
    /// The names of their roles.
    pub(in super::super) roles: Vec<String>,
    /// What they may do by these.
    pub(in super::super) permissions: Vec<Permission>,
    /// The identity providers by which they sign in.
    pub(in super::super) identities: Vec<String>,
}

/// All that is kept of somebody.
pub(in super::super) async fn read(app: &App, scope: &Scope, user: Uuid) -> Result<Person, Error> {
    let parts = app.accounts.parts().map_err(Rejection::of)?;
    app.procedure(scope, &Read { parts, user }).await
}

struct Read {
    parts: Arc<Parts>,
    user: Uuid,
}

impl Procedure for Read {
    const CONTEXT: Context = Context::Accounts;
    type Output = Person;

    fn name(&self) -> &'static str {
        "read_account"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Person), Error> {
        let found = table::user(&mut *conn, scope.tenant, self.user).await?;
        let (version, user) = found.filter(|(_, user)| !user.is_erased).ok_or_else(super::missing)?;
        let key = person_key(conn, scope, &self.parts, self.user).await?;
        let mut person = Person::open(version, &user, &key)?;
        if !user.roles.is_empty() {
            let power = port::power(conn, scope.tenant, &user).await?;
            person.permissions = power.map(|power| power.permissions().to_vec()).unwrap_or_default();
            let defined = table::roles::all(conn, scope.tenant).await?;
            let names = user.roles.iter().filter_map(|role| name(role, &defined));
            person.roles = names.collect();
        }
        Ok((Change::Unchanged, person))
    }
}

impl Person {
    fn open(version: u64, user: &User, key: &PersonKey) -> Result<Self, Error> {
        let profile = user.profile.as_ref().map(|profile| key.open("profile", profile)).transpose()?;
        let open = |(id, saved): (&Uuid, &crate::contexts::accounts::domain::user::SavedAddress)| {
            Ok((*id, key.open("address", &saved.address)?, saved.is_default))
        };
        Ok(Self {
            version,
            email: key.open("email", &user.email)?,
            is_verified: user.is_verified,
            profile: profile.unwrap_or_default(),
            addresses: user.addresses.iter().map(open).collect::<Result<_, Error>>()?,
            groups: user.groups.iter().cloned().collect(),
            has_second_factor: user.has_second_factor,
            roles: Vec::new(),
            permissions: Vec::new(),
            identities: user.identities.iter().cloned().collect(),
        })
    }
}

/// The name of a role that was granted; none for one that the shop has no longer.
fn name(granted: &str, defined: &[Role]) -> Option<String> {
    let found = defined.iter().find(|role| role.role_id.to_string() == granted).map(|role| role.slug.clone());
    found.or_else(|| granted.parse::<BuiltIn>().ok().map(|role| role.to_string()))
}

/// What somebody wants to keep.
#[derive(Debug, Clone)]
pub(in super::super) enum Keep {
    /// Another profile.
    Profile(Profile),
    /// An address: whether it is the default is said beside it.
    Address(Uuid, PostalAddress, bool),
    /// An address no more.
    NoAddress(Uuid),
}

/// Changes what somebody keeps of themselves.
pub(in super::super) async fn keep(
    app: &App,
    scope: &Scope,
    user: Uuid,
    expected: Expected,
    keep: Keep,
) -> Result<Done, Error> {
    let parts = app.accounts.parts().map_err(Rejection::of)?;
    app.procedure(scope, &Changing { parts, user, expected, keep }).await
}

struct Changing {
    parts: Arc<Parts>,
    user: Uuid,
    expected: Expected,
    keep: Keep,
}

impl Procedure for Changing {
    const CONTEXT: Context = Context::Accounts;
    type Output = Done;

    fn name(&self) -> &'static str {
        match self.keep {
            Keep::Profile(_) => "update_profile",
            Keep::Address(..) => "save_address",
            Keep::NoAddress(_) => "remove_address",
        }
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Done), Error> {
        let mut loaded = Loaded::of(conn, scope, self.user).await?;
        loaded.user()?;
        let key = person_key(conn, scope, &self.parts, self.user).await?;
        let command = match &self.keep {
            Keep::Profile(profile) => UserCommand::UpdateProfile(key.seal("profile", profile)?),
            Keep::Address(id, address, is_default) => {
                UserCommand::SaveAddress { id: *id, address: key.seal("address", address)?, is_default: *is_default }
            }
            Keep::NoAddress(id) => UserCommand::RemoveAddress(*id),
        };
        let done = loaded.decide(self.expected, command)?;
        loaded.write(conn, scope).await?;
        Ok((done.change, done))
    }
}

/// What was erased of somebody, and where.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(in super::super) struct Receipt {
    /// The shop, as its tokens name it.
    iss: String,
    /// The account's id.
    sub: Uuid,
    /// When, in seconds since 1970.
    iat: i64,
    /// What is deleted.
    deleted: [&'static str; 8],
    /// Where sealed texts stay that nobody can open any more.
    unreadable: [&'static str; 4],
    /// Where nothing personal ever was.
    never_had: [&'static str; 4],
}

impl Receipt {
    /// As the OpenAPI document shows it.
    pub(in super::super) fn example() -> Self {
        Self::of(TenantId(Uuid::nil()), Uuid::nil(), 1_790_000_000)
    }

    fn of(tenant: TenantId, user: Uuid, iat: i64) -> Self {
        Self {
            iss: customer::issuer(tenant),
            sub: user,
            iat,
            deleted: [
                "key of the person",
                "password",
                "second factor",
                "digest of the address",
                "codes",
                "mails",
                "refresh tokens",
                "identities at providers",
            ],
            unreadable: ["events in the outbox", "records of the log", "archives", "backups without the key"],
            never_had: ["views", "index", "vectors", "logs"],
        }
    }
}

/// Erases somebody: their key is destroyed, with all that is theirs and in no event, and what was sealed stays closed.
/// Gives the receipt, and the receipt signed.
pub(in super::super) async fn erase(app: &App, scope: &Scope, user: Uuid) -> Result<(Receipt, String), Error> {
    let parts = app.accounts.parts().map_err(Rejection::of)?;
    let shop = parts.keyring.shop(&app.database, scope.tenant).await?;
    let signing = signing::current(app, scope, &parts, &shop).await?;
    let receipt = Receipt::of(scope.tenant, user, scope.now.timestamp());
    // Signed before: once it is done, it can't be undone for want of a signature.
    let signed = tokens::attest("souk-erasure+jwt", &signing.key, signing.kid, &receipt);
    let signed = signed.map_err(|error| signing::of_token(&error))?;
    // First: whoever is erased can't ask again, should this fail.
    carts::forget(app, scope, Buyer::customer(user)).await?;
    app.procedure(scope, &Erase { user }).await?;
    Ok((receipt, signed))
}

struct Erase {
    user: Uuid,
}

impl Procedure for Erase {
    const CONTEXT: Context = Context::Accounts;
    type Output = ();

    fn name(&self) -> &'static str {
        "erase_account"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, ()), Error> {
        let mut loaded = Loaded::of(conn, scope, self.user).await?;
        let done = loaded.decide(Expected::Any, UserCommand::Erase)?;
        if done.change == Change::Unchanged {
            return Ok((done.change, ()));
        }
        loaded.write(conn, scope).await?;
        end_sessions(conn, scope, self.user, SessionEnd::Erased, None).await?;
        table::erase(conn, scope.tenant, self.user).await?;
        Ok((done.change, ()))
    }
}
