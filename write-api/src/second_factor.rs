//! One-time codes besides the password: TOTP (RFC 6238) with the parameters that every authenticator knows (HMAC-SHA-1, 6
//! digits, 30 seconds), and recovery codes for who has lost the device.

use totp_rs::{Builder, Totp, TotpError};

/// Bytes of a secret, as RFC 4226 (4) recommends.
pub const SECRET_BYTES: usize = 20;
/// Recovery codes that somebody gets.
pub const RECOVERY_CODES: usize = 10;
/// Characters of a recovery code: 50 bits, of which few are tried.
const RECOVERY_CHARS: usize = 10;
/// 32 letters and digits that are not taken for each other (those of Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What an authenticator is told, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The secret in base 32, to type in.
    pub secret: String,
    /// The same with all there is to know, as an address (`otpauth://totp/…`) for a QR code.
    pub uri: String,
}

/// What an authenticator is told of a secret, for this account of this shop.
///
/// # Errors
/// If it can't be told.
pub fn enrolment(secret: [u8; SECRET_BYTES], shop: &str, account: &str) -> Result<Enrolment, TotpError> {
    // A colon parts the two in the address.
    let plain = |text: &str| text.replace(|letter: char| letter == ':' || letter.is_control(), " ");
    let shop = Some(plain(shop)).filter(|shop| !shop.trim().is_empty());
    let totp = Builder::new().with_secret(secret).with_account_name(plain(account)).with_issuer(shop).build()?;
    Ok(Enrolment { secret: totp.secret().to_base32(), uri: totp.to_url()? })
}

/// The step of 30 seconds that a code is of, if it is of this one, the one before or the one after, at a time in seconds
/// since 1970. A step is taken once: who has seen a code can't use it again.
///
/// # Errors
/// If the secret is none.
pub fn step_of(secret: [u8; SECRET_BYTES], code: &str, now_s: i64) -> Result<Option<u64>, TotpError> {
    let totp: Totp = Builder::new().with_secret(secret).build()?;
    Ok(totp.check(code, now_s.unsigned_abs()))
}

/// A recovery code of chance, in two groups: `0k3tm-9sdyq`.
#[must_use]
pub fn recovery_code(chance: [u8; 32]) -> String {
    let letter = |byte: &u8| char::from(ALPHABET[usize::from(byte % 32)]);
    let mut code: String = chance.iter().take(RECOVERY_CHARS).map(letter).collect();
    code.insert(RECOVERY_CHARS / 2, '-');
    code
}

/// A recovery code as people type it: capitals, spaces and hyphens don't matter. None for a text that is none.
#[must_use]
pub fn typed_recovery_code(text: &str) -> Option<String> {
    let mut letters = String::with_capacity(RECOVERY_CHARS);
    for letter in text.chars().filter(|letter| !matches!(letter, ' ' | '-')) {
        let letter = match letter.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        };
        if !letter.is_ascii() || !ALPHABET.iter().any(|known| char::from(*known) == letter) {
            return None;
        }
        if letters.len() == RECOVERY_CHARS {
            return None;
        }
        letters.push(letter);
    }
    (letters.len() == RECOVERY_CHARS)
        .then(|| format!("{}-{}", &letters[..RECOVERY_CHARS / 2], &letters[RECOVERY_CHARS / 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: [u8; SECRET_BYTES] = *b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, the last six of eight digits.
        for (now, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            let step = u64::try_from(now / 30).expect("a step");
            assert_eq!(step_of(SECRET, code, now), Ok(Some(step)), "{now}");
            assert_eq!(step_of(SECRET, code, now + 30), Ok(Some(step)), "a clock may be a step behind");
            assert_eq!(step_of(SECRET, code, now + 90), Ok(None));
        }
        for none in ["", "28708", "2870820", "+87082", "28708x", "２８７０８２"] {
            assert_eq!(step_of(SECRET, none, 59), Ok(None), "{none}");
        }
    }

    #[test]
    fn an_authenticator_is_told_all_there_is_to_know() {
        let told = enrolment(SECRET, "Lamps: & more", "ana@example.com").expect("told");
        assert_eq!(told.secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(told.uri.starts_with("otpauth://totp/") && told.uri.contains(&told.secret), "{}", told.uri);
        assert!(told.uri.contains("issuer=") && told.uri.contains("ana%40example.com"), "{}", told.uri);
        assert!(enrolment(SECRET, "", "ana@example.com").is_ok(), "a shop without a name");
    }

    #[test]
    fn a_recovery_code_is_read_however_it_is_typed() {
        let code = recovery_code([255; 32]);
        assert_eq!(code, "zzzzz-zzzzz");
        assert_eq!(recovery_code(std::array::from_fn(|place| u8::try_from(place).expect("small"))), "01234-56789");
        for typed in ["01234-56789", "O1234 56789", "ol234-56789", "0i23456789", " 01234 - 56789 "] {
            assert_eq!(typed_recovery_code(typed).as_deref(), Some("01234-56789"), "{typed}");
        }
        for none in ["", "123456", "01234-5678", "01234-567890", "01234-5678u", "01234-5678é"] {
            assert_eq!(typed_recovery_code(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn any_code_is_taken_or_refused(text in ".{0,20}", now in 0_i64..4_000_000_000, chance: [u8; 32]) {
            prop_assert_eq!(typed_recovery_code(&text).is_some_and(|code| code.len() != 11), false);
            prop_assert!(step_of(SECRET, &text, now).is_ok());
            let code = recovery_code(chance);
            prop_assert_eq!(typed_recovery_code(&code.to_uppercase()), Some(code));
        }
    }
}
