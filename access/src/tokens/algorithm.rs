//! How tokens are signed.

use super::TokenError;
use std::{fmt, str::FromStr};

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// Ed25519: short, quick, and always the same signature of a text.
    #[default]
    EdDsa,
    /// RSA with PKCS #1 v1.5 and SHA-256, for readers that know nothing else.
    Rs256,
}

impl Algorithm {
    /// As the `alg` of keys and tokens names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        [Self::EdDsa, Self::Rs256].into_iter().find(|known| known.as_str() == text).ok_or(TokenError::UnknownAlgorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_is_read_as_it_is_written_and_no_other_is() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Rs256] {
            assert_eq!(algorithm.to_string().parse::<Algorithm>().ok(), Some(algorithm));
        }
        for other in ["none", "HS256", "ES256", "eddsa", ""] {
            assert!(matches!(other.parse::<Algorithm>(), Err(TokenError::UnknownAlgorithm)), "{other}");
        }
    }
}
