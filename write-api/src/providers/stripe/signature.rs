//! The header `Stripe-Signature`: when a webhook was signed, and with what (HMAC-SHA256 over the time, a dot and the body).

use crate::providers::WebhookRefused;
use hmac::{Hmac, KeyInit, Mac};
use schemas::{TimeDelta, Timestamp};
use sha2::Sha256;

/// How far the time of a signature may be from now.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// The longest header that is read, in bytes.
const LONGEST: usize = 4_096;
/// Signatures of which one has to be right.
const MOST: usize = 16;

/// A header that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Seconds since 1970.
    time: i64,
    /// Of the scheme `v1`; others are passed over.
    digests: Vec<Vec<u8>>,
}

impl Signature {
    /// Reads a header: `t=1700000000,v1=5257a8…,v1=…`, in any order.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        if header.len() > LONGEST {
            return None;
        }
        let (mut time, mut digests) = (None, Vec::new());
        for part in header.split(',') {
            match part.trim().split_once('=')? {
                ("t", text) if time.is_none() => time = Some(text.parse().ok()?),
                ("t", _) => return None,
                ("v1", text) if digests.len() < MOST => digests.push(hex::decode(text).ok()?),
                ("v1", _) => return None,
                _ => {}
            }
        }
        let time = time.filter(|_| !digests.is_empty())?;
        Some(Self { time, digests })
    }

    /// Whether one of the secrets has signed the body, some minutes ago at most.
    ///
    /// # Errors
    /// [`WebhookRefused::Stale`], [`WebhookRefused::Forged`]
    pub fn verify(&self, secrets: &[String], body: &[u8], now: Timestamp) -> Result<(), WebhookRefused> {
        let signed_at = Timestamp::from_timestamp(self.time, 0).ok_or(WebhookRefused::Stale)?;
        if now.signed_duration_since(signed_at).abs() > TOLERANCE {
            return Err(WebhookRefused::Stale);
        }
        let is_right = secrets.iter().any(|secret| {
            // Compared in constant time.
            self.digests
                .iter()
                .any(|digest| mac(secret, self.time, body).is_some_and(|mac| mac.verify_slice(digest).is_ok()))
        });
        if is_right { Ok(()) } else { Err(WebhookRefused::Forged) }
    }
}

fn mac(secret: &str, time: i64, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(time.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac)
}

/// The header of a body, as Stripe makes it.
#[must_use]
pub fn sign(secret: &str, body: &[u8], at: Timestamp) -> String {
    let time = at.timestamp();
    let digest = mac(secret, time, body).map(|mac| hex::encode(mac.finalize().into_bytes())).unwrap_or_default();
    format!("t={time},v1={digest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;

    fn now() -> Timestamp {
        "2026-12-01T10:00:00Z".parse().expect("a time")
    }

    fn verified(header: &str, secrets: &[&str], body: &[u8], now: Timestamp) -> Result<(), WebhookRefused> {
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        Signature::parse(header).ok_or(WebhookRefused::Unreadable)?.verify(&secrets, body, now)
    }

    #[test]
    fn a_webhook_is_believed_by_either_secret_within_some_minutes() {
        let header = sign("whsec_new", BODY, now());
        assert_eq!(verified(&header, &["whsec_old", "whsec_new"], BODY, now()), Ok(()));
        assert_eq!(verified(&header, &["whsec_old"], BODY, now()), Err(WebhookRefused::Forged));
        assert_eq!(verified(&header, &["whsec_new"], b"{}", now()), Err(WebhookRefused::Forged));
        assert_eq!(verified(&header, &[], BODY, now()), Err(WebhookRefused::Forged));
        for (minutes, expected) in [(5, Ok(())), (-5, Ok(())), (6, Err(WebhookRefused::Stale))] {
            assert_eq!(verified(&header, &["whsec_new"], BODY, now() + TimeDelta::minutes(minutes)), expected);
        }
    }

    #[test]
    fn a_header_is_read_whatever_else_stands_in_it() {
        let header = sign("s", BODY, now());
        assert_eq!(verified(&format!("v0=00, {header},v1=00"), &["s"], BODY, now()), Ok(()));
        for wrong in
            ["", "t=1", "v1=00", "t=1,t=2,v1=00", "t=x,v1=00", "t=1,v1=xy", "t", "t=99999999999999999999,v1=00"]
        {
            assert_eq!(Signature::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Signature::parse(&format!("t=1{}", ",v1=00".repeat(17))), None);
        assert_eq!(verified(&format!("t={},v1=00", i64::MAX), &["s"], BODY, now()), Err(WebhookRefused::Stale));
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(header in ".{0,200}|(t=[0-9]{1,20}|v1=[0-9a-f]{0,64}|,| ){0,12}", body in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(signature) = Signature::parse(&header) {
                prop_assert!(signature.verify(&["whsec".to_owned()], &body, now()).is_err());
            }
        }
    }
}
