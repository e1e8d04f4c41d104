//! Keys of a provider, and what is signed with them (RFC 7515, RFC 7517, RFC 7518, RFC 8037).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use openssl::{
    bn::{BigNum, BigNumContext},
    ec::{EcGroup, EcKey},
    ecdsa::EcdsaSig,
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    rsa::Rsa,
    sign::Signer,
};
use serde_json::{Value, json};

/// How a provider signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA with PKCS #1 v1.5 and SHA-256.
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// A pair of keys with its id.
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) id: String,
    pair: PKey<Private>,
}

fn base64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

impl Key {
    pub(super) fn generate(algorithm: Algorithm, id: &str) -> Self {
        let pair = match algorithm {
            Algorithm::Rs256 => PKey::from_rsa(Rsa::generate(2048).expect("a key")),
            Algorithm::Es256 => {
                let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("the curve");
                PKey::from_ec_key(EcKey::generate(&curve).expect("a key"))
            }
            Algorithm::EdDsa => PKey::generate_ed25519(),
        };
        Self { algorithm, id: id.to_owned(), pair: pair.expect("a key") }
    }

    /// Another key with the same id.
    pub(super) fn impostor(&self) -> Self {
        Self::generate(self.algorithm, &self.id)
    }

    /// The public half, as it is published.
    pub(super) fn public(&self) -> Value {
        let (id, algorithm) = (&self.id, self.algorithm.as_str());
        match self.algorithm {
            Algorithm::Rs256 => {
                let rsa = self.pair.rsa().expect("an RSA key");
                let [n, e] = [rsa.n(), rsa.e()].map(|number| base64url(&number.to_vec()));
                json!({"kty": "RSA", "use": "sig", "kid": id, "alg": algorithm, "n": n, "e": e})
            }
            Algorithm::Es256 => {
                let key = self.pair.ec_key().expect("an EC key");
                let mut context = BigNumContext::new().expect("a context");
                let (mut x, mut y) = (BigNum::new().expect("a number"), BigNum::new().expect("a number"));
                key.public_key().affine_coordinates(key.group(), &mut x, &mut y, &mut context).expect("a point");
                let [x, y] = [x, y].map(|number| base64url(&number.to_vec_padded(32).expect("32 bytes")));
                json!({"kty": "EC", "use": "sig", "kid": id, "alg": algorithm, "crv": "P-256", "x": x, "y": y})
            }
            Algorithm::EdDsa => {
                let x = base64url(&self.pair.raw_public_key().expect("32 bytes"));
                json!({"kty": "OKP", "use": "sig", "kid": id, "alg": algorithm, "crv": "Ed25519", "x": x})
            }
        }
    }

    /// Claims, signed.
    pub(super) fn sign(&self, claims: &Value) -> String {
        let signed = signing_input(self.algorithm.as_str(), &self.id, claims);
        let signature = match self.algorithm {
            Algorithm::Rs256 | Algorithm::EdDsa => {
                let signer = match self.algorithm {
                    Algorithm::EdDsa => Signer::new_without_digest(&self.pair),
                    Algorithm::Rs256 | Algorithm::Es256 => Signer::new(MessageDigest::sha256(), &self.pair),
                };
                signer.expect("a signer").sign_oneshot_to_vec(signed.as_bytes()).expect("signed")
            }
            Algorithm::Es256 => {
                let digest = openssl::sha::sha256(signed.as_bytes());
                let key = self.pair.ec_key().expect("an EC key");
                let signature = EcdsaSig::sign(&digest, &key).expect("signed");
                [signature.r(), signature.s()].map(|part| part.to_vec_padded(32).expect("32 bytes")).concat()
            }
        };
        format!("{signed}.{}", base64url(&signature))
    }

    /// Claims without a signature.
    pub(super) fn unsigned(&self, claims: &Value) -> String {
        format!("{}.", signing_input("none", &self.id, claims))
    }

    /// Claims, signed with the public key as if it were a secret.
    pub(super) fn with_public_as_secret(&self, claims: &Value) -> String {
        let signed = signing_input("HS256", &self.id, claims);
        let secret = PKey::hmac(&self.pair.public_key_to_pem().expect("written")).expect("a secret");
        let mut signer = Signer::new(MessageDigest::sha256(), &secret).expect("a signer");
        let signature = signer.sign_oneshot_to_vec(signed.as_bytes()).expect("signed");
        format!("{signed}.{}", base64url(&signature))
    }
}

fn signing_input(algorithm: &str, id: &str, claims: &Value) -> String {
    let header = json!({"alg": algorithm, "typ": "JWT", "kid": id});
    format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()))
}
