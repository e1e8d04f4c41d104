//! Mails that are sent: each waits in a table, written in the transaction that is the reason for it.

pub(in super::super) mod text;

use self::text::Occasion;
use crate::{
    contexts::{
        accounts::{
            port::{Parts, keyring::ShopKey},
            table::{Code, Purpose, WaitingMail},
        },
        tenants::port as tenants,
    },
    pipeline::{App, Error, Failure, Rejection, Scope},
};
use access::shop::TenantName;
use schemas::{TimeDelta, Uuid};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::sync::Arc;
use url::Url;

/// What letters are sealed for.
pub(in super::super) const PURPOSE: &str = "mail";

/// A mail, as it waits.
#[derive(Clone, Serialize, Deserialize)]
pub(in super::super) struct Letter {
    pub(in super::super) occasion: Occasion,
    /// The address.
    pub(in super::super) to: String,
    /// The name of the shop.
    pub(in super::super) shop: String,
    /// What to type in, or part of the link.
    pub(in super::super) code: Option<String>,
    /// The page that takes the code, if the shop has one.
    pub(in super::super) page: Option<String>,
    /// How long the code is good.
    pub(in super::super) minutes: u32,
}

/// What all letters of a request have in common.
pub(in super::super) struct Post {
    pub(in super::super) parts: Arc<Parts>,
    pub(in super::super) key: Arc<ShopKey>,
    pub(in super::super) shop: String,
    /// The page that codes lead to.
    pub(in super::super) page: Option<Url>,
}

impl Post {
    /// Of a shop. Codes lead to this page, if one is named: it has to be of an origin that the shop has named.
    pub(in super::super) async fn of(app: &App, scope: &Scope, return_to: Option<&str>) -> Result<Self, Error> {
        let parts = app.accounts.parts().map_err(Rejection::of)?;
        let key = parts.keyring.shop(&app.database, scope.tenant).await?;
        let found = app.tenants.find(&app.database, &TenantName::Id(scope.tenant)).await?;
        let origins = found.map(|found| found.origins).unwrap_or_default();
        let page = return_to.map(|page| of_the_shop(page, &origins)).transpose()?;
        let shop = tenants::name_of(&app.database, scope.tenant).await?.unwrap_or_default();
        Ok(Self { parts, key, shop, page })
    }

    /// A letter without a code.
    pub(in super::super) fn letter(&self, occasion: Occasion, to: &str) -> Letter {
        let page = self.page.as_ref().map(Url::to_string);
        Letter { occasion, to: to.to_owned(), shop: self.shop.clone(), code: None, page, minutes: 0 }
    }

    /// Has a letter sent, unless its address has had many within the hour. Without the mail, there is no code either, and
    /// the one before stays good.
    pub(in super::super) async fn send(
        &self,
        conn: &mut PgConnection,
        scope: &Scope,
        user: Option<Uuid>,
        letter: &Letter,
        code: Option<&Code>,
    ) -> Result<(), Failure> {
        if !self.parts.may_mail(scope.tenant, &self.key.of_email(&letter.to.to_ascii_lowercase())) {
            tracing::info!(tenant.id = %scope.tenant, "an address has had many mails within the hour, and gets no more");
            return Ok(());
        }
        if let Some(code) = code {
            code.keep(conn, scope.tenant).await?;
        }
        let mail = WaitingMail {
            mail_id: scope.clock.id(),
            tenant_id: scope.tenant.uuid(),
            user_id: user,
            sealed: self.key.seal(PURPOSE, letter)?,
            created_at: scope.now,
            tries: 0,
        };
        mail.keep(conn).await
    }

    /// A letter with a code, and the code as it is kept.
    pub(in super::super) fn with_code<T: Serialize>(
        &self,
        scope: &Scope,
        letter: Letter,
        (purpose, user): (Purpose, Uuid),
        minutes: u32,
        then: &T,
    ) -> Result<(Letter, Code), Failure> {
        let (text, digest) = super::secret(scope, "");
        let sealed = self.key.seal(purpose.as_str(), then)?;
        let expires_at = scope.now + TimeDelta::minutes(i64::from(minutes));
        let code = Code { digest, purpose, user, sealed, expires_at };
        Ok((Letter { code: Some(text), minutes, ..letter }, code))
    }
}

/// A page to come back to, if its origin is one of the shop's: an address that a stranger typed leads nobody elsewhere.
fn of_the_shop(page: &str, origins: &[String]) -> Result<Url, Rejection> {
    let wrong = |detail: &str| Rejection::invalid_at("/return_to", detail);
    let url = Url::parse(page).map_err(|_| wrong("an address such as https://shop.example/verify is expected"))?;
    let is_clean = url.username().is_empty() && url.password().is_none() && page.len() <= 1_000;
    if !is_clean || !origins.contains(&url.origin().ascii_serialization()) {
        return Err(wrong("its origin has to be one that the shop has named with PUT /v1/origins"));
    }
    Ok(url)
}

impl Letter {
    /// The page with the code, for people to follow; none without either.
    pub(in super::super) fn link(&self) -> Option<String> {
        let (code, mut page) = (self.code.as_deref()?, Url::parse(self.page.as_deref()?).ok()?);
        page.query_pairs_mut().append_pair("code", code);
        Some(page.into())
    }
}
