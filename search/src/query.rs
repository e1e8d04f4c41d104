//! What can be asked of the index, and what it answers.

use crate::{
    budget::Budget,
    document::{PriceSpan, SearchProduct},
    ranking::Ranking,
    synonyms::Synonyms,
    understand::Understood,
};
use schemas::{
    Timestamp,
    events::catalog::Image,
    filter::Filter,
    ids::{ProductId, TenantId, VariantId},
    money::Currency,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Instant,
};

mod facet;

pub use facet::{Facet, FacetCounts, FacetOrder, FacetValue, MAX_FACET_VALUES, MAX_FACETS, RangeCount, Stats};

/// Most characters of a query's text that are looked at.
pub const MAX_TEXT_CHARS: usize = 512;
/// Most terms of a query.
pub const MAX_TERMS: usize = 32;
/// Most hits of one search: a page, or the candidates of a fusion.
pub const MAX_LIMIT: usize = 1_000;
/// Deepest offset of a page, by cursors.
pub const MAX_OFFSET: usize = 100_000;

/// A search of one tenant.
#[derive(Debug, Clone)]
pub struct SearchRequest {
    /// Whose products.
    pub tenant: TenantId,
    /// What the shopper typed; everything matches an empty text.
    pub text: String,
    /// What products must pass.
    pub filter: Option<Filter>,
    /// What products must pass besides, which the request has no part in: no facet counts beyond it either.
    pub only: Option<Filter>,
    /// Only these, if given; in no order.
    pub ids: Option<Vec<ProductId>>,
    /// What `price` means.
    pub currency: Currency,
    /// The order of the hits.
    pub sort: Sort,
    /// Hits to leave out.
    pub offset: usize,
    /// Hits to give.
    pub limit: usize,
    /// Facets to count.
    pub facets: Vec<Facet>,
    /// Whether the last word may be the beginning of one, as it is while somebody types.
    pub typing: bool,
    /// Whether brands, categories, prices and the like are read out of the text.
    pub understand: bool,
    /// Whether titles and descriptions come with the words marked.
    pub highlight: bool,
    /// Whether each hit says where its score comes from.
    pub explain: bool,
    /// What staff have set for this search.
    pub steering: Arc<Steering>,
    /// Ranking settings instead of the generation's.
    pub ranking: Option<Ranking>,
    /// When it is asked, which tells how new a product is; without it novelty counts for nothing.
    pub now: Option<Timestamp>,
    /// How long the search may take: what can't be looked at by then is left out, and the answer says that it is
    /// partial.
    pub budget: Option<Budget>,
    /// When the present step has to end by it.
    pub deadline: Option<Instant>,
}

impl SearchRequest {
    /// A plain search for a text, in US dollars.
    #[must_use]
    pub fn text(tenant: TenantId, text: &str, limit: usize) -> Self {
        Self {
            tenant,
            text: text.to_owned(),
            filter: None,
            only: None,
            ids: None,
            currency: Currency::USD,
            sort: Sort::Relevance,
            offset: 0,
            limit,
            facets: Vec::new(),
            typing: false,
            understand: true,
            highlight: false,
            explain: false,
            steering: Arc::default(),
            ranking: None,
            now: None,
            budget: None,
            deadline: None,
        }
    }

    /// Whether the time is up.
    pub(crate) fn late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// What staff and shoppers' behaviour add to a search.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Steering {
    /// Words and what else they mean.
    pub synonyms: Arc<Synonyms>,
    /// Products at fixed places, counted from 1.
    pub pins: Vec<(usize, ProductId)>,
    /// Products that are not shown.
    pub hidden: Vec<ProductId>,
    /// Products that pass the filter have their score multiplied: above 1 up, below 1 down.
    pub boosts: Vec<(Filter, f32)>,
    /// How popular products are, 0 to 1.
    pub popularity: Arc<HashMap<ProductId, f32>>,
}

/// The order of hits; equal ones follow in an order that is the same on every node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sort {
    /// Best match first.
    Relevance,
    /// What staff and shoppers prefer first, then by title: how a category's products stand.
    Shelf,
    /// Cheapest first, products without a price in the currency last.
    PriceAscending(Currency),
    /// Dearest first, products without a price in the currency last.
    PriceDescending(Currency),
    /// By title, A to Z.
    Title,
    /// Newest first, products without a date last.
    Newest,
    /// Oldest first, products without a date last.
    Oldest,
    /// By an attribute, smallest number or A first; products without it last.
    Attribute(String),
    /// By an attribute, greatest number or Z first; products without it last.
    AttributeDescending(String),
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchResponse {
    /// How many products match.
    pub total: usize,
    /// The page of hits.
    pub hits: Vec<Hit>,
    /// In the order asked.
    pub facets: Vec<FacetCounts>,
    /// Words that no product of the shop holds, and what they were read as.
    pub corrections: Vec<Correction>,
    /// What was read out of the text beside its words.
    pub understood: Vec<Understood>,
    /// If no product has all of the words: how many have to match, and of how many.
    pub relaxed: Option<Relaxed>,
    /// Whether the time was up before everything was looked at.
    pub partial: bool,
    /// Whether the query names nothing but brands and codes; such queries don't drift.
    pub exact: bool,
}

/// Fewer words had to match than were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Relaxed {
    /// Words that have to match.
    pub matched: usize,
    /// Words of the query.
    pub of: usize,
}

/// A word of the query that was read as another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Correction {
    /// As it was typed.
    pub written: String,
    /// As it was looked for.
    pub read: String,
}

/// Something in a filter that no product of the shop has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = SearchHint)]
pub struct Hint {
    /// The field, as a filter names it: `category` or `attr.<name>`.
    pub field: String,
    /// The value, where the field itself is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// A sentence for people.
    pub detail: String,
}

/// One product found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = SearchHit)]
pub struct Hit {
    /// How well it matches; comparable within one answer only.
    pub score: f32,
    /// What a result list shows.
    #[serde(flatten)]
    pub card: HitCard,
    /// The variants that meet the conditions on one variant, if there are such conditions; else none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matching_variants: Vec<VariantId>,
    /// Texts with the words of the query marked; safe to put into HTML.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub highlights: BTreeMap<String, String>,
    /// The product's place was set by staff.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// The version of the document that was searched, if the score is explained: that of the view it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_version: Option<u64>,
    /// Where the score comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explanation: Vec<ScorePart>,
}

impl Hit {
    /// A hit with nothing but its score.
    #[must_use]
    pub const fn new(score: f32, card: HitCard) -> Self {
        Self {
            score,
            card,
            matching_variants: Vec::new(),
            highlights: BTreeMap::new(),
            pinned: false,
            doc_version: None,
            explanation: Vec::new(),
        }
    }
}

/// A part of a hit's score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ScorePart {
    /// What it is for: a word in a field, the title, a rule, a signal.
    pub part: String,
    /// What it adds.
    pub score: f32,
}

/// What a result list shows of a product; stored in the index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HitCard {
    /// souk's id.
    pub id: ProductId,
    /// The id it was imported under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The name in addresses.
    pub slug: String,
    /// The name people read.
    pub title: String,
    /// The maker's part number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_number: Option<String>,
    /// The maker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The kind of thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_type: Option<String>,
    /// The main picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// Lowest and highest price per currency, in minor units.
    pub prices: BTreeMap<Currency, PriceSpan>,
    /// Whether any variant has stock.
    pub available: bool,
    /// How many variants there are.
    pub variants: usize,
    /// When it came to market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub released_at: Option<Timestamp>,
}

impl HitCard {
    /// The card of a product.
    #[must_use]
    pub fn new(id: ProductId, product: &SearchProduct) -> Self {
        Self {
            id,
            external_id: product.external_id.clone(),
            slug: product.slug.clone(),
            title: product.title.clone(),
            part_number: product.part_number.clone(),
            brand: product.brand.clone(),
            product_type: product.product_type.clone(),
            image: product.image.clone(),
            prices: product.prices.clone(),
            available: product.available,
            variants: product.variants.len(),
            released_at: product.released_at,
        }
    }
}
