//! Creating, changing, publishing, archiving and deleting products.

mod desk;

pub(crate) use desk::Desk;

use super::{Done, Expected, Kind, Rejected};
use crate::{
    domain::catalog::product::Content,
    store::{self, Failure, Scope, categories, products::Wanted, variants},
};
use schemas::{Uuid, contexts::Context, ids::ProductId};
use sqlx::PgConnection;

/// What shall happen to a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Create,
    /// Replace the content of one that is there.
    Change,
    /// Create it, or replace the content of the one that is meant.
    Upsert,
    Publish,
    Archive,
    Delete,
}

/// One command to a product.
#[derive(Debug, Clone)]
pub(crate) struct ProductLine {
    pub(crate) op: Op,
    pub(crate) expected: Expected,
    /// The id it gets if it is new.
    pub(crate) fresh: ProductId,
    /// Which product is meant: by id, else by external id, else by slug.
    pub(crate) id: Option<ProductId>,
    pub(crate) external_id: Option<String>,
    pub(crate) slug: Option<String>,
    /// For create, change and upsert.
    pub(crate) content: Option<Content>,
    /// External ids or slugs of categories beside those in the content.
    pub(crate) categories: Vec<String>,
    /// Whether it shall be published too.
    pub(crate) publish: bool,
}

/// Products.
#[derive(Debug)]
pub(crate) struct Products;

impl Kind for Products {
    const CONTEXT: Context = Context::Catalog;
    type Line = ProductLine;
    type Desk = Desk;

    fn name(line: &ProductLine) -> &'static str {
        match line.op {
            Op::Create => "create_product",
            Op::Change => "change_product",
            Op::Upsert => "upsert_product",
            Op::Publish => "publish_product",
            Op::Archive => "archive_product",
            Op::Delete => "delete_product",
        }
    }

    async fn load(conn: &mut PgConnection, scope: &Scope, lines: &[&ProductLine]) -> Result<Desk, Failure> {
        let made: Vec<Option<String>> = lines.iter().map(|line| made_slug(line)).collect();
        let (mut wanted, mut skus) = (Wanted::default(), Vec::new());
        let (mut names, mut ids): (Vec<&str>, Vec<Uuid>) = (Vec::new(), Vec::new());
        for (line, made) in lines.iter().zip(&made) {
            wanted.ids.extend(line.id.map(ProductId::uuid));
            wanted.external_ids.extend(line.external_id.as_deref());
            wanted.slugs.extend(line.slug.as_deref().or(made.as_deref()));
            names.extend(line.categories.iter().map(String::as_str));
            if let Some(content) = line.content.as_ref().map(Content::content) {
                skus.extend(content.variants.iter().map(|variant| variant.sku.as_str()));
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
        let variants = variants::of_skus(conn, scope, &skus).await?;
        let batch = store::products::load(conn, scope, &wanted).await?;
        let categories = categories::find(conn, scope, &names, &ids).await?;
        Ok(Desk::new(batch, variants, categories))
    }

    fn decide(desk: &mut Desk, line: &ProductLine) -> Result<Done, Rejected> {
        desk.decide(line)
    }

    async fn write(conn: &mut PgConnection, scope: &Scope, desk: Desk) -> Result<(), Failure> {
        desk.into_batch().append(conn, scope).await
    }
}

/// The slug that would be made for a new product, whose owner has to be looked up too.
fn made_slug(line: &ProductLine) -> Option<String> {
    let content = line.content.as_ref().filter(|content| content.slug().is_none())?;
    Some(content.made_slug(line.fresh).as_str().to_owned())
}
