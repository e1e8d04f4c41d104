//! What a search asks for, as JSON; a query string is read into the same.

use crate::{
    problem::{Refusal, bounded},
    ranking::overlaid,
};
use ::search::{
    query::{Facet, FacetOrder, MAX_FACET_VALUES, MAX_FACETS, MAX_TEXT_CHARS, SearchRequest, Sort},
    ranking::Ranking,
    searcher::Mode,
};
use schemas::{
    Timestamp,
    filter::{self, Field, Filter},
    ids::TenantId,
    money::Currency,
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Map, Value};
use std::fmt;

/// Hits on a page, unless asked otherwise.
const DEFAULT_LIMIT: usize = 20;
/// Most hits on a page.
pub const MAX_LIMIT: usize = 100;
/// Deepest offset; a cursor goes beyond.
pub const MAX_OFFSET: usize = 10_000;
const DEFAULT_FACET_VALUES: u32 = 10;

/// A search.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SearchBody {
    /// What the shopper typed, up to 512 characters; everything matches an empty text.
    pub q: String,
    /// How hits are found: `lexical` (default), `semantic` or `hybrid`.
    pub mode: Option<Mode>,
    /// A filter: text in the filter language, its JSON form, or a list of filters that must all hold.
    #[schema(value_type = Object)]
    pub filter: Option<Value>,
    /// Facets: `*` for those that suit the search, names, or objects with `field`, `limit`, `order`, `search` and `ranges`.
    pub facets: Vec<FacetBody>,
    /// Most values of a facet that doesn't say, 1 to 100, default 10.
    pub facet_limit: Option<u32>,
    /// `relevance` (default), `price`, `title`, `released` or `attr.<name>`; with `-` before it, descending.
    pub sort: Option<String>,
    /// What `price` means, default USD.
    pub currency: Option<String>,
    /// Hits on the page, 0 to 100, default 20.
    pub limit: Option<usize>,
    /// Hits to leave out, up to 10000.
    pub offset: Option<usize>,
    /// `*` to begin, then the `next` of the page before: pages of the index as it was when they began.
    pub cursor: Option<String>,
    /// The last word may be the beginning of one.
    pub typing: bool,
    /// Whether brands, prices, exclusions and the like are read out of the text; default true.
    pub understand: Option<bool>,
    /// Whether hits come with the words marked.
    pub highlight: bool,
    /// Whether each hit says where its score comes from.
    pub explain: bool,
    /// Whether staff's rules, synonyms and popularity apply; default true.
    pub steering: Option<bool>,
    /// Who asks, as an opaque id: decides the arm of an experiment.
    pub client: Option<String>,
    /// Drafts of staff's definitions that apply to this search alone, by kind and name: `{"rules": {"summer": {…}},
    /// "synonyms": {…}}`. What is live under the same name is left out.
    #[schema(value_type = Object)]
    pub preview: Map<String, Value>,
    /// The moment as of which rules and experiments run, to see what is planned: `2026-12-24`, which begins then, or
    /// `2026-12-24T18:00:00Z`. Now, if absent.
    pub preview_at: Option<String>,
    /// Another generation to answer from, for staff: one that is built and not promoted yet, say.
    pub generation: Option<String>,
    /// Ranking settings to try instead of the generation's, by name.
    #[schema(value_type = Object)]
    pub ranking: Map<String, Value>,
}

/// A facet by name, or with settings.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum FacetBody {
    /// `brand`, `category`, `price`, `available`, `product_type` or `attr.<name>`.
    Name(String),
    /// With settings.
    Settings(FacetSettings),
}

/// Read by hand, so that an error points into the settings.
impl<'de> Deserialize<'de> for FacetBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrSettings)
    }
}

struct NameOrSettings;

impl<'de> Visitor<'de> for NameOrSettings {
    type Value = FacetBody;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a facet or an object with field, limit, order, search and ranges")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<FacetBody, E> {
        Ok(FacetBody::Name(name.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, settings: A) -> Result<FacetBody, A::Error> {
        FacetSettings::deserialize(MapAccessDeserializer::new(settings)).map(FacetBody::Settings)
    }
}

/// A facet with settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FacetSettings {
    /// The field.
    pub field: String,
    /// Most values, 1 to 100.
    pub limit: Option<u32>,
    /// `count` (default) or `value`.
    pub order: Option<String>,
    /// Only values with this in them.
    pub search: Option<String>,
    /// Ranges of a number to count by.
    pub ranges: Vec<RangeBody>,
}

/// A range of a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RangeBody {
    /// From this on.
    pub from: Option<f64>,
    /// Up to, but without, this.
    pub to: Option<f64>,
}

impl SearchBody {
    /// The request of a tenant.
    ///
    /// # Errors
    /// [`Refusal`] names the field, and inside a filter the place.
    pub fn request(&self, tenant: TenantId) -> Result<SearchRequest, Refusal> {
        text(&self.q)?;
        let currency = match &self.currency {
            Some(code) => code
                .parse()
                .map_err(|error: schemas::money::InvalidCurrency| Refusal::parameter("currency", error.to_string()))?,
            None => Currency::USD,
        };
        Ok(SearchRequest {
            filter: self.filter.as_ref().map(read_filter).transpose()?,
            currency,
            sort: order(self.sort.as_deref().unwrap_or_default(), currency)?,
            offset: bounded("offset", self.offset.unwrap_or(0), 0, MAX_OFFSET)?,
            facets: self.facets(self.facet_limit)?,
            typing: self.typing,
            understand: self.understand.unwrap_or(true),
            highlight: self.highlight,
            explain: self.explain,
            ..SearchRequest::text(tenant, &self.q, bounded("limit", self.limit.unwrap_or(DEFAULT_LIMIT), 0, MAX_LIMIT)?)
        })
    }

    /// The moment as of which definitions hold, if it is not now.
    ///
    /// # Errors
    /// [`Refusal`] if it can't be read.
    pub fn moment(&self) -> Result<Option<Timestamp>, Refusal> {
        let read = |text: &String| {
            let span = filter::span(text).map(|(first, _)| first);
            span.ok_or_else(|| Refusal::parameter("preview_at", "2026-12-24 or 2026-12-24T18:00:00Z is expected"))
        };
        self.preview_at.as_ref().map(read).transpose()
    }

    fn facets(&self, limit: Option<u32>) -> Result<Vec<Facet>, Refusal> {
        if self.facets.len() > MAX_FACETS {
            return Err(Refusal::parameter("facets", format!("at most {MAX_FACETS} facets can be counted at once")));
        }
        // The facets that suit the search are chosen when it is known.
        if self.facets == [FacetBody::Name("*".to_owned())] {
            return Ok(Vec::new());
        }
        let most = limit.unwrap_or(DEFAULT_FACET_VALUES);
        if !(1..=MAX_FACET_VALUES).contains(&most) {
            return Err(Refusal::parameter(
                "facet_limit",
                format!("a number from 1 to {MAX_FACET_VALUES} is expected"),
            ));
        }
        self.facets.iter().map(|facet| facet.read(most)).collect()
    }

    /// A ranking with the settings of this request.
    ///
    /// # Errors
    /// [`Refusal`] names the setting.
    pub fn ranking(&self, shipped: Ranking) -> Result<Ranking, Refusal> {
        overlaid(shipped, &self.ranking)
            .map_err(|wrong| Refusal::parameter(&format!("ranking.{}", wrong.name), wrong.reason))
    }
}

/// Refuses a text that is too long to be searched for.
///
/// # Errors
/// [`Refusal`] names `q`.
pub fn text(q: &str) -> Result<(), Refusal> {
    if q.chars().count() <= MAX_TEXT_CHARS {
        return Ok(());
    }
    Err(Refusal::parameter("q", format!("at most {MAX_TEXT_CHARS} characters are searched for")))
}

impl FacetBody {
    fn read(&self, limit: u32) -> Result<Facet, Refusal> {
        let settings = match self {
            Self::Name(name) => FacetSettings { field: name.clone(), ..FacetSettings::default() },
            Self::Settings(settings) => settings.clone(),
        };
        let field = Field::parse(&settings.field)
            .filter(|field| !matches!(field, Field::Id | Field::Sku | Field::Released))
            .ok_or_else(|| {
                let name = &settings.field;
                let there = "there are brand, category, price, available, product_type and attr.<name>";
                Refusal::parameter("facets", format!("`{name}` is no facet; {there}"))
            })?;
        let order = match settings.order.as_deref() {
            None | Some("count") => FacetOrder::Count,
            Some("value") => FacetOrder::Value,
            Some(_) => return Err(Refusal::parameter("facets", "order is count or value")),
        };
        let limit = settings.limit.unwrap_or(limit).clamp(1, MAX_FACET_VALUES);
        if settings.ranges.len() > MAX_FACET_VALUES as usize {
            return Err(Refusal::parameter("facets", format!("at most {MAX_FACET_VALUES} ranges can be counted")));
        }
        let ranges = settings.ranges.iter().map(|range| (range.from, range.to)).collect();
        Ok(Facet { field, limit, order, search: settings.search, ranges })
    }
}

/// Reads a filter in any of its forms; a list must hold as a whole.
fn read_filter(value: &Value) -> Result<Filter, Refusal> {
    match value {
        Value::String(text) => filter::parse(text).map_err(|error| {
            Refusal::at(
                "filter",
                error.position,
                format!("at character {} of `{text}`: {}", error.position, error.reason),
            )
        }),
        Value::Array(parts) => {
            let mut parts: Vec<Filter> = parts.iter().map(read_filter).collect::<Result<_, _>>()?;
            Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::All(flat(parts)) })
        }
        _ => filter::from_json(value)
            .map_err(|error| Refusal::parameter(&format!("filter{}", error.pointer), error.reason)),
    }
}

/// Conditions that all hold, side by side rather than in groups: facets look for their own among them.
fn flat(parts: Vec<Filter>) -> Vec<Filter> {
    let open = |part| match part {
        Filter::All(inner) => flat(inner),
        other => vec![other],
    };
    parts.into_iter().flat_map(open).collect()
}

fn order(value: &str, currency: Currency) -> Result<Sort, Refusal> {
    let (name, descending) = value.strip_prefix('-').map_or((value, false), |name| (name, true));
    match (name, descending) {
        ("" | "relevance", false) => Ok(Sort::Relevance),
        ("price", false) => Ok(Sort::PriceAscending(currency)),
        ("price", true) => Ok(Sort::PriceDescending(currency)),
        ("title", false) => Ok(Sort::Title),
        ("released", false) => Ok(Sort::Oldest),
        ("released", true) => Ok(Sort::Newest),
        _ => match (name.strip_prefix("attr.").filter(|name| !name.is_empty()), descending) {
            (Some(name), false) => Ok(Sort::Attribute(name.to_owned())),
            (Some(name), true) => Ok(Sort::AttributeDescending(name.to_owned())),
            _ => Err(Refusal::parameter(
                "sort",
                "relevance, price, -price, title, released, -released, attr.<name> or -attr.<name> is expected",
            )),
        },
    }
}
