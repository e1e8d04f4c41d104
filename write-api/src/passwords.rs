//! Passwords of people: Argon2id (RFC 9106), written as the `PHC` string that other systems read and write, too. Hashing
//! takes tens of milliseconds and megabytes of memory by design: never on a thread that answers requests.

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use icu_normalizer::ComposingNormalizerBorrowed;
use openssl::{error::ErrorStack, kdf::argon2id, memcmp, rand::rand_bytes};
use std::ops::RangeInclusive;

mod policy;

pub use policy::{Weak, check};

/// What every hash of ours begins with: the function, and its version 1.3.
const PREFIX: &str = "$argon2id$v=19$";
/// Bytes of a salt that is made.
const SALT_BYTES: usize = 16;
/// Bytes of a hash that is made.
const HASH_BYTES: usize = 32;
/// What a hash that is read may cost, so that none that was smuggled in stops the process.
const MEMORY_KIB: RangeInclusive<u32> = 8..=262_144;
const PASSES: RangeInclusive<u32> = 1..=16;
const LANES: RangeInclusive<u32> = 1..=16;
/// Bytes of salts and hashes that are read.
const SALT_READ: RangeInclusive<usize> = 8..=64;
const HASH_READ: RangeInclusive<usize> = 16..=64;

/// What a hash costs. The default is OWASP's least for Argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    /// Memory in KiB; at least eight for each lane.
    pub memory_kib: u32,
    /// How often the memory is gone over.
    pub passes: u32,
    /// Parts of the memory that could be filled at the same time. Here they are filled one after the other.
    pub lanes: u32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

impl Parameters {
    fn are_sane(self) -> bool {
        MEMORY_KIB.contains(&self.memory_kib)
            && PASSES.contains(&self.passes)
            && LANES.contains(&self.lanes)
            && self.memory_kib >= self.lanes.saturating_mul(8)
    }
}

/// Why a password can't be hashed or compared.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// What is kept is no hash of ours.
    #[error("it is no Argon2id hash that can be read")]
    Unreadable,
    /// It would cost more than is allowed, or less than is possible.
    #[error("the memory, passes or lanes of Argon2id are out of bounds")]
    OutOfBounds,
    /// OpenSSL refused.
    #[error("OpenSSL refused")]
    Failed(#[from] ErrorStack),
}

/// A hash as it is read.
struct Known {
    parameters: Parameters,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

/// Hashes a password with a new salt. Blocks.
///
/// # Errors
/// [`PasswordError::OutOfBounds`], [`PasswordError::Failed`]
pub fn hash(password: &str, parameters: &Parameters) -> Result<String, PasswordError> {
    let mut salt = [0; SALT_BYTES];
    rand_bytes(&mut salt)?;
    let hash = derive(password, &salt, *parameters, HASH_BYTES)?;
    let Parameters { memory_kib, passes, lanes } = parameters;
    let [salt, hash] = [&salt[..], &hash].map(|bytes| BASE64_STANDARD_NO_PAD.encode(bytes));
    Ok(format!("{PREFIX}m={memory_kib},t={passes},p={lanes}${salt}${hash}"))
}

/// Whether it is the password of which this is the hash. Blocks for as long as the hash's own parameters take.
///
/// # Errors
/// [`PasswordError`]
pub fn verify(password: &str, phc: &str) -> Result<bool, PasswordError> {
    let known = read(phc)?;
    let hash = derive(password, &known.salt, known.parameters, known.hash.len())?;
    // Takes the same time whatever differs.
    Ok(memcmp::eq(&hash, &known.hash))
}

/// Whether a password that was verified against this hash should be hashed anew, since other parameters hold by now.
#[must_use]
pub fn needs_rehash(phc: &str, parameters: &Parameters) -> bool {
    read(phc).map_or(true, |known| {
        known.parameters != *parameters || known.salt.len() < SALT_BYTES || known.hash.len() < HASH_BYTES
    })
}

/// A hash of a password that nobody has. What is sent for an unknown user is verified against it, so that the time
/// doesn't tell who is known. It is made once. Blocks.
///
/// # Errors
/// Those of [`hash`].
pub fn decoy(parameters: &Parameters) -> Result<String, PasswordError> {
    let mut password = [0; 32];
    rand_bytes(&mut password)?;
    hash(&BASE64_STANDARD_NO_PAD.encode(password), parameters)
}

/// Passwords are hashed in the composed form (NFC; RFC 8265, 4.2), since keyboards write one letter in several ways.
fn derive(password: &str, salt: &[u8], parameters: Parameters, bytes: usize) -> Result<Vec<u8>, PasswordError> {
    if !parameters.are_sane() {
        return Err(PasswordError::OutOfBounds);
    }
    let password = ComposingNormalizerBorrowed::new_nfc().normalize(password);
    let Parameters { memory_kib, passes, lanes } = parameters;
    let mut hash = vec![0; bytes];
    argon2id(None, password.as_bytes(), salt, None, None, passes, lanes, memory_kib, &mut hash)?;
    Ok(hash)
}

fn read(phc: &str) -> Result<Known, PasswordError> {
    let rest = phc.strip_prefix(PREFIX).ok_or(PasswordError::Unreadable)?;
    let mut parts = rest.split('$');
    let (Some(costs), Some(salt), Some(hash), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(PasswordError::Unreadable);
    };
    let parameters = costs_of(costs).ok_or(PasswordError::Unreadable)?;
    if !parameters.are_sane() {
        return Err(PasswordError::OutOfBounds);
    }
    let bytes = |text: &str, lengths: &RangeInclusive<usize>| {
        let bytes = BASE64_STANDARD_NO_PAD.decode(text).ok().filter(|bytes| lengths.contains(&bytes.len()));
        bytes.ok_or(PasswordError::Unreadable)
    };
    Ok(Known { parameters, salt: bytes(salt, &SALT_READ)?, hash: bytes(hash, &HASH_READ)? })
}

/// Reads `m=19456,t=2,p=1`.
fn costs_of(text: &str) -> Option<Parameters> {
    let mut costs = text.split(',');
    let mut next = |name| {
        let digits: &str = costs.next()?.strip_prefix(name)?;
        digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let parameters = Parameters { memory_kib: next("m=")?, passes: next("t=")?, lanes: next("p=")? };
    costs.next().is_none().then_some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Quick enough for tests.
    const CHEAP: Parameters = Parameters { memory_kib: 64, passes: 1, lanes: 1 };

    #[test]
    fn a_password_is_known_again_and_no_other() {
        let phc = hash("correct horse", &CHEAP).expect("hashed");
        assert!(phc.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{phc}");
        assert!(verify("correct horse", &phc).expect("verified"));
        for other in ["", "correct horsf", "correct horse ", "Correct horse"] {
            assert!(!verify(other, &phc).expect("verified"), "{other}");
        }
        assert_ne!(phc, hash("correct horse", &CHEAP).expect("hashed"), "each has a salt of its own");
    }

    /// Made with the reference implementation (argon2-cffi), with the default parameters and with others.
    #[test]
    fn hashes_of_other_systems_are_read() {
        for known in [
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$K13EBUiG7JV+9ZxztmHFTdb7J0WQsnj2V8bZaqyPptE",
            "$argon2id$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$F1jG2CV3/Nr+yRuIsPKw0J9r4s7cJHBU",
        ] {
            assert!(verify("password", known).expect("verified"), "{known}");
            assert!(!verify("Password", known).expect("verified"), "{known}");
        }
    }

    #[test]
    fn a_letter_is_the_same_however_it_is_typed() {
        let composed = hash("caf\u{e9} au lait", &CHEAP).expect("hashed");
        assert!(verify("cafe\u{301} au lait", &composed).expect("verified"));
    }

    #[test]
    fn a_hash_of_other_parameters_is_made_anew() {
        let phc = hash("any", &CHEAP).expect("hashed");
        assert!(!needs_rehash(&phc, &CHEAP));
        assert!(needs_rehash(&phc, &Parameters { passes: 2, ..CHEAP }));
        assert!(needs_rehash("$2b$12$abc", &CHEAP));
        let short = "$argon2id$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$F1jG2CV3/Nr+yRuIsPKw0J9r4s7cJHBU";
        assert!(needs_rehash(short, &Parameters { memory_kib: 65_536, passes: 2, lanes: 4 }));
    }

    #[test]
    fn a_decoy_costs_the_same_and_is_nobodys() {
        let decoy = decoy(&CHEAP).expect("made");
        assert!(!needs_rehash(&decoy, &CHEAP));
        assert!(!verify("", &decoy).expect("verified"));
    }

    #[test]
    fn what_would_cost_too_much_is_refused() {
        let tail = "$c29tZXNhbHQ$F1jG2CV3/Nr+yRuIsPKw0J9r4s7cJHBU";
        for costs in
            ["m=262145,t=1,p=1", "m=64,t=17,p=1", "m=64,t=1,p=17", "m=7,t=1,p=1", "m=64,t=0,p=1", "m=15,t=1,p=2"]
        {
            let refused = verify("any", &format!("{PREFIX}{costs}{tail}"));
            assert!(matches!(refused, Err(PasswordError::OutOfBounds)), "{costs}");
        }
        for bad in ["m=64,t=1", "m=64,t=1,p=1,x=1", "m=+64,t=1,p=1", "t=1,m=64,p=1", "m=99999999999,t=1,p=1", ""] {
            let refused = verify("any", &format!("{PREFIX}{bad}{tail}"));
            assert!(matches!(refused, Err(PasswordError::Unreadable)), "{bad}");
        }
        assert!(matches!(hash("any", &Parameters { lanes: 0, ..CHEAP }), Err(PasswordError::OutOfBounds)));
    }

    proptest! {
        #[test]
        fn any_text_is_a_hash_or_refused(text in "([$]argon2id[$]v=19[$])?(m=64,t=1,p=1[$])?\\PC{0,40}") {
            prop_assert!(!verify("any", &text).unwrap_or_default());
        }
    }
}
