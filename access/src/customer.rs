//! Shoppers who have signed in: what an access token says, and the keys by which it is believed.

use crate::tokens::{self, Claims, Invalid, Method, PublicKey};
use schemas::{Timestamp, Uuid, ids::TenantId};

/// Whom access tokens are for: every process of the installation.
const AUDIENCE: &str = "souk";
/// Seconds that an access token is good for. Who has signed in gets another by the refresh token.
pub const TOKEN_SECONDS: i64 = 600;

/// A shopper who has signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Customer {
    /// The shop that the account is in.
    pub tenant: TenantId,
    /// The account.
    pub user: Uuid,
    /// The session.
    pub session: Uuid,
    /// Whether a one-time code was shown in it besides the password.
    pub is_strong: bool,
}

/// A key by which access tokens of a shop are signed, as far as it is public.
#[derive(Debug, Clone)]
pub struct KnownTokenKey {
    /// The shop that it is of.
    pub tenant: TenantId,
    /// Its public half.
    pub public: PublicKey,
    /// From when on what it has signed is none any more.
    pub valid_until: Timestamp,
}

impl Customer {
    /// Whom a token names, if this key has signed it for us, and it is not over.
    ///
    /// # Errors
    /// [`Invalid`]
    pub fn read(token: &str, kid: Uuid, key: &KnownTokenKey, now: Timestamp) -> Result<Self, Invalid> {
        if key.valid_until <= now {
            return Err(Invalid::Over);
        }
        let issuer = issuer(key.tenant);
        let claims = tokens::verify(token, &key.public, kid, &issuer, AUDIENCE, now.timestamp())?;
        let is_strong = claims.amr.contains(&Method::Otp);
        Ok(Self { tenant: key.tenant, user: claims.sub, session: claims.sid, is_strong })
    }

    /// What a token of now says.
    #[must_use]
    pub fn claims(&self, now: Timestamp) -> Claims {
        let iat = now.timestamp();
        let (iss, aud) = (issuer(self.tenant), AUDIENCE.to_owned());
        let amr = if self.is_strong { vec![Method::Pwd, Method::Otp] } else { vec![Method::Pwd] };
        Claims { iss, aud, sub: self.user, sid: self.session, iat, exp: iat + TOKEN_SECONDS, amr }
    }
}

/// Who issues the tokens of a shop.
#[must_use]
pub fn issuer(tenant: TenantId) -> String {
    format!("urn:souk:shop:{tenant}")
}
