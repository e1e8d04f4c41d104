//! Phrases with names in braces become titles and sentences.

use std::collections::BTreeMap;

type Words = BTreeMap<String, String>;

/// A title: the words as they are.
pub(super) fn title(template: &str, words: &Words) -> String {
    let mut text = template.to_owned();
    for (name, word) in words {
        text = text.replace(&format!("{{{name}}}"), word);
    }
    text
}

/// A sentence: `a` becomes `an` where the word asks for it, and the first letter is a capital.
pub(super) fn sentence(template: &str, words: &Words) -> String {
    let mut text = template.to_owned();
    for (name, _) in words.iter().filter(|(_, word)| takes_an(word)) {
        for (article, longer) in [("A ", "An "), (" a ", " an ")] {
            text = text.replace(&format!("{article}{{{name}}}"), &format!("{longer}{{{name}}}"));
        }
    }
    let text = title(&text, words);
    match text.chars().next() {
        Some(first) => first.to_uppercase().chain(text.chars().skip(1)).collect(),
        None => text,
    }
}

/// The words as they stand in a sentence: what a title writes `Full-Size` is `full-size` there.
/// Brands and series are names and stay.
pub(super) fn in_sentences(words: &Words, title: &str) -> Words {
    let is_name = |name: &str| name == "brand" || name == "series" || !title.contains(&format!("{{{name}}}"));
    words.iter().map(|(name, word)| (name.clone(), if is_name(name) { word.clone() } else { lower(word) })).collect()
}

/// Lower-cases `Wooden` and `Tile-Laying`, but neither `OLED` nor `A5`.
fn lower(word: &str) -> String {
    let parts = word.split_inclusive(|letter: char| !letter.is_alphanumeric());
    parts
        .map(|part| {
            let name = part.trim_end_matches(|letter: char| !letter.is_alphanumeric());
            let is_plain = name.len() > 1 && name.chars().skip(1).all(char::is_lowercase);
            if is_plain { part.to_lowercase() } else { part.to_owned() }
        })
        .collect()
}

fn takes_an(word: &str) -> bool {
    let first = word.chars().next().unwrap_or(' ').to_ascii_lowercase();
    // Spelt letters (LED, XL) and numbers (8, 11, 18) go by their sound.
    let spelt = word.len() > 1 && word.chars().take(2).all(|letter| letter.is_ascii_uppercase());
    let number = word.starts_with('8') || ["11", "18"].contains(&word);
    number || if spelt { "aefhilmnorsx".contains(first) } else { "aeiou".contains(first) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[(&str, &str)]) -> Words {
        list.iter().map(|(name, word)| ((*name).to_owned(), (*word).to_owned())).collect()
    }

    #[test]
    fn sentences_have_their_articles_and_cases() {
        let title = "{brand} {ruling} {panel} {format}";
        let words =
            words(&[("brand", "Ovitek"), ("ruling", "Tile-Laying"), ("panel", "LED"), ("format", "A5"), ("n", "8")]);
        let words = in_sentences(&words, title);
        assert_eq!(sentence("A {format} book, {ruling}.", &words), "An A5 book, tile-laying.");
        assert_eq!(sentence("It is a {panel} set of {brand}.", &words), "It is an LED set of Ovitek.");
        assert_eq!(
            sentence("{ruling} with a {n} cm grip and a {ruling} game.", &words),
            "Tile-laying with an 8 cm grip and a tile-laying game."
        );
    }
}
