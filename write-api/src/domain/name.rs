//! Names that staff give to what they define.

use super::Slug;

/// The name something is defined under: a slug of at most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name(Slug);

impl Name {
    /// The most characters.
    pub const MAX: usize = 64;

    /// Reads a name as it was given.
    ///
    /// # Errors
    /// A sentence that says what a name looks like.
    pub fn parse(text: &str) -> Result<Self, String> {
        match Slug::parse(text) {
            Ok(slug) if text.len() <= Self::MAX => Ok(Self(slug)),
            _ => Err(format!(
                "a name is 1 to {} lower-case ASCII letters and digits with single hyphens between",
                Self::MAX
            )),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_slugs() {
        for good in ["a", "summer-sale-2", &"x".repeat(64)] {
            assert!(Name::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "a b", "-a", "a--b", "a_b", &"x".repeat(65)] {
            assert!(Name::parse(bad).is_err(), "{bad}");
        }
    }
}
