//! The text of a document: without HTML, and as it is given to the embedding model.

use crate::{bundle::EmbeddedText, document::SearchProduct};
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

/// What the embedding model reads of a product: the fields a bundle names, bounded.
#[must_use]
pub fn embedding_text(product: &SearchProduct, of: &EmbeddedText) -> String {
    let description = || product.description.as_deref().map(without_html);
    let parts = [
        of.title.then(|| product.title.clone()),
        of.brand.then(|| product.brand.clone()).flatten(),
        of.part_number.then(|| product.part_number.clone()).flatten(),
        of.product_type.then(|| product.product_type.clone()).flatten(),
        of.description.then(description).flatten(),
    ];
    let text = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(". ");
    of.before_document.chars().chain(text.chars().take(of.characters)).collect()
}

/// The hash under which a product's vector is kept: [`hash`] of what is embedded of it.
#[must_use]
pub fn embedding_hash(product: &SearchProduct, of: &EmbeddedText) -> String {
    hash(&embedding_text(product, of))
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

    #[test]
    fn what_is_embedded_is_the_bundles_choice() {
        let product = SearchProduct {
            title: "Desk lamp".to_owned(),
            brand: Some("Lumen".to_owned()),
            description: Some("<p>Bright</p>".to_owned()),
            ..SearchProduct::default()
        };
        assert_eq!(embedding_text(&product, &EmbeddedText::default()), "Desk lamp. Bright");
        let other = EmbeddedText {
            brand: true,
            part_number: true,
            description: false,
            characters: 12,
            before_document: "passage: ".to_owned(),
            ..EmbeddedText::default()
        };
        assert_eq!(embedding_text(&product, &other), "passage: Desk lamp. L");
    }

    proptest! {
        #[test]
        fn any_html_is_read(html in "\\PC{0,200}") {
            let _ = without_html(&html);
        }
    }
}
