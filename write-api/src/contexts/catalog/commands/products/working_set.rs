//! What was loaded for some products, kept up to date as each input is decided.

use super::{Op, ProductRequest};
use crate::{
    contexts::catalog::{
        domain::product::{Content, Facts, Product, ProductCommand, Rejection as ProductRejection},
        port::{KnownVariant, KnownVariants},
        table::attribute_names::AttributeNames,
    },
    domain::Aggregate,
    pipeline::{Batch, Change, Done, Failure, Rejection, Scope, WorkingSet, outcome::DoneVariant},
};
use schemas::{
    contexts::Context,
    events::CatalogEvent,
    ids::{CategoryId, ProductId},
    problem::FieldError,
};
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};

/// Products, and whose the names are that they may not share.
pub(in crate::contexts::catalog) struct Products {
    batch: Batch<Product>,
    names: Names,
    room: Room,
}

/// How many products the shop has, and may have.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Room {
    /// None where nobody asks.
    pub(super) most: Option<u64>,
    pub(super) used: u64,
    /// How many more, or fewer, there are by what was decided here.
    pub(super) moved: i64,
}

impl Room {
    /// Whether there is room for one more.
    fn check(&self) -> Result<(), ProductRejection> {
        let Some(most) = self.most else { return Ok(()) };
        let used = self.used.saturating_add_signed(self.moved);
        if used < most { Ok(()) } else { Err(ProductRejection::TooManyProducts { used, most }) }
    }
}

/// Who has which name.
struct Names {
    slugs: HashMap<String, ProductId>,
    external_ids: HashMap<String, ProductId>,
    variants: KnownVariants,
    category_ids: HashSet<CategoryId>,
    /// By external id first, then by slug.
    category_names: HashMap<String, CategoryId>,
    attributes: AttributeNames,
    /// How many attribute names the shop may have.
    most_attributes: usize,
}

impl WorkingSet for Products {
    const CONTEXT: Context = Context::Catalog;
    type Input = ProductRequest;

    fn name(input: &ProductRequest) -> &'static str {
        match input.op {
            Op::Create => "create_product",
            Op::Change => "change_product",
            Op::Upsert => "upsert_product",
            Op::Publish => "publish_product",
            Op::Archive => "archive_product",
            Op::Schedule(_) => "schedule_product",
            Op::CarryOut(_) => "carry_out_schedule",
            Op::Delete => "delete_product",
        }
    }

    async fn load(conn: &mut PgConnection, scope: &Scope, inputs: &[&ProductRequest]) -> Result<Self, Failure> {
        Self::find(conn, scope, inputs).await
    }

    fn decide(&mut self, input: &ProductRequest) -> Result<Done, Rejection> {
        let id = match (self.meant(input), input.op) {
            (_, Op::Create) => input.id.unwrap_or(input.fresh),
            (Some(id), _) => id,
            (None, Op::Upsert) if input.id.is_none() => input.fresh,
            (None, _) => return Err(missing(input)),
        };
        let (names, old) = (&self.names, self.batch.state(id.uuid()).cloned());
        if old.is_none() && matches!(input.op, Op::Create | Op::Upsert) {
            self.room.check()?;
        }
        let mut done =
            self.batch.carry_out(id.uuid(), input.expected, |batch| names.decide(id, input, batch.state(id.uuid())))?;
        let new = self.batch.state(id.uuid());
        self.room.moved += i64::from(new.is_some()) - i64::from(old.is_some());
        if let Some(product) = new {
            let variants = product.content.variants.iter();
            done.variants = variants.map(|variant| DoneVariant { sku: variant.sku.clone(), id: variant.id }).collect();
        }
        if done.change != Change::Unchanged {
            self.names.follow(old.as_ref(), new);
            // What only moves brings no names, and those of it were not looked up.
            if let Some(product) = new.filter(|_| input.content.is_some()) {
                self.names.attributes.follow(&product.content);
            }
        }
        Ok(done)
    }

    async fn write(self, conn: &mut PgConnection, scope: &Scope) -> Result<(), Failure> {
        // First: who waits for a name holds no new row yet that others wait for.
        self.names.attributes.write(conn, scope).await?;
        self.batch.append(conn, scope).await?;
        scope.allowance.moved(self.room.moved);
        Ok(())
    }
}

impl Products {
    pub(super) fn new(
        batch: Batch<Product>,
        variants: KnownVariants,
        categories: Vec<(CategoryId, String, Option<String>)>,
        (attributes, most_attributes): (AttributeNames, usize),
        room: Room,
    ) -> Self {
        let slugs = batch.states().map(|product| (product.content.slug.clone(), product.id)).collect();
        let external = |product: &Product| Some((product.content.external_id.clone()?, product.id));
        let external_ids = batch.states().filter_map(external).collect();
        let category_ids = categories.iter().map(|(id, ..)| *id).collect();
        let mut category_names: HashMap<String, CategoryId> =
            categories.iter().map(|(id, slug, _)| (slug.clone(), *id)).collect();
        category_names.extend(categories.into_iter().filter_map(|(id, _, external_id)| Some((external_id?, id))));
        let names = Names { slugs, external_ids, variants, category_ids, category_names, attributes, most_attributes };
        Self { batch, names, room }
    }

    /// The product that an input means: by its id, else by its external id, else by its slug. A product that is known
    /// under another external id is not meant by its slug.
    fn meant(&self, input: &ProductRequest) -> Option<ProductId> {
        if let Some(id) = input.id {
            return Some(id).filter(|id| self.batch.state(id.uuid()).is_some());
        }
        if let Some(id) = input.external_id.as_ref().and_then(|id| self.names.external_ids.get(id)) {
            return Some(*id);
        }
        let id = *self.names.slugs.get(input.slug.as_ref()?)?;
        let product = self.batch.state(id.uuid())?;
        let same = input.external_id.is_none() || product.content.external_id.is_none();
        same.then_some(id)
    }
}

impl Names {
    /// The commands that an input stands for, one after the other; nothing comes of them if one is rejected.
    fn decide(
        &self,
        id: ProductId,
        input: &ProductRequest,
        before: Option<&Product>,
    ) -> Result<Vec<CatalogEvent>, Rejection> {
        let mut commands = self.commands(id, input, before.is_some())?.into_iter();
        let Some(first) = commands.next() else { return Ok(Vec::new()) };
        let mut events = Product::decide(before, first)?;
        for command in commands {
            let state = events.iter().fold(before.cloned(), Product::apply);
            events.extend(Product::decide(state.as_ref(), command)?);
        }
        Ok(events)
    }

    fn commands(
        &self,
        id: ProductId,
        input: &ProductRequest,
        is_there: bool,
    ) -> Result<Vec<ProductCommand>, Rejection> {
        let mut commands = match input.op {
            Op::Publish => vec![ProductCommand::Publish],
            Op::Archive => vec![ProductCommand::Archive],
            Op::Schedule(schedule) => vec![ProductCommand::Schedule(schedule)],
            Op::CarryOut(now) => vec![ProductCommand::CarryOut(now)],
            Op::Delete => vec![ProductCommand::Delete],
            Op::Create | Op::Change | Op::Upsert => {
                let content = self.content(input)?;
                if input.op == Op::Create || !is_there {
                    let content = self.with_slug(id, content);
                    let facts = self.facts(&content);
                    vec![ProductCommand::Create { id, content, facts }]
                } else {
                    let facts = self.facts(&content);
                    vec![ProductCommand::Change { content, facts }]
                }
            }
        };
        if input.publish && matches!(input.op, Op::Create | Op::Change | Op::Upsert) {
            commands.push(ProductCommand::Publish);
        }
        Ok(commands)
    }

    /// The content with a slug that is nobody else's, if none was given.
    fn with_slug(&self, id: ProductId, content: Content) -> Content {
        let made = content.slug().is_none().then(|| content.made_slug(id));
        match made.and_then(|made| self.slugs.get(made.as_str())) {
            Some(owner) if *owner != id => content.with_slug_apart(id),
            _ => content.with_slug(id),
        }
    }

    /// The content with the categories that were named otherwise than by id.
    fn content(&self, input: &ProductRequest) -> Result<Content, Rejection> {
        let Some(content) = input.content.clone() else {
            return Err(Rejection::invalid_at("/title", "the content of the product is missing"));
        };
        let mut ids = Vec::with_capacity(input.categories.len());
        let mut unknown = Vec::new();
        for (index, name) in input.categories.iter().enumerate() {
            match self.category_names.get(name) {
                Some(id) => ids.push(*id),
                None => unknown.push(FieldError::new(
                    format!("/categories/{index}"),
                    format!("there is no category with the external id or slug `{name}`"),
                )),
            }
        }
        if unknown.is_empty() { Ok(content.in_categories(ids)) } else { Err(Rejection::invalid(unknown)) }
    }

    fn facts(&self, content: &Content) -> Facts {
        let known = content.content();
        let owner = |(index, sku): (usize, &str)| Some((index, self.variants.by_sku(sku)?.product_id));
        let skus = known.variants.iter().map(|variant| variant.sku.as_str());
        Facts {
            slug_owner: content.slug().and_then(|slug| self.slugs.get(slug)).copied(),
            external_id_owner: known.external_id.as_ref().and_then(|id| self.external_ids.get(id)).copied(),
            sku_owners: skus.enumerate().filter_map(owner).collect(),
            missing_categories: known
                .category_ids
                .iter()
                .filter(|id| !self.category_ids.contains(id))
                .copied()
                .collect(),
            new_attributes: self.attributes.missing(known),
            attribute_names: (self.attributes.used(), self.most_attributes),
        }
    }

    /// Keeps the names in step with what was decided, for the inputs that follow.
    fn follow(&mut self, old: Option<&Product>, new: Option<&Product>) {
        if let Some(old) = old {
            self.slugs.remove(&old.content.slug);
            if let Some(external_id) = &old.content.external_id {
                self.external_ids.remove(external_id);
            }
            for variant in &old.content.variants {
                self.variants.remove(&variant.sku, variant.id);
            }
        }
        if let Some(new) = new {
            self.slugs.insert(new.content.slug.clone(), new.id);
            if let Some(external_id) = &new.content.external_id {
                self.external_ids.insert(external_id.clone(), new.id);
            }
            for variant in &new.content.variants {
                let known = KnownVariant { variant_id: variant.id, product_id: new.id };
                self.variants.insert(&variant.sku, known);
            }
        }
    }
}

fn missing(input: &ProductRequest) -> Rejection {
    let named = match (input.id, &input.external_id, &input.slug) {
        (Some(id), ..) => format!("the id {id}"),
        (None, Some(external_id), _) => format!("the external id `{external_id}`"),
        (None, None, Some(slug)) => format!("the slug `{slug}`"),
        (None, None, None) => {
            let detail = "name the product by `id`, `external_id` or `slug`";
            return Rejection::invalid_at("/external_id", detail);
        }
    };
    Rejection::not_found(format!("there is no product with {named}"))
}
