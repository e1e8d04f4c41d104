//! A tenant's whole tree, kept up to date as each command is decided.

use super::{CategoryLine, Op};
use crate::{
    app::{Done, Rejected},
    domain::{
        Aggregate,
        catalog::category::{Category, CategoryCommand, Content, Facts, Rejection, policy::MAX_DEPTH},
    },
    store::Batch,
};
use schemas::{ids::CategoryId, problem::FieldError};
use std::collections::HashMap;

pub(crate) struct Desk {
    batch: Batch<Category>,
    slugs: HashMap<String, CategoryId>,
    external_ids: HashMap<String, CategoryId>,
}

impl Desk {
    pub(super) fn new(batch: Batch<Category>) -> Self {
        let slugs = batch.states().map(|category| (category.content.slug.clone(), category.id)).collect();
        let external = |category: &Category| Some((category.content.external_id.clone()?, category.id));
        let external_ids = batch.states().filter_map(external).collect();
        Self { batch, slugs, external_ids }
    }

    pub(super) fn into_batch(self) -> Batch<Category> {
        self.batch
    }

    pub(super) fn decide(&mut self, line: &CategoryLine) -> Result<Done, Rejected> {
        let id = self.meant(line);
        let item = self.batch.get(id.uuid());
        line.expected.check(item)?;
        let before = item.map_or(0, |item| item.version);
        let old = self.batch.state(id.uuid()).cloned();
        let command = self.command(id, line, old.is_some())?;
        let events = Category::decide(old.as_ref(), command)?;
        if events.is_empty() {
            return Ok(Done::moved(id.uuid(), before, before));
        }
        let version = self.batch.record(id.uuid(), events);
        self.follow(old.as_ref(), id);
        Ok(Done::moved(id.uuid(), before, version))
    }

    fn meant(&self, line: &CategoryLine) -> CategoryId {
        let external_id = line.content.as_ref().and_then(|content| content.content().external_id.as_ref());
        match (line.op, external_id) {
            (Op::Upsert, Some(external_id)) => self.external_ids.get(external_id).copied().unwrap_or(line.id),
            _ => line.id,
        }
    }

    fn command(&self, id: CategoryId, line: &CategoryLine, is_there: bool) -> Result<CategoryCommand, Rejected> {
        let Some(content) = line.content.clone() else {
            return Ok(CategoryCommand::Delete { has_children: self.children(id).next().is_some() });
        };
        let content = match &line.parent {
            Some(name) => {
                let parent = self.external_ids.get(name).or_else(|| self.slugs.get(name)).ok_or_else(|| {
                    let detail = format!("there is no category with the external id or slug `{name}`");
                    Rejected::Invalid(vec![FieldError::new("/parent", detail)])
                })?;
                content.under(Some(*parent))
            }
            None => content,
        };
        Ok(match (line.op, is_there) {
            (Op::Change, false) => return Err(Rejection::Missing.into()),
            (Op::Create, _) | (Op::Upsert, false) => {
                let content = content.first();
                let facts = self.facts(id, &content);
                CategoryCommand::Create { id, content, facts }
            }
            _ => {
                let facts = self.facts(id, &content);
                CategoryCommand::Change { content, facts }
            }
        })
    }

    fn facts(&self, id: CategoryId, content: &Content) -> Facts {
        let known = content.content();
        Facts {
            parent_exists: known.parent_id.is_some_and(|parent| self.batch.state(parent.uuid()).is_some()),
            ancestors: self.ancestors(known.parent_id),
            levels_below: if known.parent_id.is_some() { self.levels_below(id, 0) } else { 0 },
            slug_owner: content.slug().and_then(|slug| self.slugs.get(slug)).copied(),
            external_id_owner: known.external_id.as_ref().and_then(|id| self.external_ids.get(id)).copied(),
        }
    }

    /// From a category to its root, itself first; a tree is never deeper than the steps taken.
    fn ancestors(&self, from: Option<CategoryId>) -> Vec<CategoryId> {
        let step = |id: &CategoryId| self.batch.state(id.uuid()).and_then(|category| category.content.parent_id);
        std::iter::successors(from, step).take(MAX_DEPTH + 1).collect()
    }

    fn levels_below(&self, id: CategoryId, depth: usize) -> usize {
        if depth > MAX_DEPTH || self.batch.state(id.uuid()).is_none() {
            return 0;
        }
        self.children(id).map(|child| 1 + self.levels_below(child, depth + 1)).max().unwrap_or_default()
    }

    fn children(&self, id: CategoryId) -> impl Iterator<Item = CategoryId> + '_ {
        let below = move |category: &&Category| category.content.parent_id == Some(id);
        self.batch.states().filter(below).map(|category| category.id)
    }

    /// Keeps the names in step with what was decided, for the lines that follow.
    fn follow(&mut self, old: Option<&Category>, id: CategoryId) {
        if let Some(old) = old {
            self.slugs.remove(&old.content.slug);
            if let Some(external_id) = &old.content.external_id {
                self.external_ids.remove(external_id);
            }
        }
        if let Some(new) = self.batch.state(id.uuid()) {
            self.slugs.insert(new.content.slug.clone(), id);
            if let Some(external_id) = &new.content.external_id {
                self.external_ids.insert(external_id.clone(), id);
            }
        }
    }
}
