//! The key that a shop signs access tokens with: made when the first is needed, and followed by another in time.

use crate::{
    contexts::accounts::{
        domain::{TokenKey, TokenKeyCommand},
        port::{
            Parts,
            keyring::ShopKey,
            signing::{Signing, SigningKeys},
        },
        table,
    },
    domain::Aggregate,
    pipeline::{App, Batch, Change, Done, Error, Expected, Failure, Scope, Stored, procedure::Procedure},
};
use ::access::{
    guest::GUEST_DAYS,
    tokens::{Algorithm, SigningKey, TokenError},
};
use schemas::{TimeDelta, Uuid, contexts::Context, events::accounts::TokenKeyAdded};
use sqlx::PgConnection;
use std::sync::Arc;

/// Days that a key signs. The one before it is believed for as long as its tokens are good.
const SIGNS_DAYS: i64 = 30;
/// Days that tokens which a key has signed are believed: those of guests are good for the longest.
const VALID_DAYS: i64 = SIGNS_DAYS + GUEST_DAYS + 1;
/// A key that follows another signs this much later than it is made, so that every node knows it by then.
const KNOWN_AFTER: TimeDelta = TimeDelta::seconds(60);
/// What the private half is sealed for.
const PURPOSE: &str = "token key";

/// The key that signs for the shop now.
///
/// # Errors
/// The database's, or it can't be made.
pub(in super::super) async fn current(
    app: &App,
    scope: &Scope,
    parts: &Parts,
    shop: &ShopKey,
) -> Result<Arc<Signing>, Error> {
    let SigningKeys { algorithm, known } = parts.signing.clone();
    if let Some(found) = known.get(&scope.tenant).await {
        return Ok(found);
    }
    let found = match find(app, scope, algorithm, shop).await? {
        Some(found) => found,
        None => {
            app.procedure(scope, &AddKey::new(algorithm, scope, shop)?).await?;
            // Another process may have been faster: then its key signs, too.
            find(app, scope, algorithm, shop).await?.ok_or_else(|| unusable("there is none"))?
        }
    };
    let found = Arc::new(found);
    known.insert(scope.tenant, Arc::clone(&found)).await;
    Ok(found)
}

/// The newest that signs already. One that is old is followed by another.
async fn find(app: &App, scope: &Scope, algorithm: Algorithm, shop: &ShopKey) -> Result<Option<Signing>, Error> {
    let rows = table::signing_keys(&mut *app.database.of_shop(scope.tenant).await?, scope.tenant, scope.now).await?;
    let is_old = |added: &TokenKeyAdded| added.signs_from + TimeDelta::days(SIGNS_DAYS) <= scope.now;
    if !rows.is_empty() && rows.iter().all(|row| is_old(&row.key.added)) {
        app.procedure(scope, &AddKey::new(algorithm, scope, shop)?).await?;
    }
    let Some(row) = rows.into_iter().find(|row| row.key.added.signs_from <= scope.now) else { return Ok(None) };
    let secret: String = shop.open(PURPOSE, &row.secret)?;
    let key = SigningKey::from_json(&secret).map_err(|error| of_token(&error))?;
    Ok(Some(Signing { kid: row.key.added.key_id, key, valid_until: row.key.added.valid_until }))
}

/// Makes a pair of which the public half is told and the private one kept.
struct AddKey {
    kid: Uuid,
    /// The public half.
    public: String,
    /// The private half, sealed.
    secret: String,
}

impl AddKey {
    fn new(algorithm: Algorithm, scope: &Scope, shop: &ShopKey) -> Result<Self, Failure> {
        let kid = scope.clock.id();
        let key = SigningKey::generate(algorithm).map_err(|error| of_token(&error))?;
        let (public, secret) = (key.public().to_json(kid), key.to_json());
        let (public, secret) = (public.map_err(|error| of_token(&error))?, secret.map_err(|error| of_token(&error))?);
        Ok(Self { kid, public, secret: shop.seal(PURPOSE, &secret)? })
    }
}

impl Procedure for AddKey {
    const CONTEXT: Context = Context::Accounts;
    type Output = ();

    fn name(&self) -> &'static str {
        "add_token_key"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, ()), Error> {
        sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('souk:token_keys:' || $1::text, 0))")
            .bind(scope.tenant.uuid())
            .execute(&mut *conn)
            .await?;
        let known = table::signing_keys(&mut *conn, scope.tenant, scope.now).await?;
        let is_new = |row: &table::SigningRow| row.key.added.signs_from + TimeDelta::days(SIGNS_DAYS) > scope.now;
        if known.iter().any(is_new) {
            return Ok((Change::Unchanged, ()));
        }
        // The first signs for those, too, who asked for one at the same time, and whose clock is behind.
        let signs_from = if known.is_empty() { scope.now - KNOWN_AFTER } else { scope.now + KNOWN_AFTER };
        let valid_until = signs_from + TimeDelta::days(VALID_DAYS);
        let added = TokenKeyAdded { key_id: self.kid, public: self.public.clone(), signs_from, valid_until };
        let mut keys = Batch::<TokenKey>::default();
        keys.carry_out(self.kid, Expected::Any, |keys| {
            Ok(TokenKey::decide(keys.state(self.kid), TokenKeyCommand::Add(added))?)
        })?;
        keys.append(conn, scope).await?;
        table::keep_secret(conn, scope.tenant, self.kid, &self.secret).await?;
        Ok((Change::Created, ()))
    }
}

/// Makes the tokens of a key none; the next that is signed has another key.
pub(in super::super) struct RevokeKey {
    pub(in super::super) kid: Uuid,
}

impl Procedure for RevokeKey {
    const CONTEXT: Context = Context::Accounts;
    type Output = Done;

    fn name(&self) -> &'static str {
        "revoke_token_key"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Done), Error> {
        let mut keys = TokenKey::load(conn, scope, &[self.kid]).await?;
        let done = keys.carry_out(self.kid, Expected::Any, |keys| {
            Ok(TokenKey::decide(keys.state(self.kid), TokenKeyCommand::Revoke)?)
        })?;
        keys.append(conn, scope).await?;
        Ok((done.change, done))
    }
}

fn unusable(what: &str) -> Failure {
    Failure::Unreadable("token key", what.to_owned())
}

pub(in super::super) fn of_token(error: &TokenError) -> Failure {
    unusable(&error.to_string())
}
