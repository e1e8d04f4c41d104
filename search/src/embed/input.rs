//! What the embedding model reads of a product.

use crate::{bundle::EmbeddedText, document::SearchProduct, text};

/// What the embedding model reads of a product: the fields a bundle names, bounded.
#[must_use]
pub fn embedding_text(product: &SearchProduct, of: &EmbeddedText) -> String {
    let description = || product.description.as_deref().map(text::without_html);
    let parts = [
        of.title.then(|| product.title.clone()),
        of.brand.then(|| product.brand.clone()).flatten(),
        of.part_number.then(|| product.part_number.clone()).flatten(),
        of.product_type.then(|| product.product_type.clone()).flatten(),
        of.description.then(description).flatten(),
    ];
    let read = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(". ");
    of.before_document.chars().chain(read.chars().take(of.characters)).collect()
}

/// The hash under which a product's vector is kept: [`text::hash`] of what is embedded of it.
#[must_use]
pub fn embedding_hash(product: &SearchProduct, of: &EmbeddedText) -> String {
    text::hash(&embedding_text(product, of))
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
