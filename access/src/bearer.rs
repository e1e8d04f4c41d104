//! Whom a token of a shop names: somebody who has signed in, or a guest.

use crate::{
    customer::{AUDIENCE, Customer, KnownTokenKey, issuer},
    guest::Guest,
    tokens::{self, Invalid},
};
use schemas::{Timestamp, Uuid};

/// Whoever has a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// Somebody who has signed in.
    Customer(Customer),
    /// Somebody without an account.
    Guest(Guest),
}

impl Bearer {
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
        if claims.guest {
            Guest::of(&claims, key).map(Self::Guest)
        } else {
            Customer::of(&claims, key).map(Self::Customer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        guest::GUEST_DAYS,
        tokens::{Algorithm, Claims, SigningKey, sign},
    };
    use schemas::{TimeDelta, ids::TenantId};

    const KID: Uuid = Uuid::from_u128(9);
    const GUEST: Guest = Guest { tenant: TenantId(Uuid::from_u128(1)), id: Uuid::from_u128(2) };

    fn now() -> Timestamp {
        Timestamp::from_timestamp(1_790_000_000, 0).expect("a time")
    }

    fn read(claims: &Claims, at: Timestamp) -> Result<Bearer, Invalid> {
        let key = SigningKey::generate(Algorithm::EdDsa).expect("a key");
        let token = sign(&key, KID, claims).expect("signed");
        let valid_until = now() + TimeDelta::days(120);
        Bearer::read(
            &token,
            KID,
            &KnownTokenKey { tenant: GUEST.tenant, public: key.public().clone(), valid_until },
            at,
        )
    }

    #[test]
    fn a_guests_token_names_a_guest_for_ninety_days() {
        let claims = GUEST.claims(now(), now() + TimeDelta::days(120));
        assert_eq!(read(&claims, now()), Ok(Bearer::Guest(GUEST)));
        let end = now() + TimeDelta::days(GUEST_DAYS);
        assert_eq!(read(&claims, end - TimeDelta::seconds(1)), Ok(Bearer::Guest(GUEST)));
        assert_eq!(read(&claims, end), Err(Invalid::Over));
        let short = GUEST.claims(now(), now() + TimeDelta::days(3));
        assert_eq!(read(&short, now() + TimeDelta::days(3)), Err(Invalid::Over), "it ends with its key");
    }

    #[test]
    fn no_token_is_a_guests_and_a_sessions_at_once() {
        let guest = GUEST.claims(now(), now() + TimeDelta::days(120));
        let (user, session) = (Uuid::from_u128(3), Uuid::from_u128(4));
        let customer = Customer { tenant: GUEST.tenant, user, session, is_strong: false };
        assert_eq!(read(&customer.claims(now()), now()), Ok(Bearer::Customer(customer)));
        for neither in [
            Claims { sid: Some(session), ..guest.clone() },
            Claims { guest: false, ..guest },
            Claims { guest: true, ..customer.claims(now()) },
            Claims { sid: None, ..customer.claims(now()) },
        ] {
            assert_eq!(read(&neither, now()), Err(Invalid::NotForUs));
        }
    }
}
