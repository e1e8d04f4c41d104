//! A product as it is sent.

use crate::{
    clock::Clock,
    contexts::catalog::{
        commands::products::{Op, ProductRequest},
        domain::product::{Content, Draft, form},
    },
    domain::validation::Findings,
    pipeline::{Expected, Rejection},
};
use schemas::{
    Timestamp,
    events::catalog::{AttributeValue, Image, ProductContent, ProductOption, Schedule, Variant},
    ids::{CategoryId, ProductId, VariantId},
};
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A product, alone or as a line of a bulk write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::contexts::catalog) struct ProductInput {
    /// In bulk only: what shall happen; `upsert` if absent.
    op: Option<BulkOp>,
    /// In bulk only: the product that is meant, else the one of `external_id`, else the one of `slug`.
    #[schema(value_type = Option<schemas::Uuid>)]
    id: Option<ProductId>,
    /// Publish it too; false leaves its status alone.
    #[serde(default)]
    publish: bool,
    /// The id in the system it comes from, unique in the tenant.
    external_id: Option<String>,
    /// The name in addresses, unique in the tenant; one is made of title and external id if absent.
    slug: Option<String>,
    /// The name people read; needed wherever content is written.
    #[serde(default)]
    title: String,
    /// The maker's part number.
    part_number: Option<String>,
    /// May hold HTML.
    description: Option<String>,
    /// The maker.
    brand: Option<String>,
    /// What kind of thing it is.
    product_type: Option<String>,
    /// Categories by id; the first is the main one.
    #[schema(value_type = Vec<schemas::Uuid>)]
    #[serde(default)]
    category_ids: Vec<CategoryId>,
    /// Categories by external id or slug, after those by id.
    #[serde(default)]
    categories: Vec<String>,
    /// Attributes by name.
    #[schema(value_type = BTreeMap<String, AttributeInput>)]
    #[serde(default)]
    attributes: BTreeMap<String, AttributeValue>,
    /// The choices between variants.
    #[serde(default)]
    options: Vec<OptionInput>,
    /// At least one.
    #[serde(default)]
    variants: Vec<VariantInput>,
    /// The first is the main one.
    #[serde(default)]
    images: Vec<ImageInput>,
    /// When it came to market.
    #[schema(value_type = Option<String>, format = DateTime)]
    released_at: Option<Timestamp>,
    /// The class of goods that says which taxes are due; `standard`, if absent.
    tax_class: Option<String>,
    /// What a piece weighs with its packaging, in grams.
    #[schema(minimum = 1, maximum = 10_000_000)]
    weight_grams: Option<i64>,
    /// How long a piece is with its packaging, in millimetres.
    #[schema(minimum = 1, maximum = 100_000)]
    length_mm: Option<i64>,
    /// How wide it is, in millimetres.
    #[schema(minimum = 1, maximum = 100_000)]
    width_mm: Option<i64>,
    /// How high it is, in millimetres.
    #[schema(minimum = 1, maximum = 100_000)]
    height_mm: Option<i64>,
}

/// What shall happen to the product of a line.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::contexts::catalog) enum BulkOp {
    Create,
    Upsert,
    Publish,
    Archive,
    Delete,
}

/// A typed attribute value: true or false, a number, a text or several texts.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "read by the OpenAPI macros only")]
pub(in crate::contexts::catalog) enum AttributeInput {
    Bool(bool),
    Number(f64),
    Text(String),
    Texts(Vec<String>),
}

/// A choice that makes variants differ.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::contexts::catalog) struct OptionInput {
    /// Such as `size`.
    name: String,
    /// In the order they are shown.
    values: Vec<String>,
}

/// A picture.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::contexts::catalog) struct ImageInput {
    /// Where it is.
    url: String,
    /// What it shows.
    alt: Option<String>,
}

/// One way in which a product is sold, with a SKU of its own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::contexts::catalog) struct VariantInput {
    /// One that the product has; if absent, the variant of the SKU, or a new one.
    #[schema(value_type = Option<schemas::Uuid>)]
    id: Option<VariantId>,
    /// Stock keeping unit, unique in the tenant.
    sku: String,
    /// EAN/GTIN codes.
    #[serde(default)]
    eans: Vec<String>,
    /// A value for each of the product's options.
    #[serde(default)]
    options: BTreeMap<String, String>,
    /// Attributes that differ from the product's.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, AttributeInput>)]
    attributes: BTreeMap<String, AttributeValue>,
    /// What a piece weighs with its packaging, in grams; as the product, if absent.
    #[schema(minimum = 1, maximum = 10_000_000)]
    weight_grams: Option<i64>,
}

/// When a product comes into sight and goes out of it by itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::contexts::catalog) struct ScheduleInput {
    /// When it is published; at once, if that has passed; not by itself, if absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    publish_at: Option<Timestamp>,
    /// When it is archived, after `publish_at`; at once, if that has passed; not by itself, if absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    archive_at: Option<Timestamp>,
}

impl ScheduleInput {
    /// The schedule, if a product can keep it.
    pub(super) fn schedule(self) -> Result<Schedule, Rejection> {
        // As PostgreSQL keeps it, so that the same again is the same.
        let stored = |at: Option<Timestamp>| at.and_then(|at| Timestamp::from_timestamp_micros(at.timestamp_micros()));
        let schedule = Schedule { publish_at: stored(self.publish_at), archive_at: stored(self.archive_at) };
        let mut findings = Findings::default();
        form::a_product_is_shown_before_it_is_hidden(&mut findings, schedule);
        findings.done().map_err(Rejection::invalid)?;
        Ok(schedule)
    }
}

impl ProductInput {
    /// The command of a request of its own.
    pub(super) fn single(
        self,
        op: Op,
        id: Option<ProductId>,
        expected: Expected,
        clock: &dyn Clock,
    ) -> Result<ProductRequest, Rejection> {
        for (name, is_there) in [("op", self.op.is_some()), ("id", self.id.is_some())] {
            if is_there {
                let detail = "only lines of a bulk write have this";
                return Err(Rejection::invalid_at(format!("/{name}"), detail));
            }
        }
        self.request(op, id, expected, clock)
    }

    /// The command of a line.
    pub(super) fn bulk(self, clock: &dyn Clock) -> Result<ProductRequest, Rejection> {
        let op = match self.op {
            None | Some(BulkOp::Upsert) => Op::Upsert,
            Some(BulkOp::Create) => Op::Create,
            Some(BulkOp::Publish) => Op::Publish,
            Some(BulkOp::Archive) => Op::Archive,
            Some(BulkOp::Delete) => Op::Delete,
        };
        let id = self.id;
        if op == Op::Create && id.is_some() {
            return Err(Rejection::invalid_at("/id", "a new product is given its id by souk"));
        }
        if op != Op::Create && id.is_none() && self.external_id.is_none() && self.slug.is_none() {
            let detail = "name the product by `id`, `external_id` or `slug`";
            return Err(Rejection::invalid_at("/external_id", detail));
        }
        self.request(op, id, Expected::Any, clock)
    }

    fn request(
        mut self,
        op: Op,
        id: Option<ProductId>,
        expected: Expected,
        clock: &dyn Clock,
    ) -> Result<ProductRequest, Rejection> {
        let (external_id, slug) = (self.external_id.clone(), self.slug.clone());
        let (publish, categories) = (self.publish, std::mem::take(&mut self.categories));
        if categories.len() > 50 {
            let detail = "at most 50 categories are allowed";
            return Err(Rejection::invalid_at("/categories", detail));
        }
        let content = match op {
            Op::Create | Op::Change | Op::Upsert => {
                Some(Content::parse(self.draft(clock)).map_err(Rejection::invalid)?)
            }
            Op::Publish | Op::Archive | Op::Schedule(_) | Op::CarryOut(_) | Op::Delete => None,
        };
        let fresh = ProductId(clock.id());
        Ok(ProductRequest { op, expected, fresh, id, external_id, slug, content, categories, publish })
    }

    fn draft(self, clock: &dyn Clock) -> Draft {
        let given_ids = self.variants.iter().map(|variant| variant.id.is_some()).collect();
        let variant = |input: VariantInput| Variant {
            id: input.id.unwrap_or_else(|| VariantId(clock.id())),
            sku: input.sku,
            eans: input.eans,
            options: input.options,
            attributes: input.attributes,
            weight_grams: input.weight_grams,
        };
        let option = |input: OptionInput| ProductOption { name: input.name, values: input.values };
        let content = ProductContent {
            external_id: self.external_id,
            slug: self.slug.unwrap_or_default(),
            title: self.title,
            part_number: self.part_number,
            description: self.description,
            brand: self.brand,
            product_type: self.product_type,
            category_ids: self.category_ids,
            attributes: self.attributes,
            options: self.options.into_iter().map(option).collect(),
            variants: self.variants.into_iter().map(variant).collect(),
            images: self.images.into_iter().map(|input| Image { url: input.url, alt: input.alt }).collect(),
            released_at: self.released_at,
            tax_class: self.tax_class,
            weight_grams: self.weight_grams,
            length_mm: self.length_mm,
            width_mm: self.width_mm,
            height_mm: self.height_mm,
        };
        Draft { content, given_ids }
    }
}
