//! Giving out the tokens of guests. Nothing is kept of one.

use super::signing;
use crate::pipeline::{App, Error, Rejection, Scope};
use access::{Guest, tokens};
use schemas::Uuid;

/// What somebody gets who shops without an account.
#[derive(Debug)]
pub(in super::super) struct GuestToken {
    pub(in super::super) guest: Uuid,
    pub(in super::super) token: String,
    /// Seconds until it is over.
    pub(in super::super) expires_in: i64,
}

/// Draws a guest. The first one of a shop makes the key that signs, as the first account would.
pub(in super::super) async fn draw(app: &App, scope: &Scope) -> Result<GuestToken, Error> {
    let parts = app.accounts.parts().map_err(Rejection::of)?;
    let shop = parts.keyring.shop(&app.database, scope.tenant).await?;
    let signing = signing::current(app, scope, &parts, &shop).await?;
    let guest = Guest { tenant: scope.tenant, id: scope.clock.id() };
    let claims = guest.claims(scope.now, signing.valid_until);
    let token = tokens::sign(&signing.key, signing.kid, &claims).map_err(|error| signing::of_token(&error))?;
    Ok(GuestToken { guest: guest.id, token, expires_in: claims.exp - claims.iat })
}
