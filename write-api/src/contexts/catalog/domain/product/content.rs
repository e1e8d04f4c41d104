//! A product's content, read from what was given.

use super::form;
use crate::domain::{Slug, validation::Findings};
use schemas::{
    events::catalog::{ProductContent, Variant},
    ids::{CategoryId, ProductId, VariantId},
    problem::FieldError,
};

/// What was given: the content, and what of it was drawn here instead.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The content; an empty slug means that none was given. A variant's id is the one given, or
    /// the one it gets if it is new.
    pub content: ProductContent,
    /// For each variant, whether its id was given.
    pub given_ids: Vec<bool>,
}

/// Content that keeps every rule that needs no other product to be looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    content: ProductContent,
    given_ids: Vec<bool>,
}

impl Content {
    /// Reads content.
    ///
    /// # Errors
    /// All that is wrong, by JSON pointer.
    pub fn parse(draft: Draft) -> Result<Self, Vec<FieldError>> {
        let mut findings = Findings::default();
        let Draft { mut content, mut given_ids } = draft;
        given_ids.resize(content.variants.len(), false);
        form::texts_are_bounded(&mut findings, &content);
        form::attributes_are_bounded(&mut findings, "/attributes", &content.attributes);
        form::images_have_addresses(&mut findings, &content.images);
        form::options_are_told_apart(&mut findings, &content.options);
        form::variants_are_told_apart(&mut findings, &content);
        form::measures_are_positive(&mut findings, &content);
        findings.count("/category_ids", content.category_ids.len(), 50);
        let mut seen = std::collections::HashSet::new();
        content.category_ids.retain(|id| seen.insert(*id));
        findings.done()?;
        Ok(Self { content, given_ids })
    }

    /// The slug, if one was given.
    #[must_use]
    pub fn slug(&self) -> Option<&str> {
        Some(self.content.slug.as_str()).filter(|slug| !slug.is_empty())
    }

    /// What is known so far.
    #[must_use]
    pub fn content(&self) -> &ProductContent {
        &self.content
    }

    /// For a new product: a slug is made where none was given.
    #[must_use]
    pub fn with_slug(mut self, id: ProductId) -> Self {
        if self.slug().is_none() {
            self.content.slug = self.made_slug(id).as_str().to_owned();
        }
        self
    }

    /// The same where another product has the slug that would be made: an end of the id tells them apart. Two ids in
    /// other scripts, or that differ in case or signs only, make one slug.
    #[must_use]
    pub fn with_slug_apart(mut self, id: ProductId) -> Self {
        if self.slug().is_none() {
            self.content.slug = self.made_slug(id).apart(&end_of(id)).as_str().to_owned();
        }
        self
    }

    /// The slug made of the title and the external id or an end of the id.
    #[must_use]
    pub fn made_slug(&self, id: ProductId) -> Slug {
        let own = end_of(id);
        Slug::derive(&self.content.title, self.content.external_id.as_deref().unwrap_or(&own))
    }

    /// Also in these categories.
    #[must_use]
    pub fn in_categories(mut self, ids: Vec<CategoryId>) -> Self {
        for id in ids {
            if !self.content.category_ids.contains(&id) {
                self.content.category_ids.push(id);
            }
        }
        self
    }

    /// The place of the first variant whose id was given though the product has none of that id.
    #[must_use]
    pub fn stranger(&self, known: &[Variant]) -> Option<usize> {
        let variants = self.content.variants.iter().zip(&self.given_ids);
        variants.enumerate().find_map(|(index, (variant, given))| {
            (*given && !known.iter().any(|other| other.id == variant.id)).then_some(index)
        })
    }

    /// The content of a new product.
    #[must_use]
    pub fn first(self) -> ProductContent {
        self.content
    }

    /// The content after the one known: slug and external id stay unless new ones were given, and a
    /// variant without an id is the one of its SKU.
    #[must_use]
    pub fn after(self, known: &ProductContent) -> ProductContent {
        let Self { mut content, given_ids } = self;
        if content.slug.is_empty() {
            content.slug.clone_from(&known.slug);
        }
        if content.external_id.is_none() {
            content.external_id.clone_from(&known.external_id);
        }
        let taken: Vec<VariantId> =
            content.variants.iter().zip(&given_ids).filter(|(_, given)| **given).map(|(v, _)| v.id).collect();
        for (variant, given) in content.variants.iter_mut().zip(given_ids) {
            let same = known.variants.iter().find(|other| other.sku == variant.sku);
            if let Some(same) = same.filter(|same| !given && !taken.contains(&same.id)) {
                variant.id = same.id;
            }
        }
        content
    }
}

/// What no other id ends with: 12 hexadecimal digits drawn by chance.
fn end_of(id: ProductId) -> String {
    id.uuid().simple().to_string().split_off(20)
}
