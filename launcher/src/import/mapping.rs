//! A mapping: a TOML file that says which field of the source becomes which part of a product.
//!
//! `target = "source field"`. A list of fields means the first that holds something (for `images`
//! and `ean`: all of them); a dot goes into objects (`maker.name`). Whatever is not named is not
//! imported. The shipped mappings stand in `launcher/mappings/`; `electronics.toml` there explains
//! each key.

mod attributes;
mod measure;
mod offer;
mod product;
mod rules;
mod tidy;
mod value;

pub use product::{Mapped, Offer, ProductLine, VariantLine};
pub use rules::Mapping;
pub(crate) use rules::{CategorySlug, GroupRule};

use super::{error::ImportError, position::sha256_hex};
use schemas::money::Currency;

/// The mappings inside the binary: name and TOML.
pub const SHIPPED: [(&str, &str); 7] = [
    ("demo", include_str!("../../mappings/demo.toml")),
    ("electronics", include_str!("../../mappings/electronics.toml")),
    ("google-merchant", include_str!("../../mappings/google-merchant.toml")),
    ("icecat", include_str!("../../mappings/icecat.toml")),
    ("plain", include_str!("../../mappings/plain.toml")),
    ("shopify", include_str!("../../mappings/shopify.toml")),
    ("woocommerce", include_str!("../../mappings/woocommerce.toml")),
];

impl Mapping {
    /// A shipped mapping by its name, or else the file at that path.
    ///
    /// # Errors
    /// If there is neither, or the TOML is not a mapping.
    pub fn load(name: &str) -> Result<Self, ImportError> {
        if let Some((_, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            return Self::parse(name, text);
        }
        match std::fs::read_to_string(name) {
            Ok(text) => Self::parse(name, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(unknown(name)),
            Err(error) => Err(ImportError::reading(name.as_ref())(error)),
        }
    }

    /// Reads a mapping out of its TOML.
    ///
    /// # Errors
    /// [`ImportError::BadMapping`] with the line and what is wrong there.
    pub fn parse(name: &str, text: &str) -> Result<Self, ImportError> {
        let bad = |reason: String| ImportError::BadMapping { name: name.to_owned(), reason };
        let mut mapping: Self = toml::from_str(text).map_err(|error| bad(error.to_string()))?;
        mapping.digest = sha256_hex(text.as_bytes());
        mapping.check().map_err(bad)?;
        Ok(mapping)
    }

    /// Which rows of the source are one product, if that is not each by itself.
    pub(crate) fn group(&self) -> Option<&GroupRule> {
        self.group.as_ref()
    }

    /// Another currency for all prices that have no currency field of their own.
    pub fn set_currency(&mut self, currency: Currency) {
        let variants = self.variants.as_mut().and_then(|variants| variants.price.as_mut());
        for price in self.price.as_mut().into_iter().chain(variants) {
            price.currency = Some(currency);
        }
        self.digest.push_str(currency.code());
    }
}

/// The error for a name that is neither shipped nor a file.
pub(crate) fn unknown(name: &str) -> ImportError {
    ImportError::NoMapping { name: name.to_owned(), shipped: SHIPPED.map(|(name, _)| name).join(", ") }
}

#[cfg(test)]
mod tests;
