//! Where goods are kept.

/// A place goods are kept, such as `main`: 1 to 64 ASCII letters, digits, `-`, `_` and `.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location(String);

impl Location {
    /// Reads a location as it was given.
    ///
    /// # Errors
    /// A sentence that says what a location looks like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let allowed = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if text.is_empty() || text.len() > 64 || !allowed {
            return Err("a location is 1 to 64 ASCII letters, digits, `-`, `_` and `.`".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
