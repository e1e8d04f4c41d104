//! Personal data under lock and key: each person's data is sealed with a key of their own, and that key is wrapped with
//! a master key that only the process has. Whoever destroys the wrapped key destroys what it sealed, in backups too.
//!
//! ```text
//! wrapped key = <id of the master key>.base64url(nonce, ciphertext, tag)
//! sealed data = v1.base64url(nonce, ciphertext, tag)
//! ```
//!
//! Both are AES-256-GCM (NIST SP 800-38D) with a nonce of 96 bits of chance, and bound to a context, such as the id of
//! the row: a text that is moved elsewhere can't be opened there. One master key wraps at most 2^32 keys, as the
//! standard has it for nonces of chance. base64url has no padding.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use openssl::{
    error::ErrorStack,
    rand::rand_bytes,
    symm::{Cipher, decrypt_aead, encrypt_aead},
};
use sha2::Sha256;
use std::fmt;

mod master;

pub use master::{BadMasterKeys, MasterKeys, wrapped_by};

/// What sealed data begins with.
const VERSION: &str = "v1";
/// AES-256 takes this many.
const KEY_BYTES: usize = 32;
/// GCM's own length (NIST SP 800-38D, 8.2).
const NONCE_BYTES: usize = 12;
/// The longest that GCM gives.
const TAG_BYTES: usize = 16;

/// Why something can't be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// It was wrapped with a master key that this process doesn't have.
    #[error("there is no master key {id}")]
    UnknownMasterKey {
        /// What the master key is called.
        id: String,
    },
    /// It was changed, is of another context, or was sealed with another key.
    #[error("it can't be opened: it was changed, or is of another key or context")]
    Damaged,
    /// OpenSSL refused.
    #[error("OpenSSL refused")]
    Failed(#[from] ErrorStack),
}

/// The key that a person's data is sealed with.
#[derive(Clone)]
pub struct DataKey([u8; KEY_BYTES]);

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
}

impl DataKey {
    /// A key of 256 bits of chance.
    ///
    /// # Errors
    /// [`VaultError::Failed`] if there is no chance to be had.
    pub fn generate() -> Result<Self, VaultError> {
        Ok(Self(random()?))
    }

    /// Seals data for a context.
    ///
    /// # Errors
    /// [`VaultError::Failed`]
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<String, VaultError> {
        Ok(format!("{VERSION}.{}", seal(&self.0, context, plain)?))
    }

    /// Opens what was sealed with this key for this context.
    ///
    /// # Errors
    /// [`VaultError::Damaged`]
    pub fn open(&self, context: &str, sealed: &str) -> Result<Vec<u8>, VaultError> {
        let (version, sealed) = sealed.split_once('.').ok_or(VaultError::Damaged)?;
        if version == VERSION { open(&self.0, context, sealed) } else { Err(VaultError::Damaged) }
    }

    /// The HMAC-SHA256 of a text, in hexadecimal digits, by which it is found again without being kept, such as an
    /// e-mail address. Digests of one purpose can't be compared with those of another; each has a key of its own, which
    /// is the HMAC of the purpose.
    #[must_use]
    pub fn digest(&self, purpose: &str, text: &str) -> String {
        let of_purpose = mac(&self.0, &["digest of ", purpose]);
        hex::encode(mac(&of_purpose, &[text]))
    }
}

fn mac(key: &[u8; KEY_BYTES], parts: &[&str]) -> [u8; 32] {
    // A key that is shorter than a block is filled up with zeros (RFC 2104, 2).
    let mut block = [0; 64];
    block[..KEY_BYTES].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

fn random<const N: usize>() -> Result<[u8; N], ErrorStack> {
    let mut bytes = [0; N];
    rand_bytes(&mut bytes)?;
    Ok(bytes)
}

fn seal(key: &[u8; KEY_BYTES], context: &str, plain: &[u8]) -> Result<String, VaultError> {
    let nonce: [u8; NONCE_BYTES] = random()?;
    let mut tag = [0; TAG_BYTES];
    let sealed = encrypt_aead(Cipher::aes_256_gcm(), key, Some(&nonce), context.as_bytes(), plain, &mut tag)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &sealed, &tag].concat()))
}

fn open(key: &[u8; KEY_BYTES], context: &str, sealed: &str) -> Result<Vec<u8>, VaultError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(sealed).map_err(|_| VaultError::Damaged)?;
    let (nonce, rest) = bytes.split_at_checked(NONCE_BYTES).ok_or(VaultError::Damaged)?;
    let at = rest.len().checked_sub(TAG_BYTES).ok_or(VaultError::Damaged)?;
    let (sealed, tag) = rest.split_at(at);
    // OpenSSL tells a tag that is wrong from nothing else.
    decrypt_aead(Cipher::aes_256_gcm(), key, Some(nonce), context.as_bytes(), sealed, tag)
        .map_err(|_| VaultError::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> DataKey {
        DataKey([7; KEY_BYTES])
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_and_context_only() {
        let sealed = key().seal("person 1 email", b"anna@example.com").expect("sealed");
        assert!(sealed.starts_with("v1."), "{sealed}");
        assert_eq!(key().open("person 1 email", &sealed).expect("opened"), b"anna@example.com");
        let again = key().seal("person 1 email", b"anna@example.com").expect("sealed");
        assert_ne!(sealed, again, "nobody sees that two are the same");
        assert!(matches!(key().open("person 2 email", &sealed), Err(VaultError::Damaged)));
        let other = DataKey::generate().expect("a key");
        assert!(matches!(other.open("person 1 email", &sealed), Err(VaultError::Damaged)));
        for bad in ["", "v1", "v1.", "v2.AAAA", &sealed.replace("v1", "v2"), &sealed[..30]] {
            assert!(matches!(key().open("person 1 email", bad), Err(VaultError::Damaged)), "{bad}");
        }
        assert_eq!(format!("{:?}", key()), "DataKey(..)");
    }

    /// The key of all zeros and no text: case 13 of the specification of GCM.
    #[test]
    fn the_cipher_is_that_of_the_standard() {
        let known = [&[0; NONCE_BYTES][..], &hex::decode("530f8afbc74536b9a963b4f1c4cb738b").expect("hex")].concat();
        let opened = open(&[0; KEY_BYTES], "", &BASE64_URL_SAFE_NO_PAD.encode(known)).expect("opened");
        assert!(opened.is_empty());
    }

    /// Digests are kept: this one was made with Python's hmac.
    #[test]
    fn a_digest_is_the_same_for_ever_and_of_one_key_and_purpose() {
        let digest = key().digest("email", "anna@example.com");
        assert_eq!(digest, "b32f675415cdad28289908ce37e4eefcc4230eb2841e0c0b5c4603278bdd7a1e");
        assert_ne!(digest, key().digest("phone", "anna@example.com"));
        assert_ne!(digest, key().digest("email", "anna@example.org"));
        assert_ne!(key().digest("ab", "c"), key().digest("a", "bc"));
        assert_ne!(digest, DataKey([8; KEY_BYTES]).digest("email", "anna@example.com"));
    }

    proptest! {
        #[test]
        fn any_data_opens_again(context in "\\PC{0,20}", plain in prop::collection::vec(any::<u8>(), 0..200)) {
            let sealed = key().seal(&context, &plain).expect("sealed");
            prop_assert_eq!(key().open(&context, &sealed).expect("opened"), plain);
        }

        #[test]
        fn no_byte_of_what_is_sealed_can_be_changed(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.=-]?") {
            let mut changed = key().seal("context", b"anna@example.com").expect("sealed");
            let at = at.index(changed.len());
            prop_assume!(changed[at..=at] != to);
            changed.replace_range(at..=at, &to);
            prop_assert!(matches!(key().open("context", &changed), Err(VaultError::Damaged)));
        }

        #[test]
        fn any_text_is_opened_or_refused(text in "(v1[.])?[A-Za-z0-9_-]{0,60}\\PC{0,4}") {
            prop_assert!(matches!(key().open("context", &text), Err(VaultError::Damaged)));
        }
    }
}
