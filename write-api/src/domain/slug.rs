//! Names in addresses.

/// Lower-case ASCII letters, digits and single hyphens between them, 1 to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slug(String);

impl Slug {
    /// The most characters.
    pub const MAX: usize = 200;

    /// Reads a slug as it was given.
    ///
    /// # Errors
    /// A sentence that says what a slug looks like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let letters = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let hyphens = text.starts_with('-') || text.ends_with('-') || text.contains("--");
        if text.is_empty() || text.len() > Self::MAX || !letters || hyphens {
            return Err(format!(
                "a slug is 1 to {} lower-case ASCII letters and digits with single hyphens between",
                Self::MAX
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// Makes a slug of a name for people and an ending that keeps it apart from others of that name.
    #[must_use]
    pub fn derive(name: &str, ending: &str) -> Self {
        let mut text = String::with_capacity(name.len().min(Self::MAX));
        push_words(&mut text, name, 120);
        push_words(&mut text, ending, Self::MAX);
        let text = text.trim_matches('-');
        Self(if text.is_empty() { "unnamed".to_owned() } else { text.to_owned() })
    }

    /// The same with what tells it from one that is taken, which stays whole however long the slug is.
    #[must_use]
    pub fn apart(self, by: &str) -> Self {
        let mut ending = String::new();
        push_words(&mut ending, by, Self::MAX / 2);
        let ending = ending.trim_matches('-');
        if ending.is_empty() {
            return self;
        }
        let kept = self.0.get(..Self::MAX - 1 - ending.len()).unwrap_or(&self.0);
        Self(format!("{}-{ending}", kept.trim_end_matches('-')))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Appends what a slug can hold of `words`, after a hyphen, up to a total length.
fn push_words(text: &mut String, words: &str, max: usize) {
    if !text.is_empty() && !text.ends_with('-') && text.len() < max {
        text.push('-');
    }
    for letter in words.chars() {
        if text.len() >= max {
            break;
        }
        if letter.is_ascii_alphanumeric() {
            text.push(letter.to_ascii_lowercase());
        } else if !text.is_empty() && !text.ends_with('-') {
            text.push('-');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slugs_are_lower_case_words_joined_by_single_hyphens() {
        for good in ["a", "red-shoe-2", "0"] {
            assert!(Slug::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a--b", "A", "a b", "ä", &"x".repeat(201)] {
            assert!(Slug::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_name_the_derived_slug_is_one(name in ".{0,300}", ending in ".{0,300}") {
            let slug = Slug::derive(&name, &ending);
            prop_assert!(Slug::parse(slug.as_str()).is_ok(), "{}", slug.as_str());
        }

        #[test]
        fn slugs_that_are_taken_are_told_apart(name in ".{0,300}", ending in ".{0,300}", a in "[0-9a-f]{1,12}", b in "[0-9a-f]{1,12}") {
            let taken = Slug::derive(&name, &ending);
            let [one, other] = [&a, &b].map(|by| taken.clone().apart(by));
            prop_assert!(Slug::parse(one.as_str()).is_ok(), "{}", one.as_str());
            prop_assert!(one != taken);
            prop_assert_eq!(one == other, a == b);
        }
    }
}
