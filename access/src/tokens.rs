//! Access tokens of shoppers: JSON Web Tokens (RFC 7519) of the profile `at+jwt` (RFC 9068), signed with Ed25519
//! (RFC 8037) or RSA (RFC 7518, 3.3). A token says who it is for; which key it may be signed with, and how, the key says.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use schemas::Uuid;
use serde::{Deserialize, Serialize};

mod algorithm;
mod keys;

pub use algorithm::Algorithm;
pub use keys::{PublicKey, SigningKey, TokenError};

/// What the header of a token says that it is (RFC 9068, 2.1).
const TYPE: &str = "at+jwt";
/// The longest token, in bytes.
const MOST_BYTES: usize = 2_048;
/// Seconds that the clock of whoever signed may be ahead.
const LEEWAY_S: i64 = 30;

/// What a token says. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who signed it.
    pub iss: String,
    /// Who it is for.
    pub aud: String,
    /// The shopper's account; of a guest's token, the guest.
    pub sub: Uuid,
    /// The session in which the shopper is signed in; a guest is in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Uuid>,
    /// Whether it is a guest's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guest: bool,
    /// When it was signed.
    pub iat: i64,
    /// From when on it is none any more.
    pub exp: i64,
    /// How somebody has signed in (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<Method>,
}

/// A way of signing in, as RFC 8176 names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// By a password.
    Pwd,
    /// By a one-time code.
    Otp,
    /// In another way, which a newer release knows.
    #[serde(other)]
    Other,
}

/// Why a text is no token of ours, or none any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It is not written like one.
    #[error("it is not written like an access token")]
    Malformed,
    /// It was not signed with this key, or names another one.
    #[error("the signature is wrong")]
    Forged,
    /// It says to be signed otherwise than the key signs.
    #[error("its algorithm is not that of the key")]
    WrongAlgorithm,
    /// Another has issued it, or it is for something else.
    #[error("it is not for this place")]
    NotForUs,
    /// It has expired.
    #[error("it has expired")]
    Over,
    /// It was issued in the future.
    #[error("it is not valid yet")]
    Early,
}

/// What the header of a token says. Anything more, such as `crit` or `jwk`, is refused.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: Uuid,
}

/// Reads the header of a text that is written like a token.
fn header(token: &str) -> Option<Header> {
    let (header, rest) = token.split_once('.').filter(|_| token.len() <= MOST_BYTES)?;
    let (payload, signature) = rest.split_once('.')?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let parts_are_plain = [payload, signature].iter().all(|part| part.bytes().all(is_plain));
    let json = BASE64_URL_SAFE_NO_PAD.decode(header).ok().filter(|_| parts_are_plain)?;
    serde_json::from_slice(&json).ok()
}

/// Signs a token with a key that has this id.
///
/// # Errors
/// [`TokenError`]
pub fn sign(key: &SigningKey, kid: Uuid, claims: &Claims) -> Result<String, TokenError> {
    let token = attest(TYPE, key, kid, claims)?;
    if token.len() > MOST_BYTES { Err(TokenError::TooLong(token.len())) } else { Ok(token) }
}

/// Signs something else than a token, such as a receipt: a JSON Web Signature in its compact form (RFC 7515, 7.1). Its type
/// keeps it from being taken for a token.
///
/// # Errors
/// [`TokenError`]
pub fn attest<T: Serialize>(what: &str, key: &SigningKey, kid: Uuid, said: &T) -> Result<String, TokenError> {
    let header = Header { alg: key.public().algorithm().to_string(), typ: what.to_owned(), kid };
    let [header, said] =
        [serde_json::to_vec(&header)?, serde_json::to_vec(said)?].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
    let signed = format!("{header}.{said}");
    let signature = BASE64_URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())?);
    Ok(format!("{signed}.{signature}"))
}

/// The id of the key that a text says to be signed with, if it is written like a token: for finding the key. It is what
/// anybody may have written.
#[must_use]
pub fn unverified_kid(token: &str) -> Option<Uuid> {
    header(token).map(|header| header.kid)
}

/// Reads a token that has to be signed with this key, by this issuer, for this audience, and to be valid at this time in
/// seconds since 1970.
///
/// # Errors
/// [`Invalid`]
pub fn verify(token: &str, key: &PublicKey, kid: Uuid, iss: &str, aud: &str, now_s: i64) -> Result<Claims, Invalid> {
    let header = header(token).ok_or(Invalid::Malformed)?;
    if header.alg != key.algorithm().as_str() {
        return Err(Invalid::WrongAlgorithm);
    }
    if header.kid != kid {
        return Err(Invalid::Forged);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Invalid::Malformed)?;
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).map_err(|_| Invalid::Malformed)?;
    if !key.verifies(signed.as_bytes(), &signature) {
        return Err(Invalid::Forged);
    }
    let (_, payload) = signed.split_once('.').ok_or(Invalid::Malformed)?;
    let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).map_err(|_| Invalid::Malformed)?;
    let claims: Claims = serde_json::from_slice(&payload).map_err(|_| Invalid::Malformed)?;
    if header.typ != TYPE || claims.iss != iss || claims.aud != aud {
        return Err(Invalid::NotForUs);
    }
    if claims.iat > now_s.saturating_add(LEEWAY_S) {
        return Err(Invalid::Early);
    }
    if claims.exp <= now_s { Err(Invalid::Over) } else { Ok(claims) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::{hash::MessageDigest, pkey::PKey, sign::Signer};
    use proptest::prelude::*;
    use std::sync::LazyLock;

    const KID: Uuid = Uuid::from_u128(0x0199_a3b4_5c6d_7e8f_9a0b_1c2d_3e4f_5a6b);
    const NOW: i64 = 1_790_000_000;

    static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::EdDsa).expect("a key"));

    fn claims() -> Claims {
        let [sub, sid] = [1, 2].map(Uuid::from_u128);
        Claims {
            iss: "https://shop.example".to_owned(),
            aud: "shop".to_owned(),
            sub,
            sid: Some(sid),
            guest: false,
            iat: NOW,
            exp: NOW + 600,
            amr: vec![],
        }
    }

    fn read(token: &str, key: &SigningKey, now_s: i64) -> Result<Claims, Invalid> {
        verify(token, key.public(), KID, "https://shop.example", "shop", now_s)
    }

    fn token(claims: &Claims) -> String {
        sign(&KEY, KID, claims).expect("signed")
    }

    /// A token with this header, that the key signs without looking at it.
    fn with_header(header: &str) -> String {
        let payload = serde_json::to_vec(&claims()).expect("JSON");
        let signed = [header.as_bytes(), &payload].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).join(".");
        let signature = KEY.sign(signed.as_bytes()).expect("signed");
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn a_token_is_read_with_the_key_that_signed_it() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Rs256] {
            let key = SigningKey::generate(algorithm).expect("a key");
            let token = sign(&key, KID, &claims()).expect("signed");
            assert_eq!(unverified_kid(&token), Some(KID));
            assert_eq!(read(&token, &key, NOW), Ok(claims()));
            let other = SigningKey::generate(algorithm).expect("a key");
            assert_eq!(read(&token, &other, NOW), Err(Invalid::Forged));
        }
        let header = BASE64_URL_SAFE_NO_PAD.decode(token(&claims()).split_once('.').expect("parts").0).expect("base64");
        let header: serde_json::Value = serde_json::from_slice(&header).expect("JSON");
        assert_eq!(header, serde_json::json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": KID.to_string() }));
    }

    #[test]
    fn a_token_cannot_choose_how_it_is_verified() {
        let unsigned = with_header(&format!(r#"{{"alg":"none","typ":"at+jwt","kid":"{KID}"}}"#));
        let unsigned = unsigned.rsplit_once('.').expect("parts").0.to_owned() + ".";
        assert_eq!(read(&unsigned, &KEY, NOW), Err(Invalid::WrongAlgorithm));
        let hmac = with_header(&format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{KID}"}}"#));
        let signed = hmac.rsplit_once('.').expect("parts").0;
        let secret = PKey::hmac(KEY.public().to_json(KID).expect("written").as_bytes()).expect("a secret");
        let mut signer = Signer::new(MessageDigest::sha256(), &secret).expect("a signer");
        let mac = signer.sign_oneshot_to_vec(signed.as_bytes()).expect("signed");
        let hmac = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac));
        assert_eq!(read(&hmac, &KEY, NOW), Err(Invalid::WrongAlgorithm));
        let rsa = SigningKey::generate(Algorithm::Rs256).expect("a key");
        assert_eq!(read(&token(&claims()), &rsa, NOW), Err(Invalid::WrongAlgorithm));
        for more in [r#""crit":["b64"],"b64":false"#, r#""jku":"https://evil.example""#, r#""alg":"none""#] {
            let header = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{KID}",{more}}}"#);
            assert_eq!(read(&with_header(&header), &KEY, NOW), Err(Invalid::Malformed), "{more}");
        }
    }

    #[test]
    fn a_token_is_for_one_issuer_audience_key_and_use() {
        let for_others = |iss: &str, aud: &str| verify(&token(&claims()), KEY.public(), KID, iss, aud, NOW);
        assert_eq!(for_others("https://other.example", "shop"), Err(Invalid::NotForUs));
        assert_eq!(for_others("https://shop.example", "other"), Err(Invalid::NotForUs));
        let of_another = sign(&KEY, Uuid::nil(), &claims()).expect("signed");
        assert_eq!(read(&of_another, &KEY, NOW), Err(Invalid::Forged));
        let of_another_use = with_header(&format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{KID}"}}"#));
        assert_eq!(read(&of_another_use, &KEY, NOW), Err(Invalid::NotForUs));
        let long = Claims { iss: "x".repeat(MOST_BYTES), ..claims() };
        assert!(matches!(sign(&KEY, KID, &long), Err(TokenError::TooLong(_))));
        assert_eq!(unverified_kid(&(token(&claims()) + &"A".repeat(MOST_BYTES))), None);
    }

    #[test]
    fn a_token_is_valid_from_when_it_is_signed_until_it_expires() {
        let token = token(&claims());
        assert_eq!(read(&token, &KEY, NOW + 599), Ok(claims()));
        assert_eq!(read(&token, &KEY, NOW + 600), Err(Invalid::Over));
        assert_eq!(read(&token, &KEY, NOW - LEEWAY_S), Ok(claims()));
        assert_eq!(read(&token, &KEY, NOW - LEEWAY_S - 1), Err(Invalid::Early));
        assert_eq!(read(&token, &KEY, i64::MAX), Err(Invalid::Over));
        assert_eq!(read(&token, &KEY, i64::MIN), Err(Invalid::Early));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(eyJ[A-Za-z0-9_-]{0,40}[.]){0,2}\\PC{0,80}") {
            let _ = unverified_kid(&text);
            prop_assert!(read(&text, &KEY, NOW).is_err());
        }

        #[test]
        fn no_byte_of_a_token_can_be_changed(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.=-]?") {
            let mut changed = token(&claims());
            let at = at.index(changed.len());
            prop_assume!(changed[at..=at] != to);
            changed.replace_range(at..=at, &to);
            prop_assert!(read(&changed, &KEY, NOW).is_err());
        }
    }
}
