//! Codes, as shoppers type them, and how new ones are drawn.

use crate::domain::validation::Findings;
use schemas::problem::FieldError;

/// Codes that a command adds by name, or that one event tells of.
pub(crate) const CODES_OF_AN_EVENT: usize = 5_000;
/// Codes that one command draws.
pub(crate) const MOST_DRAWN: u32 = 100_000;
/// Codes of a promotion.
pub(crate) const MOST_CODES: u64 = 1_000_000;

/// What codes are drawn from: no two of these look alike, as 0 and O, 1 and I, 2 and Z, 5 and S, or 8 and B do.
const ALPHABET: &[u8; 24] = b"3479ACDEFGHJKMNPQRTUVWXY";
/// Bytes below this many are spread evenly over the alphabet.
const EVEN: u8 = 240;
/// How many guesses lead to one code at most.
const GUESSES: u128 = 1_000_000;

/// A code in capitals: 3 to 64 of `A` to `Z`, `0` to `9`, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Code(String);

impl Code {
    pub(crate) const LEAST: usize = 3;
    pub(crate) const MOST: usize = 64;

    /// Reads a code as it was typed.
    ///
    /// # Errors
    /// A sentence that says what a code looks like.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let code = text.to_ascii_uppercase();
        if (Self::LEAST..=Self::MOST).contains(&code.len()) && code.bytes().all(is_of_codes) {
            return Ok(Self(code));
        }
        Err(format!("a code is {} to {} of A to Z, 0 to 9, - and _", Self::LEAST, Self::MOST))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

const fn is_of_codes(letter: u8) -> bool {
    matches!(letter, b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_')
}

/// How codes are drawn: so many, after this beginning, with so many characters by chance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recipe {
    pub(crate) count: u32,
    prefix: String,
    length: usize,
}

impl Recipe {
    /// Characters by chance, if nothing is said of them.
    pub(crate) const USUAL_LENGTH: u32 = 10;
    const LENGTHS: std::ops::RangeInclusive<u32> = 6..=32;
    const MOST_PREFIX: usize = 24;

    /// Reads what somebody asks for.
    ///
    /// # Errors
    /// What is wrong, by JSON pointer.
    pub(crate) fn parse(count: u32, prefix: &str, length: u32) -> Result<Self, Vec<FieldError>> {
        let (mut findings, prefix) = (Findings::default(), prefix.to_ascii_uppercase());
        if !(1..=MOST_DRAWN).contains(&count) {
            findings.add("/count", format!("1 to {MOST_DRAWN} codes are drawn at once"));
        }
        if prefix.len() > Self::MOST_PREFIX || !prefix.bytes().all(is_of_codes) {
            findings.add("/prefix", format!("at most {} of A to Z, 0 to 9, - and _", Self::MOST_PREFIX));
        }
        if !Self::LENGTHS.contains(&length) {
            findings.add("/length", format!("{} to {} characters", Self::LENGTHS.start(), Self::LENGTHS.end()));
        } else if possible(length) < u128::from(count) * GUESSES {
            findings.add("/length", "so many codes of this length could be guessed; ask for longer ones");
        }
        findings.done()?;
        Ok(Self { count, prefix, length: usize::try_from(length).unwrap_or(usize::MAX) })
    }

    /// A code by chance: `chance` gives bytes that nobody can guess.
    pub(crate) fn draw(&self, mut chance: impl FnMut() -> [u8; 32]) -> Code {
        let mut code = self.prefix.clone();
        let whole = self.prefix.len() + self.length;
        while code.len() < whole {
            let even = chance().into_iter().filter(|byte| *byte < EVEN);
            let letters = even.filter_map(|byte| ALPHABET.get(usize::from(byte) % ALPHABET.len()));
            code.extend(letters.take(whole - code.len()).map(|letter| char::from(*letter)));
        }
        Code(code)
    }
}

/// How many codes of so many characters there are.
fn possible(length: u32) -> u128 {
    24_u128.saturating_pow(length)
}
