//! The answer of suggestions.

use crate::example;
use ::search::{document::PriceSpan, query::Hit};
use schemas::{events::catalog::Image, ids::ProductId, money::Currency};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a text may become.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(SuggestResult::example())))]
pub struct SuggestResult {
    /// Queries: what shoppers have searched for, then what the catalog's words make likely.
    pub queries: Vec<SuggestedQuery>,
    /// Products that the text finds as it stands.
    pub products: Vec<SuggestedProduct>,
    /// Categories it may mean.
    pub categories: Vec<SuggestedCategory>,
    /// Brands it may mean.
    pub brands: Vec<SuggestedBrand>,
    /// Milliseconds from the request to the answer.
    pub took_ms: f64,
}

impl SuggestResult {
    fn example() -> Self {
        let highlight = || "<mark>ket</mark>tle".to_owned();
        Self {
            queries: vec![SuggestedQuery { text: "kettle".to_owned(), highlight: highlight() }],
            products: vec![SuggestedProduct::new(Hit::new(2.25, example::card()))],
            categories: vec![SuggestedCategory {
                slug: "kettles".to_owned(),
                name: "Kettles".to_owned(),
                path: vec!["Kitchen".to_owned(), "Kettles".to_owned()],
                count: 42,
                highlight: highlight(),
            }],
            brands: vec![SuggestedBrand { value: "Acme".to_owned(), count: 12, highlight: "Acme".to_owned() }],
            took_ms: 1.25,
        }
    }
}

/// A query that finds something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SuggestedQuery {
    /// The query.
    pub text: String,
    /// It with what was typed marked, safe to put into HTML.
    pub highlight: String,
}

/// A product that the text finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SuggestedProduct {
    /// souk's id.
    pub id: ProductId,
    /// The name in addresses.
    pub slug: String,
    /// The name people read.
    pub title: String,
    /// The title with what was typed marked, safe to put into HTML.
    pub highlight: Option<String>,
    /// The maker.
    pub brand: Option<String>,
    /// The main picture.
    pub image: Option<Image>,
    /// Lowest and highest price per currency, in minor units.
    pub prices: BTreeMap<Currency, PriceSpan>,
    /// Whether any variant has stock.
    pub available: bool,
}

impl SuggestedProduct {
    /// What is shown of a hit while somebody types.
    pub fn new(mut hit: Hit) -> Self {
        let highlight = hit.highlights.remove("title");
        let card = hit.card;
        Self {
            id: card.id,
            slug: card.slug,
            title: card.title,
            highlight,
            brand: card.brand,
            image: card.image,
            prices: card.prices,
            available: card.available,
        }
    }
}

/// A category that the text may mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SuggestedCategory {
    /// The name in addresses.
    pub slug: String,
    /// The name people read.
    pub name: String,
    /// Names from the root, itself last.
    pub path: Vec<String>,
    /// Products in it and below.
    pub count: u64,
    /// The name with what was typed marked, safe to put into HTML.
    pub highlight: String,
}

/// A brand that the text may mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SuggestedBrand {
    /// The brand.
    pub value: String,
    /// Its products.
    pub count: u64,
    /// It with what was typed marked, safe to put into HTML.
    pub highlight: String,
}
