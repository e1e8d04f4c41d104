//! Creating, changing, publishing, archiving and deleting products.

mod working_set;

pub(in crate::contexts::catalog) use working_set::Products;

use crate::{
    contexts::catalog::{
        domain::product::Content,
        port,
        table::{
            attribute_names::{self, AttributeNames},
            categories,
            products::{self, Wanted},
        },
    },
    pipeline::{Expected, Failure, Scope},
};
use schemas::{Timestamp, Uuid, events::catalog::Schedule, ids::ProductId};
use sqlx::PgConnection;
use std::{collections::BTreeSet, time::Instant};
use working_set::Room;

/// What shall happen to a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::contexts::catalog) enum Op {
    Create,
    /// Replace the content of one that is there.
    Change,
    /// Create it, or replace the content of the one that is meant.
    Upsert,
    Publish,
    Archive,
    /// Have it published and archived by itself.
    Schedule(Schedule),
    /// Do what is due by then.
    CarryOut(Timestamp),
    Delete,
}

/// What somebody asks for.
#[derive(Debug, Clone)]
pub(in crate::contexts::catalog) struct ProductRequest {
    pub(in crate::contexts::catalog) op: Op,
    pub(in crate::contexts::catalog) expected: Expected,
    /// The id it gets if it is new.
    pub(in crate::contexts::catalog) fresh: ProductId,
    /// Which product is meant: by id, else by external id, else by slug.
    pub(in crate::contexts::catalog) id: Option<ProductId>,
    pub(in crate::contexts::catalog) external_id: Option<String>,
    pub(in crate::contexts::catalog) slug: Option<String>,
    /// For create, change and upsert.
    pub(in crate::contexts::catalog) content: Option<Content>,
    /// External ids or slugs of categories beside those in the content.
    pub(in crate::contexts::catalog) categories: Vec<String>,
    /// Whether it shall be published too.
    pub(in crate::contexts::catalog) publish: bool,
}

impl ProductRequest {
    /// What brings no content, to one product.
    pub(in crate::contexts::catalog) const fn bare(op: Op, id: ProductId, expected: Expected) -> Self {
        Self {
            op,
            expected,
            fresh: id,
            id: Some(id),
            external_id: None,
            slug: None,
            content: None,
            categories: Vec::new(),
            publish: false,
        }
    }
}

impl Products {
    /// The products that are meant, the SKUs, and the categories that are named.
    async fn find(conn: &mut PgConnection, scope: &Scope, inputs: &[&ProductRequest]) -> Result<Self, Failure> {
        let made: Vec<Option<String>> = inputs.iter().map(|input| made_slug(input)).collect();
        let (mut wanted, mut skus) = (Wanted::default(), Vec::new());
        let (mut names, mut ids): (Vec<&str>, Vec<Uuid>) = (Vec::new(), Vec::new());
        let mut attributes = BTreeSet::new();
        for (input, made) in inputs.iter().zip(&made) {
            wanted.ids.extend(input.id.map(ProductId::uuid));
            wanted.external_ids.extend(input.external_id.as_deref());
            wanted.slugs.extend(input.slug.as_deref().or(made.as_deref()));
            names.extend(input.categories.iter().map(String::as_str));
            if let Some(content) = input.content.as_ref().map(Content::content) {
                skus.extend(content.variants.iter().map(|variant| variant.sku.as_str()));
                attributes.extend(attribute_names::of(content));
                ids.extend(content.category_ids.iter().map(|id| id.uuid()));
            }
        }
        for list in [&mut names, &mut skus] {
            list.sort_unstable();
            list.dedup();
        }
        ids.sort_unstable();
        ids.dedup();
        // SKUs before products: what commits in between is then met as the product that is meant or by
        // a unique key (and decided again), never as a stranger that has the SKU.
        let variants = port::of_skus(conn, scope, &skus).await?;
        let batch = products::find(conn, scope, &wanted).await?;
        let categories = categories::find(conn, scope, &names, &ids).await?;
        let attributes = AttributeNames::find(conn, scope, &attributes).await?;
        let creates = inputs.iter().any(|input| matches!(input.op, Op::Create | Op::Upsert));
        let room = if creates { room(conn, scope).await? } else { Room::default() };
        Ok(Self::new(batch, variants, categories, (attributes, scope.most_attributes), room))
    }
}

/// How many products the shop has, where it may not have as many as it likes: counted a moment ago, or now.
async fn room(conn: &mut PgConnection, scope: &Scope) -> Result<Room, Failure> {
    let Some(most) = scope.allowance.quotas.products else { return Ok(Room::default()) };
    let began = Instant::now();
    let used = match scope.allowance.products(scope.tenant, began) {
        Some(used) => used,
        None => {
            let used = products::count(conn, scope).await?;
            scope.allowance.counted(scope.tenant, used, began);
            used
        }
    };
    Ok(Room { most: Some(most), used, moved: 0 })
}

/// The slug that would be made for a new product, whose owner has to be looked up too.
fn made_slug(input: &ProductRequest) -> Option<String> {
    let content = input.content.as_ref().filter(|content| content.slug().is_none())?;
    Some(content.made_slug(input.fresh).as_str().to_owned())
}
