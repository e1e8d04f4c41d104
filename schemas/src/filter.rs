//! The filter language: conditions on products, as text for addresses and as JSON for programs.
//!
//! ```text
//! brand:Canon,HP AND price:1000..20000 AND NOT attr.color:red
//! (available:true OR attr.weight>=1.5) AND attr.hdmi:*
//! variant(attr.size:XL AND attr.color:"dark blue")
//! ```
//!
//! The same as JSON: `{"and": [{"field": "brand", "in": ["Canon", "HP"]}, {"field": "price", "gte": 1000,
//! "lte": 20000}, {"not": {"field": "attr.color", "in": ["red"]}}]}`.
//!
//! [`Filter`] is what both are read into; its `Display` writes the text form back.

use crate::money::Currency;
use std::fmt;

mod json;
mod span;
mod text;

pub use json::from_json;
pub use span::span;
pub use text::parse;

/// Longest text of a filter, in characters.
pub const MAX_CHARS: usize = 4_000;
/// Deepest nesting of groups, `NOT` and `variant(…)`.
pub const MAX_DEPTH: usize = 16;
/// Most conditions of one filter.
pub const MAX_CONDITIONS: usize = 64;
/// Most values of one condition.
pub const MAX_VALUES: usize = 200;

/// A condition on products, or several combined.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Every one holds.
    All(Vec<Filter>),
    /// At least one holds.
    Any(Vec<Filter>),
    /// It doesn't hold.
    Not(Box<Filter>),
    /// One and the same variant meets it.
    Variant(Box<Filter>),
    /// A field passes a test.
    Is(Field, Test),
}

/// What a condition looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// The maker, as written.
    Brand,
    /// A category with everything below it, by slug or id.
    Category,
    /// The lowest price in minor units, in a currency or in that of the request.
    Price(Option<Currency>),
    /// Whether any variant has stock: `true` or `false`.
    Available,
    /// The kind of thing, as written.
    ProductType,
    /// When it came to market: in a year, a month, on a day or at a moment; see [`span`].
    Released,
    /// souk's id of the product.
    Id,
    /// A variant's SKU.
    Sku,
    /// An attribute or option by name.
    Attribute(String),
}

/// What a field is tested for.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// It has a value.
    Exists,
    /// It has one of these values.
    In(Vec<String>),
    /// It lies between two bounds; at least one is given.
    Range {
        /// The lower bound.
        from: Option<Limit>,
        /// The upper bound.
        to: Option<Limit>,
    },
}

/// A bound of a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// As written: a number, or a date.
    pub value: String,
    /// Whether the bound itself belongs to the range.
    pub inclusive: bool,
}

/// A filter can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct FilterError {
    /// Where: the number of characters before the offending one, in the text form.
    pub position: usize,
    /// Where, in the JSON form: a JSON pointer (RFC 6901); empty for the text form.
    pub pointer: String,
    /// What was expected, as a sentence for people.
    pub reason: String,
}

impl Field {
    /// The fields there are, for error messages.
    pub const KNOWN: &'static str =
        "brand, category, price, price.<currency>, available, product_type, released, id, sku and attr.<name>";

    /// Reads a field's name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "brand" => Self::Brand,
            "category" => Self::Category,
            "price" => Self::Price(None),
            "available" => Self::Available,
            "product_type" => Self::ProductType,
            "released" => Self::Released,
            "id" => Self::Id,
            "sku" => Self::Sku,
            _ => match name.split_once('.')? {
                ("price", currency) => Self::Price(Some(currency.parse().ok()?)),
                ("attr", attribute) if !attribute.is_empty() => Self::Attribute(attribute.to_owned()),
                _ => return None,
            },
        })
    }

    /// Checks a test of this field: what is wrong with it, as a sentence.
    ///
    /// # Errors
    /// The sentence.
    pub fn check(&self, test: &Test) -> Result<(), String> {
        let values: Vec<&str> = match test {
            Test::Exists => return Ok(()),
            Test::In(values) => values.iter().map(String::as_str).collect(),
            Test::Range { from, to } => from.iter().chain(to).map(|limit| limit.value.as_str()).collect(),
        };
        let ranged = matches!(test, Test::Range { .. });
        let wrong = |is: fn(&str) -> bool| values.iter().find(|value| !is(value));
        match self {
            Self::Price(_) => wrong(|value| value.parse::<i64>().is_ok()).map_or(Ok(()), |value| {
                Err(format!("`{value}` is no price: whole minor units are expected, as in 1999"))
            }),
            Self::Available if ranged => Err("`available` has no order: true or false is expected".to_owned()),
            Self::Available => wrong(|value| matches!(value, "true" | "false"))
                .map_or(Ok(()), |value| Err(format!("`{value}` is neither true nor false"))),
            Self::Released => wrong(|value| span(value).is_some()).map_or(Ok(()), |value| {
                Err(format!("`{value}` is no date: 2021, 2021-05, 2021-05-31 or 2021-05-31T08:30:00Z is expected"))
            }),
            Self::Attribute(_) if ranged => wrong(|value| value.parse::<f64>().is_ok_and(f64::is_finite))
                .map_or(Ok(()), |value| Err(format!("`{value}` is no number"))),
            Self::Attribute(_) => Ok(()),
            Self::Brand | Self::Category | Self::ProductType | Self::Id | Self::Sku if ranged => {
                Err(format!("`{self}` has no order: values are expected, as in {self}:a,b"))
            }
            Self::Brand | Self::Category | Self::ProductType | Self::Id | Self::Sku => Ok(()),
        }
    }
}

impl Filter {
    /// Every condition in it, at any depth.
    #[must_use]
    pub fn conditions(&self) -> Vec<(&Field, &Test)> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::conditions).collect(),
            Self::Not(part) | Self::Variant(part) => part.conditions(),
            Self::Is(field, test) => vec![(field, test)],
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Brand => f.write_str("brand"),
            Self::Category => f.write_str("category"),
            Self::Price(None) => f.write_str("price"),
            Self::Price(Some(currency)) => write!(f, "price.{currency}"),
            Self::Available => f.write_str("available"),
            Self::ProductType => f.write_str("product_type"),
            Self::Released => f.write_str("released"),
            Self::Id => f.write_str("id"),
            Self::Sku => f.write_str("sku"),
            Self::Attribute(name) => write!(f, "attr.{name}"),
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, parts: &[Self], word: &str| {
            f.write_str("(")?;
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    write!(f, " {word} ")?;
                }
                write!(f, "{part}")?;
            }
            f.write_str(")")
        };
        match self {
            Self::All(parts) => joined(f, parts, "AND"),
            Self::Any(parts) => joined(f, parts, "OR"),
            Self::Not(part) => write!(f, "NOT {part}"),
            Self::Variant(part) => write!(f, "variant({part})"),
            Self::Is(field, Test::Range { from: Some(from), to: Some(to) }) if !(from.inclusive && to.inclusive) => {
                let half = |from, to| Self::Is(field.clone(), Test::Range { from, to });
                joined(f, &[half(Some(from.clone()), None), half(None, Some(to.clone()))], "AND")
            }
            Self::Is(field, test) => {
                write!(f, "{}", text::written(&field.to_string()))?;
                write_test(f, test)
            }
        }
    }
}

fn write_test(f: &mut fmt::Formatter<'_>, test: &Test) -> fmt::Result {
    match test {
        Test::Exists => f.write_str(":*"),
        Test::In(values) => {
            f.write_str(":")?;
            for (index, value) in values.iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                write!(f, "{comma}{}", text::written(value))?;
            }
            Ok(())
        }
        Test::Range { from: Some(from), to: None } => {
            write!(f, "{}{}", if from.inclusive { ">=" } else { ">" }, text::written(&from.value))
        }
        Test::Range { from: None, to: Some(to) } => {
            write!(f, "{}{}", if to.inclusive { "<=" } else { "<" }, text::written(&to.value))
        }
        // Both bounds belong to it: the others are written as two conditions.
        Test::Range { from, to } => {
            let side = |limit: &Option<Limit>| limit.as_ref().map_or(String::new(), |limit| limit.value.clone());
            write!(f, ":{}..{}", side(from), side(to))
        }
    }
}

#[cfg(test)]
mod tests;
