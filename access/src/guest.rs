//! Guests: who shops without an account and is known again by a token. No row stands behind one; the signature is all.

use crate::{
    customer::{AUDIENCE, KnownTokenKey, issuer},
    tokens::{Claims, Invalid},
};
use schemas::{Timestamp, Uuid, ids::TenantId};

/// Days that a guest's token is good for, if the key that has signed it is believed so long.
pub const GUEST_DAYS: i64 = 90;
/// The same in seconds.
const GUEST_SECONDS: i64 = GUEST_DAYS * 24 * 60 * 60;

/// Somebody who has a guest's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guest {
    /// The shop that gave it out.
    pub tenant: TenantId,
    /// Drawn with the token, and never an account's.
    pub id: Uuid,
}

impl Guest {
    /// What a token of now says. It ends with the key that signs it at the latest.
    #[must_use]
    pub fn claims(&self, now: Timestamp, key_ends: Timestamp) -> Claims {
        let iat = now.timestamp();
        let exp = (iat + GUEST_SECONDS).min(key_ends.timestamp());
        let (iss, aud) = (issuer(self.tenant), AUDIENCE.to_owned());
        Claims { iss, aud, sub: self.id, sid: None, guest: true, iat, exp, amr: Vec::new() }
    }

    /// Whom verified claims name, if it is a guest.
    pub(crate) fn of(claims: &Claims, key: &KnownTokenKey) -> Result<Self, Invalid> {
        let is_guest = claims.guest && claims.sid.is_none();
        if is_guest { Ok(Self { tenant: key.tenant, id: claims.sub }) } else { Err(Invalid::NotForUs) }
    }
}
