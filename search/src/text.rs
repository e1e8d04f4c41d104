//! The text of a document: without HTML, and as it is given to the embedding model.

use crate::document::SearchProduct;
use sha2::{Digest, Sha256};

/// Longest text that is embedded, in characters; the model reads 256 tokens, about four characters each.
const EMBEDDED_CHARS: usize = 1_000;

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

/// What the embedding model reads: title and description, bounded, and before them what of brand and type
/// the title does not say. Part numbers are left to the words: to the model they are noise.
#[must_use]
pub fn embedding_text(product: &SearchProduct) -> String {
    let title = product.title.to_lowercase();
    let unsaid = |part: &&str| !part.is_empty() && !title.contains(&part.to_lowercase());
    let description = product.description.as_deref().map(without_html);
    let before = [product.brand.as_deref(), product.product_type.as_deref()].into_iter().flatten().filter(unsaid);
    let after = description.as_deref().filter(|text| !text.is_empty());
    let text = before.chain([product.title.as_str()]).chain(after).collect::<Vec<_>>().join(". ");
    text.chars().take(EMBEDDED_CHARS).collect()
}

/// SHA-256 of a text in hexadecimal: the content hash under which a vector is kept.
#[must_use]
pub fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
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
    fn the_model_reads_each_thing_once() {
        let product = SearchProduct {
            title: "Canon EOS camera".to_owned(),
            brand: Some("canon".to_owned()),
            part_number: Some("1234B".to_owned()),
            product_type: Some("SLR".to_owned()),
            description: Some("<b>Sharp</b>".to_owned()),
            ..SearchProduct::default()
        };
        assert_eq!(embedding_text(&product), "SLR. Canon EOS camera. Sharp");
    }

    proptest! {
        #[test]
        fn any_html_is_read(html in "\\PC{0,200}") {
            let _ = without_html(&html);
        }
    }
}
