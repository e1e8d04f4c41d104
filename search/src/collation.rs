//! The order in which people sort texts: accents and case last, by the root of Unicode's collation (CLDR).

use icu_collator::{CollatorBorrowed, CollatorPreferences, options::CollatorOptions};
use std::sync::OnceLock;

/// Most characters of a text that count for its place.
const CHARACTERS: usize = 200;

/// A key whose bytes compare as people sort the texts: made once, and the same for search and for listings.
#[must_use]
pub fn key(text: &str) -> Vec<u8> {
    static COLLATOR: OnceLock<Option<CollatorBorrowed<'static>>> = OnceLock::new();
    let end = text.char_indices().nth(CHARACTERS).map_or(text.len(), |(at, _)| at);
    let made = COLLATOR.get_or_init(|| {
        // The root's data are compiled in.
        CollatorBorrowed::try_new(CollatorPreferences::default(), CollatorOptions::default()).ok()
    });
    let mut key = Vec::with_capacity(2 * end);
    if let Some(collator) = made {
        let _ = collator.write_sort_key_to(&text[..end], &mut key);
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accents_and_case_come_last() {
        let sorted =
            ["", "7 pots", "Äpfel", "apple", "Banane", "Éclair", "eclairs", "iPad case", "zoo", "Zucker", "Яблоко"];
        let mut found = sorted;
        found.reverse();
        found.sort_by_key(|text| key(text));
        assert_eq!(found, sorted);
    }

    proptest! {
        #[test]
        fn one_text_in_two_forms_has_one_key(text in "\\PC{0,20}") {
            let apart = icu_normalizer::DecomposingNormalizerBorrowed::new_nfd().normalize(&text).into_owned();
            prop_assert_eq!(key(&text), key(&apart));
        }
    }
}
