//! What was loaded for some product commands, kept up to date as each is decided.

use super::{Op, ProductLine};
use crate::{
    app::{Done, Rejected},
    domain::{
        Aggregate,
        catalog::product::{Content, Facts, Product, ProductCommand},
    },
    store::{
        Batch,
        variants::{KnownVariant, KnownVariants},
    },
};
use schemas::{
    events::CatalogEvent,
    ids::{CategoryId, ProductId},
    problem::FieldError,
};
use std::collections::{HashMap, HashSet};

pub(crate) struct Desk {
    batch: Batch<Product>,
    slugs: HashMap<String, ProductId>,
    external_ids: HashMap<String, ProductId>,
    variants: KnownVariants,
    category_ids: HashSet<CategoryId>,
    /// By external id first, then by slug.
    category_names: HashMap<String, CategoryId>,
}

impl Desk {
    pub(super) fn new(
        batch: Batch<Product>,
        variants: KnownVariants,
        categories: Vec<(CategoryId, String, Option<String>)>,
    ) -> Self {
        let slugs = batch.states().map(|product| (product.content.slug.clone(), product.id)).collect();
        let external = |product: &Product| Some((product.content.external_id.clone()?, product.id));
        let external_ids = batch.states().filter_map(external).collect();
        let category_ids = categories.iter().map(|(id, ..)| *id).collect();
        let mut category_names: HashMap<String, CategoryId> =
            categories.iter().map(|(id, slug, _)| (slug.clone(), *id)).collect();
        category_names.extend(categories.into_iter().filter_map(|(id, _, external_id)| Some((external_id?, id))));
        Self { batch, slugs, external_ids, variants, category_ids, category_names }
    }

    pub(super) fn into_batch(self) -> Batch<Product> {
        self.batch
    }

    pub(super) fn decide(&mut self, line: &ProductLine) -> Result<Done, Rejected> {
        let found = self.find(line);
        let id = match (found, line.op) {
            (_, Op::Create) => line.id.unwrap_or(line.fresh),
            (Some(id), _) => id,
            (None, Op::Upsert) if line.id.is_none() => line.fresh,
            (None, _) => return Err(missing(line)),
        };
        let item = self.batch.get(id.uuid());
        line.expected.check(item)?;
        let before = item.map_or(0, |item| item.version);
        let (state, events) = self.decide_all(id, line)?;
        let old = self.batch.state(id.uuid()).cloned();
        let version = if events.is_empty() { before } else { self.batch.record(id.uuid(), events) };
        let mut done = Done::moved(id.uuid(), before, version);
        if let Some(product) = &state {
            let variants = product.content.variants.iter();
            done.variants = variants.map(|variant| (variant.sku.clone(), variant.id)).collect();
        }
        if version != before {
            self.follow(old.as_ref(), state.as_ref());
        }
        Ok(done)
    }

    /// The commands that a line stands for, one after the other; nothing is kept if one is rejected.
    fn decide_all(&self, id: ProductId, line: &ProductLine) -> Result<(Option<Product>, Vec<CatalogEvent>), Rejected> {
        let mut state = self.batch.state(id.uuid()).cloned();
        let mut events = Vec::new();
        for command in self.commands(id, line, state.is_some())? {
            for event in Product::decide(state.as_ref(), command)? {
                state = Product::apply(state, &event);
                events.push(event);
            }
        }
        Ok((state, events))
    }

    fn commands(&self, id: ProductId, line: &ProductLine, is_there: bool) -> Result<Vec<ProductCommand>, Rejected> {
        let mut commands = match line.op {
            Op::Publish => vec![ProductCommand::Publish],
            Op::Archive => vec![ProductCommand::Archive],
            Op::Delete => vec![ProductCommand::Delete],
            Op::Create | Op::Change | Op::Upsert => {
                let content = self.content(line)?;
                if line.op == Op::Create || !is_there {
                    let content = content.with_slug(id);
                    let facts = self.facts(&content);
                    vec![ProductCommand::Create { id, content, facts }]
                } else {
                    let facts = self.facts(&content);
                    vec![ProductCommand::Change { content, facts }]
                }
            }
        };
        if line.publish && !matches!(line.op, Op::Archive | Op::Delete | Op::Publish) {
            commands.push(ProductCommand::Publish);
        }
        Ok(commands)
    }

    /// The content with the categories that were named otherwise than by id.
    fn content(&self, line: &ProductLine) -> Result<Content, Rejected> {
        let Some(content) = line.content.clone() else {
            return Err(Rejected::Invalid(vec![FieldError::new("/title", "the content of the product is missing")]));
        };
        let mut ids = Vec::with_capacity(line.categories.len());
        let mut unknown = Vec::new();
        for (index, name) in line.categories.iter().enumerate() {
            match self.category_names.get(name) {
                Some(id) => ids.push(*id),
                None => unknown.push(FieldError::new(
                    format!("/categories/{index}"),
                    format!("there is no category with the external id or slug `{name}`"),
                )),
            }
        }
        if unknown.is_empty() { Ok(content.in_categories(ids)) } else { Err(Rejected::Invalid(unknown)) }
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
        }
    }

    /// The product that a line means: by its id, else by its external id, else by its slug. A product
    /// that is known under another external id is not meant by its slug.
    fn find(&self, line: &ProductLine) -> Option<ProductId> {
        if let Some(id) = line.id {
            return Some(id).filter(|id| self.batch.state(id.uuid()).is_some());
        }
        if let Some(id) = line.external_id.as_ref().and_then(|id| self.external_ids.get(id)) {
            return Some(*id);
        }
        let id = *self.slugs.get(line.slug.as_ref()?)?;
        let product = self.batch.state(id.uuid())?;
        let same = line.external_id.is_none() || product.content.external_id.is_none();
        same.then_some(id)
    }

    /// Keeps the names in step with what was decided, for the lines that follow.
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

fn missing(line: &ProductLine) -> Rejected {
    let named = match (line.id, &line.external_id, &line.slug) {
        (Some(id), ..) => format!("the id {id}"),
        (None, Some(external_id), _) => format!("the external id `{external_id}`"),
        (None, None, Some(slug)) => format!("the slug `{slug}`"),
        (None, None, None) => {
            let detail = "name the product by `id`, `external_id` or `slug`";
            return Rejected::Invalid(vec![FieldError::new("/external_id", detail)]);
        }
    };
    Rejected::NotFound(format!("there is no product with {named}"))
}
