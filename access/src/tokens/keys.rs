//! Keys of access tokens. Public ones are JSON Web Keys (RFC 7517; RFC 8037 for Ed25519).

use super::{Algorithm, MOST_BYTES};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use openssl::{
    bn::BigNum,
    error::ErrorStack,
    hash::MessageDigest,
    pkey::{Id, PKey, Private, Public},
    rsa::Rsa,
    sign::{Signer, Verifier},
};
use schemas::Uuid;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Bits of an RSA key that is made.
const RSA_BITS: u32 = 3_072;
/// Bits of an RSA key that is believed at least.
const LEAST_RSA_BITS: i32 = 2_048;

/// Why there is no key or no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// No algorithm of ours is called so.
    #[error("the algorithm is neither EdDSA nor RS256")]
    UnknownAlgorithm,
    /// What was read is no key. Nothing of it is told, since it may be a private one.
    #[error("it is no Ed25519 key and no RSA key of at least {LEAST_RSA_BITS} bits")]
    NotAKey,
    /// Issuer and audience are too long.
    #[error("a token has at most {MOST_BYTES} bytes, this one has {0}")]
    TooLong(usize),
    /// A key couldn't be made, or couldn't sign.
    #[error("OpenSSL refused")]
    Crypto(#[from] ErrorStack),
    /// The claims can't be written.
    #[error("the claims can't be written")]
    Unwritable(#[from] serde_json::Error),
}

/// A private key as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    alg: String,
    /// PKCS #8 (RFC 5208) in base64.
    pkcs8: String,
}

/// A key that signs tokens.
pub struct SigningKey {
    algorithm: Algorithm,
    key: PKey<Private>,
    public: PublicKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Makes a key: of 256 bits for Ed25519, of 3,072 for RSA, which takes up to seconds.
    ///
    /// # Errors
    /// [`TokenError::Crypto`]
    pub fn generate(algorithm: Algorithm) -> Result<Self, TokenError> {
        let key = match algorithm {
            Algorithm::EdDsa => PKey::generate_ed25519()?,
            Algorithm::Rs256 => PKey::from_rsa(Rsa::generate(RSA_BITS)?)?,
        };
        Self::of(algorithm, key)
    }

    /// Reads a key from what [`Self::to_json`] wrote.
    ///
    /// # Errors
    /// [`TokenError::NotAKey`], and [`TokenError::UnknownAlgorithm`] of a key that names none or another.
    pub fn from_json(text: &str) -> Result<Self, TokenError> {
        let kept: Kept = serde_json::from_str(text).map_err(|_| TokenError::NotAKey)?;
        let algorithm = kept.alg.parse()?;
        let der = BASE64_STANDARD.decode(kept.pkcs8).map_err(|_| TokenError::NotAKey)?;
        let key = PKey::private_key_from_pkcs8(&der).map_err(|_| TokenError::NotAKey)?;
        Self::of(algorithm, key)
    }

    fn of(algorithm: Algorithm, key: PKey<Private>) -> Result<Self, TokenError> {
        let public = match algorithm {
            Algorithm::EdDsa if key.id() == Id::ED25519 => {
                PKey::public_key_from_raw_bytes(&key.raw_public_key()?, Id::ED25519)?
            }
            Algorithm::Rs256 if key.id() == Id::RSA => {
                let rsa = key.rsa()?;
                PKey::from_rsa(Rsa::from_public_components(rsa.n().to_owned()?, rsa.e().to_owned()?)?)?
            }
            Algorithm::EdDsa | Algorithm::Rs256 => return Err(TokenError::NotAKey),
        };
        Ok(Self { algorithm, key, public: PublicKey::of(algorithm, public)? })
    }

    /// The private key as JSON text. Whoever reads it can sign: it is kept sealed.
    ///
    /// # Errors
    /// [`TokenError::Crypto`]
    pub fn to_json(&self) -> Result<String, TokenError> {
        let pkcs8 = BASE64_STANDARD.encode(self.key.private_key_to_pkcs8()?);
        Ok(serde_json::to_string(&Kept { alg: self.algorithm.to_string(), pkcs8 })?)
    }

    /// What its signatures are verified with.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The signature of some bytes.
    pub(super) fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let mut signer = match self.algorithm {
            Algorithm::EdDsa => Signer::new_without_digest(&self.key)?,
            Algorithm::Rs256 => Signer::new(MessageDigest::sha256(), &self.key)?,
        };
        signer.sign_oneshot_to_vec(bytes)
    }
}

/// A public key as others read it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    alg: String,
    #[serde(default, rename = "use")]
    usage: String,
    #[serde(default)]
    kid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<String>,
}

/// A key that signatures are verified with. It has one algorithm; a token can't choose another.
#[derive(Debug, Clone)]
pub struct PublicKey {
    algorithm: Algorithm,
    jwk: Jwk,
    key: PKey<Public>,
}

impl PublicKey {
    /// Reads a key from the JSON text of a JWK, which has to name its algorithm. Its id, and what would be private, is
    /// left out.
    ///
    /// # Errors
    /// [`TokenError::NotAKey`], and [`TokenError::UnknownAlgorithm`] of a key that names none or another.
    pub fn from_json(text: &str) -> Result<Self, TokenError> {
        let jwk: Jwk = serde_json::from_str(text).map_err(|_| TokenError::NotAKey)?;
        let algorithm = jwk.alg.parse()?;
        Self::of(algorithm, read(algorithm, &jwk).ok_or(TokenError::NotAKey)?)
    }

    fn of(algorithm: Algorithm, key: PKey<Public>) -> Result<Self, TokenError> {
        let text = |bytes: &[u8]| Some(BASE64_URL_SAFE_NO_PAD.encode(bytes));
        let (kty, crv, x, n, e) = match algorithm {
            Algorithm::EdDsa => ("OKP", Some("Ed25519".to_owned()), text(&key.raw_public_key()?), None, None),
            Algorithm::Rs256 => {
                let rsa = key.rsa()?;
                if rsa.n().num_bits() < LEAST_RSA_BITS {
                    return Err(TokenError::NotAKey);
                }
                ("RSA", None, None, text(&rsa.n().to_vec()), text(&rsa.e().to_vec()))
            }
        };
        let (kty, alg, usage) = (kty.to_owned(), algorithm.to_string(), "sig".to_owned());
        let jwk = Jwk { kty, alg, usage, kid: String::new(), crv, x, n, e };
        Ok(Self { algorithm, jwk, key })
    }

    /// How it verifies.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key as the JSON text of a JWK with this id, such as one of a set (RFC 7517, 5) holds.
    ///
    /// # Errors
    /// [`TokenError::Unwritable`]
    pub fn to_json(&self, kid: Uuid) -> Result<String, TokenError> {
        Ok(serde_json::to_string(&Jwk { kid: kid.to_string(), ..self.jwk.clone() })?)
    }

    /// Whether some bytes have this signature. What can't be one is none.
    pub(super) fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let verifier = match self.algorithm {
            Algorithm::EdDsa => Verifier::new_without_digest(&self.key),
            Algorithm::Rs256 => Verifier::new(MessageDigest::sha256(), &self.key),
        };
        verifier.and_then(|mut verifier| verifier.verify_oneshot(signature, bytes)).unwrap_or(false)
    }
}

/// The key that a JWK describes.
fn read(algorithm: Algorithm, jwk: &Jwk) -> Option<PKey<Public>> {
    let bytes = |text: &Option<String>| BASE64_URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
    match (algorithm, jwk.kty.as_str(), jwk.crv.as_deref()) {
        (Algorithm::EdDsa, "OKP", Some("Ed25519")) => {
            PKey::public_key_from_raw_bytes(&bytes(&jwk.x)?, Id::ED25519).ok()
        }
        (Algorithm::Rs256, "RSA", _) => {
            let number = |text| BigNum::from_slice(&bytes(text)?).ok();
            PKey::from_rsa(Rsa::from_public_components(number(&jwk.n)?, number(&jwk.e)?).ok()?).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
