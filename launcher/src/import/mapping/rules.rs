//! What a mapping file may say, as types.

use super::measure::{Measure, Unit};
use schemas::money::Currency;
use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error};
use std::collections::{BTreeMap, BTreeSet};

/// Which field of the source becomes which part of a product.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    pub(super) id: Source,
    pub(super) title: Source,
    #[serde(default)]
    pub(super) slug: Source,
    #[serde(default)]
    pub(super) part_number: Source,
    #[serde(default)]
    pub(super) brand: Source,
    #[serde(default)]
    pub(super) description: Source,
    #[serde(default)]
    pub(super) product_type: Source,
    #[serde(default)]
    pub(super) released_at: Source,
    #[serde(default)]
    pub(super) images: Source,
    #[serde(default)]
    pub(super) sku: Source,
    #[serde(default)]
    pub(super) ean: Source,
    #[serde(default)]
    pub(super) publish: Publish,
    #[serde(default, deserialize_with = "field_or_rule")]
    pub(super) price: Option<PriceRule>,
    #[serde(default, deserialize_with = "field_or_rule")]
    pub(super) stock: Option<StockRule>,
    /// The class of goods that says which taxes are due, made a slug.
    #[serde(default)]
    pub(super) tax_class: Source,
    #[serde(default, deserialize_with = "field_or_rule")]
    pub(super) weight: Option<MeasureRule>,
    #[serde(default, deserialize_with = "field_or_rule")]
    pub(super) length: Option<MeasureRule>,
    #[serde(default, deserialize_with = "field_or_rule")]
    pub(super) width: Option<MeasureRule>,
    #[serde(default, deserialize_with = "field_or_rule")]
    pub(super) height: Option<MeasureRule>,
    #[serde(default, deserialize_with = "field_or_rule")]
    pub(super) categories: Option<CategoryRule>,
    #[serde(default)]
    pub(super) attributes: Attributes,
    #[serde(default)]
    pub(super) attribute_pairs: Vec<PairRule>,
    #[serde(default)]
    pub(super) variants: Option<VariantRule>,
    #[serde(default)]
    pub(super) group: Option<GroupRule>,
    /// Of the text of the mapping: a position is only good for the mapping it was made with.
    #[serde(skip)]
    pub(crate) digest: String,
}

/// The names of fields to take a value from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Source(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(field) => Ok(Self(vec![field])),
            list @ toml::Value::Array(_) => {
                list.try_into().map(Self).map_err(|_| D::Error::custom("a list of field names is expected"))
            }
            _ => Err(D::Error::custom("a field name is expected, or a list of them")),
        }
    }
}

/// Whether products are published: always, never, or as a field says.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "publish must be true, false or the name of a field")]
pub(super) enum Publish {
    Always(bool),
    Field(Source),
}

impl Default for Publish {
    fn default() -> Self {
        Self::Always(true)
    }
}

/// Where amounts come from and how they are written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PriceRule {
    #[serde(alias = "list")]
    pub(super) field: Source,
    #[serde(default)]
    pub(super) sale: Source,
    /// The span of the sale: two moments, or one field with both and a slash between them.
    #[serde(default)]
    pub(super) sale_from: Source,
    #[serde(default)]
    pub(super) sale_until: Source,
    #[serde(default)]
    pub(super) sale_period: Source,
    #[serde(default)]
    pub(super) unit: PriceUnit,
    #[serde(default)]
    pub(super) currency: Option<Currency>,
    #[serde(default)]
    pub(super) currency_field: Source,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PriceUnit {
    /// Whole minor units, such as cents.
    Minor,
    /// Decimal, such as dollars.
    #[default]
    Major,
}

/// Where the pieces on hand come from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StockRule {
    #[serde(default)]
    pub(super) field: Source,
    #[serde(default)]
    pub(super) constant: Option<i64>,
    /// Pieces that are taken to be there where the source only says that there are some.
    #[serde(default = "one")]
    pub(super) in_stock: i64,
    #[serde(default = "main_location")]
    pub(super) location: String,
}

fn one() -> i64 {
    1
}

fn main_location() -> String {
    "main".to_owned()
}

/// Where a weight or a length comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MeasureRule {
    pub(super) field: Source,
    /// What numbers without a unit are in; grams or millimetres, if absent.
    #[serde(default)]
    pub(super) unit: Option<Unit>,
}

/// Where the ways through the category tree come from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CategoryRule {
    pub(super) field: Source,
    #[serde(default = "arrow")]
    pub(super) separator: String,
    #[serde(default)]
    pub(super) list_separator: Option<String>,
    /// Leaves out what is a number: the id of a category in somebody else's taxonomy.
    #[serde(default)]
    pub(super) skip_numbers: bool,
    #[serde(default)]
    pub(super) slug: CategorySlug,
}

fn arrow() -> String {
    ">".to_owned()
}

/// What a category's address is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CategorySlug {
    /// The whole way from the root: unique whatever the tree.
    #[default]
    Path,
    /// The category's own name: shorter, for trees in which no name stands twice.
    Leaf,
}

/// Rows of the source that are one product: its variants, and rows of pictures alone.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupRule {
    /// Rows in which one of these fields holds the same are one product.
    pub(crate) by: Source,
    /// A row in which this field holds something belongs to the row whose `by` it names.
    #[serde(default)]
    pub(crate) parent: Source,
}

/// Two fields that name an attribute and hold its value; in each member of a list, if there is one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PairRule {
    #[serde(default)]
    pub(super) list: Source,
    pub(super) name: Source,
    pub(super) value: Source,
}

/// A list field whose members are what can be bought.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VariantRule {
    pub(super) field: Source,
    /// A member is a variant only if one of these fields holds something.
    #[serde(default)]
    pub(super) when: Source,
    #[serde(default)]
    pub(super) sku: Source,
    /// Two fields each: one names an option, the other holds what this variant has of it.
    #[serde(default)]
    pub(super) option_pairs: Vec<[String; 2]>,
    #[serde(default)]
    pub(super) ean: Source,
    #[serde(default)]
    pub(super) options: Source,
    #[serde(default)]
    pub(super) attributes: Attributes,
    #[serde(default, deserialize_with = "field_or_rule")]
    pub(super) price: Option<PriceRule>,
    #[serde(default, deserialize_with = "field_or_rule")]
    pub(super) stock: Option<StockRule>,
    /// Where it differs from the product's.
    #[serde(default, deserialize_with = "field_or_rule")]
    pub(super) weight: Option<MeasureRule>,
}

/// Field pattern to the kind of attribute.
pub(super) type Attributes = BTreeMap<String, AttributeRule>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AttributeRule {
    pub(super) kind: AttributeKind,
    /// Another name than the field's.
    pub(super) name: Option<String>,
    /// What stands between several texts in one.
    pub(super) separator: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AttributeKind {
    Text,
    Number,
    Bool,
    /// As the JSON says.
    Auto,
}

impl<'de> Deserialize<'de> for AttributeRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Long {
            #[serde(rename = "type")]
            kind: AttributeKind,
            name: Option<String>,
            separator: Option<String>,
        }
        match toml::Value::deserialize(deserializer)? {
            value @ toml::Value::String(_) => {
                let kind = value.try_into().map_err(D::Error::custom)?;
                Ok(Self { kind, name: None, separator: None })
            }
            value => {
                let Long { kind, name, separator } = value.try_into().map_err(D::Error::custom)?;
                Ok(Self { kind, name, separator })
            }
        }
    }
}

/// `price = "price"` is short for `price = { field = "price" }`.
fn field_or_rule<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let table = match toml::Value::deserialize(deserializer)? {
        field @ (toml::Value::String(_) | toml::Value::Array(_)) => {
            toml::Value::Table(toml::Table::from_iter([("field".to_owned(), field)]))
        }
        table => table,
    };
    table.try_into().map(Some).map_err(D::Error::custom)
}

impl Mapping {
    /// What the types can't say.
    pub(super) fn check(&self) -> Result<(), String> {
        let mut prices = vec![("price", self.price.as_ref())];
        let mut stocks = vec![("stock", self.stock.as_ref())];
        if let Some(variants) = &self.variants {
            prices.push(("variants.price", variants.price.as_ref()));
            stocks.push(("variants.stock", variants.stock.as_ref()));
        }
        for (name, rule) in prices {
            if rule.is_some_and(|rule| rule.currency.is_none() && rule.currency_field.0.is_empty()) {
                return Err(format!("`{name}` needs a currency: currency = \"USD\", or currency_field = \"...\""));
            }
        }
        for (name, rule) in stocks {
            if rule.is_some_and(|rule| rule.field.0.is_empty() && rule.constant.is_none()) {
                return Err(format!("`{name}` needs a field, or a constant number of pieces"));
            }
        }
        let of_variants = self.variants.as_ref().and_then(|variants| variants.weight.as_ref());
        for (name, rule, what) in [
            ("weight", self.weight.as_ref(), Measure::Weight),
            ("length", self.length.as_ref(), Measure::Length),
            ("width", self.width.as_ref(), Measure::Length),
            ("height", self.height.as_ref(), Measure::Length),
            ("variants.weight", of_variants, Measure::Weight),
        ] {
            if rule.and_then(|rule| rule.unit).is_some_and(|unit| unit.measures() != what) {
                return Err(format!("`{name}` has a unit that measures something else"));
            }
        }
        let variants = self.variants.iter().flat_map(|variants| &variants.attributes);
        for (pattern, rule) in self.attributes.iter().chain(variants) {
            let stars = pattern.matches('*').count();
            if stars > 1 || (stars == 1 && !pattern.ends_with('*')) {
                return Err(format!("the attribute pattern `{pattern}` may have one `*`, at its end"));
            }
            if stars == 1 && rule.name.is_some() {
                return Err(format!(
                    "the attribute pattern `{pattern}` stands for many fields: it can't have one name"
                ));
            }
        }
        Ok(())
    }

    /// Fields that are already a part of the product, and so are no attributes beside it.
    pub(super) fn used_fields(&self) -> BTreeSet<&str> {
        let price = self.price.iter().flat_map(|rule| {
            [&rule.field, &rule.sale, &rule.sale_from, &rule.sale_until, &rule.sale_period, &rule.currency_field]
        });
        let others = [&self.id, &self.title, &self.slug, &self.part_number, &self.brand, &self.description];
        let more = [&self.product_type, &self.released_at, &self.images, &self.sku, &self.ean, &self.tax_class];
        let measures = [&self.weight, &self.length, &self.width, &self.height];
        let measures = measures.into_iter().flatten().map(|rule| &rule.field);
        let lists = self.stock.iter().map(|rule| &rule.field).chain(self.categories.iter().map(|rule| &rule.field));
        let variants = self.variants.iter().map(|rule| &rule.field);
        let sources = others.into_iter().chain(more).chain(price).chain(lists).chain(variants).chain(measures);
        sources.flat_map(|source| source.0.iter().map(String::as_str)).collect()
    }
}
