//! Shoppers who have signed in: what an access token says, and the keys by which it is believed. A guest's token is believed
//! by the same keys.

use crate::tokens::{Claims, Invalid, Method, PublicKey};
use schemas::{Timestamp, Uuid, ids::TenantId};

/// Whom access tokens are for: every process of the installation.
pub(crate) const AUDIENCE: &str = "souk";
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
    /// Whom verified claims name, if it is somebody who has signed in.
    pub(crate) fn of(claims: &Claims, key: &KnownTokenKey) -> Result<Self, Invalid> {
        let session = claims.sid.filter(|_| !claims.guest).ok_or(Invalid::NotForUs)?;
        let is_strong = claims.amr.contains(&Method::Otp);
        Ok(Self { tenant: key.tenant, user: claims.sub, session, is_strong })
    }

    /// What a token of now says.
    #[must_use]
    pub fn claims(&self, now: Timestamp) -> Claims {
        let iat = now.timestamp();
        let (iss, aud) = (issuer(self.tenant), AUDIENCE.to_owned());
        let amr = if self.is_strong { vec![Method::Pwd, Method::Otp] } else { vec![Method::Pwd] };
        Claims { iss, aud, sub: self.user, sid: Some(self.session), guest: false, iat, exp: iat + TOKEN_SECONDS, amr }
    }
}

/// Who issues the tokens of a shop.
#[must_use]
pub fn issuer(tenant: TenantId) -> String {
    format!("urn:souk:shop:{tenant}")
}
