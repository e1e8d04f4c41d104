//! Events of the catalog context: products with variants, and the category tree.

mod attribute_value;

use crate::{
    Timestamp,
    ids::{CategoryId, ProductId, VariantId},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A typed attribute value. Numbers are kept as the JSON number that was given.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema, utoipa::ToSchema)]
#[serde(untagged)]
pub enum AttributeValue {
    /// True or false.
    Bool(bool),
    /// A number; its unit is part of the attribute's name.
    Number(f64),
    /// One text.
    Text(String),
    /// Several texts, such as the colours of a two-coloured shoe.
    Texts(Vec<String>),
}

/// A choice that makes variants differ, such as size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct ProductOption {
    /// Such as `size`.
    pub name: String,
    /// The allowed values, in the order they are shown.
    pub values: Vec<String>,
}

/// What a shopper buys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Variant {
    /// Its id.
    pub id: VariantId,
    /// Stock keeping unit, unique in the tenant.
    pub sku: String,
    /// EAN/GTIN codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub eans: Vec<String>,
    /// Option name to value, one for each of the product's options.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// Attributes that differ from the product's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeValue>,
    /// What it weighs with its packaging, in grams; as the product, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<i64>,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct Image {
    /// Where it is.
    pub url: String,
    /// What it shows, for those who can't see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt: Option<String>,
}

/// Everything the catalog knows of a product, but its status and its schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProductContent {
    /// The id in the system it was imported from, unique in the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The name in addresses, unique in the tenant.
    pub slug: String,
    /// The name people read.
    pub title: String,
    /// The maker's part number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_number: Option<String>,
    /// May hold HTML; shown escaped or cleaned, never raw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The maker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// What kind of thing it is, such as `Notebook`, where the source says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_type: Option<String>,
    /// The categories it stands in; the first is the main one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub category_ids: Vec<CategoryId>,
    /// Attributes by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeValue>,
    /// The choices between its variants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ProductOption>,
    /// At least one.
    pub variants: Vec<Variant>,
    /// The first is the main one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
    /// When it came to market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
    /// The class of goods that says which taxes are due, by its name; `standard`, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_class: Option<String>,
    /// What a piece weighs with its packaging, in grams, where a variant doesn't say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<i64>,
    /// How long a piece is with its packaging, in millimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_mm: Option<i64>,
    /// How wide it is, in millimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width_mm: Option<i64>,
    /// How high it is, in millimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height_mm: Option<i64>,
}

impl ProductContent {
    /// A product of which nothing is known but the names: no variants, no attributes.
    #[must_use]
    pub fn named(slug: &str, title: &str) -> Self {
        Self {
            external_id: None,
            slug: slug.to_owned(),
            title: title.to_owned(),
            part_number: None,
            description: None,
            brand: None,
            product_type: None,
            category_ids: Vec::new(),
            attributes: BTreeMap::new(),
            options: Vec::new(),
            variants: Vec::new(),
            images: Vec::new(),
            released_at: None,
            tax_class: None,
            weight_grams: None,
            length_mm: None,
            width_mm: None,
            height_mm: None,
        }
    }
}

impl Variant {
    /// A variant of which nothing is known but its id and SKU.
    #[must_use]
    pub fn named(id: VariantId, sku: &str) -> Self {
        Self {
            id,
            sku: sku.to_owned(),
            eans: Vec::new(),
            options: BTreeMap::new(),
            attributes: BTreeMap::new(),
            weight_grams: None,
        }
    }
}

/// A product was written down, as a draft.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProductCreated {
    /// Its id, also the aggregate id.
    pub product_id: ProductId,
    /// What is known of it.
    pub content: ProductContent,
}

/// A product's content was replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProductChanged {
    /// Its id.
    pub product_id: ProductId,
    /// The whole new content.
    pub content: ProductContent,
}

/// A product's status moved, or it was deleted; which one the event's type says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductMoved {
    /// Its id.
    pub product_id: ProductId,
}

/// When a product comes into sight and goes out of it by itself: from the first moment on, until before the second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct Schedule {
    /// When it is published; not by itself, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub publish_at: Option<Timestamp>,
    /// When it is archived; not by itself, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub archive_at: Option<Timestamp>,
}

impl Schedule {
    /// Whether nothing will happen by itself.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.publish_at.is_none() && self.archive_at.is_none()
    }

    /// What is left of it at a moment: what was due by then is gone.
    #[must_use]
    pub fn after(self, now: Timestamp) -> Self {
        let left = |at: Option<Timestamp>| at.filter(|at| *at > now);
        Self { publish_at: left(self.publish_at), archive_at: left(self.archive_at) }
    }
}

/// What shall happen to a product by itself was said anew, or has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductScheduled {
    /// Its id.
    pub product_id: ProductId,
    /// What is to come; empty, if nothing is any more.
    pub schedule: Schedule,
}

/// Everything the catalog knows of a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CategoryContent {
    /// The id in the system it was imported from, unique in the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The node above; none for a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<CategoryId>,
    /// The name in addresses, unique in the tenant.
    pub slug: String,
    /// The name people read.
    pub name: String,
    /// Order among siblings, low first.
    #[serde(default)]
    pub position: i32,
}

/// A category was created or its content replaced; which one the event's type says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CategoryWritten {
    /// Its id, also the aggregate id.
    pub category_id: CategoryId,
    /// The whole content.
    pub content: CategoryContent,
}

/// A category was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CategoryDeleted {
    /// Its id.
    pub category_id: CategoryId,
}

super::events! {
    /// What happens in the catalog.
    CatalogEvent of Catalog; {
        /// A product was written down, as a draft.
        ProductCreated(ProductCreated) = "souk.catalog.product.created.v1",
        /// Its content was replaced.
        ProductChanged(ProductChanged) = "souk.catalog.product.changed.v1",
        /// Shoppers can see it.
        ProductPublished(ProductMoved) = "souk.catalog.product.published.v1",
        /// Shoppers no longer see it; it can be published again.
        ProductArchived(ProductMoved) = "souk.catalog.product.archived.v1",
        /// When it is published and archived by itself was said anew.
        ProductScheduled(ProductScheduled) = "souk.catalog.product.scheduled.v1",
        /// It is gone; slug and SKUs are free again.
        ProductDeleted(ProductMoved) = "souk.catalog.product.deleted.v1",
        /// A category was created.
        CategoryCreated(CategoryWritten) = "souk.catalog.category.created.v1",
        /// A category was renamed, moved or reordered.
        CategoryChanged(CategoryWritten) = "souk.catalog.category.changed.v1",
        /// A category was deleted.
        CategoryDeleted(CategoryDeleted) = "souk.catalog.category.deleted.v1",
    }
}
