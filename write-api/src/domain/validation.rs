//! Texts people or other systems give: bounded, and free of what no text should hold.

use schemas::problem::FieldError;

/// Nobody reads more, and an answer must stay bounded.
const MAX_FINDINGS: usize = 50;

/// Collects what is wrong, each with its JSON pointer, so that all of it is told at once.
#[derive(Debug, Default)]
pub struct Findings(Vec<FieldError>);

impl Findings {
    /// Notes a wrong value.
    pub fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        if self.0.len() < MAX_FINDINGS {
            self.0.push(FieldError::new(pointer, detail));
        }
    }

    /// Notes a value of which one character is wrong, at this offset in characters.
    pub fn add_at(&mut self, pointer: impl Into<String>, position: usize, detail: impl Into<String>) {
        if self.0.len() < MAX_FINDINGS {
            let error = FieldError::new(pointer, detail);
            self.0.push(FieldError { position: u32::try_from(position).ok(), ..error });
        }
    }

    /// A text of `min..=max` characters with no control characters and no space at its ends.
    pub fn line(&mut self, pointer: impl FnOnce() -> String, text: &str, max: usize) {
        let length_ok = !text.is_empty() && (text.len() <= max || text.chars().count() <= max);
        let trimmed = text.trim() == text;
        if !length_ok || !trimmed || text.chars().any(char::is_control) {
            self.add(
                pointer(),
                format!("1 to {max} characters without control characters or space at the ends are allowed"),
            );
        }
    }

    /// A text of at most `max` characters that may span lines; U+0000 is refused.
    pub fn prose(&mut self, pointer: impl FnOnce() -> String, text: &str, max: usize) {
        if (text.len() > max && text.chars().count() > max) || text.contains('\0') {
            self.add(pointer(), format!("at most {max} characters without U+0000 are allowed"));
        }
    }

    /// A list of at most `max` things.
    pub fn count(&mut self, pointer: &str, length: usize, max: usize) {
        if length > max {
            self.add(pointer, format!("at most {max} are allowed, {length} were given"));
        }
    }

    /// Nothing, or what was found.
    ///
    /// # Errors
    /// All findings, if there are any.
    pub fn done(self) -> Result<(), Vec<FieldError>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}

/// A JSON pointer token: `~` and `/` are escaped (RFC 6901).
#[must_use]
pub fn pointer_token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
