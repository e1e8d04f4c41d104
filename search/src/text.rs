//! Texts without HTML, and hashes of texts.

use sha2::{Digest, Sha256};

/// The text between the tags, with the five named entities resolved and spaces folded.
#[must_use]
pub fn without_html(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut in_tag = false;
    for (index, character) in html.char_indices() {
        match character {
            // A `<` that opens no tag is text: "< 5 kg".
            '<' if html[index + 1..]
                .starts_with(|next: char| next.is_ascii_alphabetic() || next == '/' || next == '!') =>
            {
                in_tag = true;
                text.push(' ');
            }
            '>' if in_tag => in_tag = false,
            _ if in_tag => {}
            _ => text.push(character),
        }
    }
    let entities = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    if text.contains('&') {
        text = entities.iter().fold(text, |text, (entity, character)| text.replace(entity, character));
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// SHA-256 of a text in hexadecimal.
#[must_use]
pub fn hash(text: &str) -> String {
    sha256(text.as_bytes())
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tags_go_and_comparisons_stay() {
        assert_eq!(without_html("<p>Weighs &lt; 5 kg</p><br/>a < b &amp; c"), "Weighs < 5 kg a < b & c");
    }

    proptest! {
        #[test]
        fn any_html_is_read(html in "\\PC{0,200}") {
            let _ = without_html(&html);
        }
    }
}
