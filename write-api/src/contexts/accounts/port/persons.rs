//! What other contexts have of people: their data are sealed with their own key, wherever they are kept.

use super::{Accounts, keyring::PersonKey};
use crate::{
    contexts::accounts::{domain::Email, table},
    pipeline::{Error, Failure, Rejection, Scope, database::Database},
};
use schemas::{
    Uuid,
    buyer::{Buyer, BuyerKind},
    events::accounts::Sealed,
    ids::TenantId,
};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::PgConnection;
use std::collections::BTreeSet;

/// Seals what is personal of a buyer. Once the buyer is erased, nobody opens it any more.
#[derive(Debug)]
pub(crate) struct Seal(PersonKey);

impl Seal {
    /// Seals something of the buyer, such as the address.
    pub(crate) fn seal<T: Serialize>(&self, what: &str, value: &T) -> Result<Sealed, Failure> {
        self.0.seal(what, value)
    }

    /// The value again.
    pub(crate) fn open<T: DeserializeOwned>(&self, what: &str, sealed: &Sealed) -> Result<T, Failure> {
        self.0.open(what, sealed)
    }
}

/// The seal of a buyer. A guest's is made if there is none; whoever has an account has one until they are erased.
///
/// # Errors
/// `not_found` of an account that is not there, and `unavailable` where the installation keeps nothing personal.
pub(crate) async fn seal_of(
    accounts: &Accounts,
    conn: &mut PgConnection,
    tenant: TenantId,
    buyer: Buyer,
) -> Result<Seal, Error> {
    let parts = accounts.parts().map_err(Rejection::of)?;
    if let Some(key) = parts.keyring.person(&mut *conn, tenant, buyer.id).await? {
        return Ok(Seal(key));
    }
    match buyer.kind {
        BuyerKind::Customer => Err(Rejection::not_found("there is no such account").into()),
        BuyerKind::Guest => {
            let (key, wrapped) = parts.keyring.new_person(tenant, buyer.id)?;
            // Whoever is faster with the same guest is a conflict, and it is done again.
            table::keep_person_key(&mut *conn, tenant, buyer.id, &wrapped).await?;
            Ok(Seal(key))
        }
    }
}

/// An e-mail address as it was written.
///
/// # Errors
/// A sentence that says what an address looks like.
pub(crate) fn email(text: &str) -> Result<String, String> {
    Email::parse(text).map(|email| email.as_str().to_owned())
}

/// What stands for an e-mail address of a shop, where nobody may read it.
pub(crate) async fn email_digest(
    accounts: &Accounts,
    database: &Database,
    tenant: TenantId,
    email: &str,
) -> Result<String, Error> {
    let parts = accounts.parts().map_err(Rejection::of)?;
    let folded =
        Email::parse(email).map(|email| email.folded()).map_err(|reason| Rejection::invalid_at("/email", reason))?;
    Ok(parts.keyring.shop(database, tenant).await?.of_email(&folded))
}

/// What others may know of an account, and its address.
pub(crate) struct KnownPerson {
    pub(crate) email: String,
    /// Groups of customers that they are in.
    pub(crate) groups: BTreeSet<String>,
}

/// Somebody who has an account.
pub(crate) async fn person(
    accounts: &Accounts,
    conn: &mut PgConnection,
    scope: &Scope,
    user: Uuid,
) -> Result<KnownPerson, Error> {
    let seal = seal_of(accounts, &mut *conn, scope.tenant, Buyer::customer(user)).await?;
    let found = table::user(conn, scope.tenant, user).await?;
    let (_, user) = found.ok_or_else(|| Rejection::not_found("there is no such account"))?;
    Ok(KnownPerson { email: seal.open("email", &user.email)?, groups: user.groups })
}
