//! What the stations between an event and a hit have of a product.

use crate::example;
use schemas::{
    Timestamp, Uuid,
    dead_letter::DeadLetterState,
    ids::{ProductId, TenantId},
    product_page::ProductStatus,
    topics::partition_key,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Products that a look-up has found.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(ProductsNamed::example())))]
pub struct ProductsNamed {
    /// The products; by words, the best first.
    pub products: Vec<ProductNamed>,
}

impl ProductsNamed {
    fn example() -> Self {
        let card = example::card();
        let product = ProductNamed {
            product_id: card.id.uuid(),
            slug: Some(card.slug),
            external_id: card.external_id,
            title: Some(card.title),
            by: "slug".to_owned(),
        };
        Self { products: vec![product] }
    }
}

/// A product by its names.
#[derive(Debug, Clone, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ProductNamed {
    /// souk's id.
    pub product_id: Uuid,
    /// The name in addresses; null if it has no page yet.
    pub slug: Option<String>,
    /// The id it was imported under.
    pub external_id: Option<String>,
    /// The name people read; null if it has no page yet.
    pub title: Option<String>,
    /// By what it was found: `id`, `slug`, `external id` or `search`.
    pub by: String,
}

/// One product from its events to its hit.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(Lineage::example())))]
pub struct Lineage {
    /// What the read database has.
    #[serde(flatten)]
    pub kept: Kept,
    /// The name people read, if any station has one.
    pub title: Option<String>,
    /// The index generations that are open on this node.
    pub generations: Vec<Held>,
    /// Whether a search for its title finds it.
    pub found: bool,
    /// Why, or why not; null without an index or a title.
    pub reason: Option<String>,
}

impl Lineage {
    fn example() -> Self {
        let (page, id) = (example::page(), example::product());
        let source = Source {
            context: "catalog".to_owned(),
            aggregate: "product".to_owned(),
            aggregate_id: id.uuid(),
            version: 2,
            deleted: false,
            event_time: example::moment(),
            body: example::no_fields(),
        };
        let document = Document {
            doc_version: 5,
            content_hash: "8d3a61c7".to_owned(),
            text_hash: Some("f00b31a9".to_owned()),
            deleted: false,
            body: example::no_fields(),
            waiting: false,
        };
        let vector = Vector {
            model_id: "all-MiniLM-L6-v2/int8-weights".to_owned(),
            doc_version: 5,
            content_hash: "f00b31a9".to_owned(),
        };
        let kept = Kept {
            product_id: id,
            key: partition_key(TenantId(example::id(9)), id.uuid()),
            sources: vec![source],
            last_event_time: Some(example::moment()),
            page: Some(PageRow {
                slug: page.slug,
                external_id: page.external_id,
                status: page.status,
                doc_version: 5,
                updated_at: example::moment(),
                next_price_change_at: None,
                title: Some(page.title.clone()),
            }),
            document: Some(document),
            vectors: vec![vector],
            dead_letters: Vec::new(),
        };
        let generations = vec![Held { active: true, generation: example::GENERATION.to_owned(), version: Some(5) }];
        Self { kept, title: Some(page.title), generations, found: true, reason: Some("it is the first hit".to_owned()) }
    }
}

/// What the read database has of a product.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Kept {
    /// The product.
    pub product_id: ProductId,
    /// The Kafka key of its events: tenant and product.
    pub key: String,
    /// Each aggregate's part of what is known of it.
    pub sources: Vec<Source>,
    /// When the newest event among them happened.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_event_time: Option<Timestamp>,
    /// Its page; null before it was composed.
    pub page: Option<PageRow>,
    /// Its search document; null before it was composed.
    pub document: Option<Document>,
    /// Its vectors, by model.
    pub vectors: Vec<Vector>,
    /// Open dead letters of it, the oldest hundred.
    #[serde(rename = "letters")]
    pub dead_letters: Vec<DeadLetterOfProduct>,
}

/// One aggregate's part of what is known of a product.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Source {
    /// The context.
    pub context: String,
    /// The kind of aggregate.
    pub aggregate: String,
    /// The aggregate.
    pub aggregate_id: Uuid,
    /// Its version.
    pub version: i64,
    /// Whether it was deleted.
    pub deleted: bool,
    /// When the event happened that it is known from.
    #[schema(value_type = String, format = DateTime)]
    pub event_time: Timestamp,
    /// The part itself; its fields depend on the context.
    #[schema(value_type = serde_json::Value)]
    pub body: Box<RawValue>,
}

/// The row of a product's page.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PageRow {
    /// The name in addresses.
    pub slug: String,
    /// The id it was imported under.
    pub external_id: Option<String>,
    /// Where it is in its life.
    pub status: ProductStatus,
    /// The version of its search document.
    pub doc_version: i64,
    /// When it was composed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When a scheduled price starts or ends next.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_price_change_at: Option<Timestamp>,
    /// The name people read.
    pub title: Option<String>,
}

/// The row of a search document.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Document {
    /// Its version.
    pub doc_version: i64,
    /// Of the document without its version; the same content is not published again.
    pub content_hash: String,
    /// Of the text that vectors are made of; null for a deleted document.
    pub text_hash: Option<String>,
    /// Whether the product can't be found any more.
    pub deleted: bool,
    /// The document.
    #[schema(value_type = serde_json::Value)]
    pub body: Box<RawValue>,
    /// Whether the broker has not confirmed it yet.
    pub waiting: bool,
}

/// A vector of a product.
#[derive(Debug, Clone, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Vector {
    /// The model.
    pub model_id: String,
    /// The version of the document it was made of.
    pub doc_version: i64,
    /// The hash of the text it was made of.
    pub content_hash: String,
}

/// An open dead letter of a product.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeadLetterOfProduct {
    /// Its number.
    pub id: i64,
    /// Where it is.
    pub state: DeadLetterState,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub record_offset: i64,
    /// What happened.
    pub error: String,
}

/// What an index generation has of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Held {
    /// Whether searches are answered from it.
    pub active: bool,
    /// The generation.
    pub generation: String,
    /// The version of its document; null if it has none.
    pub version: Option<u64>,
}
