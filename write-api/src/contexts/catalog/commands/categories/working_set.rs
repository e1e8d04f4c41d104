//! A tenant's whole tree, kept up to date as each input is decided.

use super::{CategoryRequest, Op};
use crate::{
    contexts::catalog::{
        domain::category::{Category, CategoryCommand, Content, Facts, Rejection as Refused, policy::MAX_DEPTH},
        table::categories,
    },
    domain::Aggregate,
    pipeline::{Batch, Change, Done, Failure, Rejection, Scope, WorkingSet},
};
use schemas::{contexts::Context, ids::CategoryId};
use sqlx::PgConnection;
use std::collections::HashMap;

/// Categories, and whose the names are that they may not share.
pub(in crate::contexts::catalog) struct Categories {
    batch: Batch<Category>,
    names: Names,
}

/// Who has which name.
struct Names {
    slugs: HashMap<String, CategoryId>,
    external_ids: HashMap<String, CategoryId>,
}

impl WorkingSet for Categories {
    const CONTEXT: Context = Context::Catalog;
    type Input = CategoryRequest;

    fn name(input: &CategoryRequest) -> &'static str {
        match input.op {
            Op::Create => "create_category",
            Op::Change => "change_category",
            Op::Upsert => "upsert_category",
            Op::Delete => "delete_category",
        }
    }

    async fn load(conn: &mut PgConnection, scope: &Scope, _: &[&CategoryRequest]) -> Result<Self, Failure> {
        let batch = categories::load_tree(conn, scope).await?;
        let slugs = batch.states().map(|category| (category.content.slug.clone(), category.id)).collect();
        let external = |category: &Category| Some((category.content.external_id.clone()?, category.id));
        let external_ids = batch.states().filter_map(external).collect();
        Ok(Self { batch, names: Names { slugs, external_ids } })
    }

    fn decide(&mut self, input: &CategoryRequest) -> Result<Done, Rejection> {
        let id = self.names.meant(input);
        let (names, old) = (&self.names, self.batch.state(id.uuid()).cloned());
        let done = self.batch.carry_out(id.uuid(), input.expected, |batch| {
            let command = Tree { batch, names }.command(id, input)?;
            Ok(Category::decide(batch.state(id.uuid()), command)?)
        })?;
        if done.change != Change::Unchanged {
            self.names.follow(old.as_ref(), self.batch.state(id.uuid()));
        }
        Ok(done)
    }

    async fn write(self, conn: &mut PgConnection, scope: &Scope) -> Result<(), Failure> {
        self.batch.append(conn, scope).await
    }
}

impl Names {
    fn meant(&self, input: &CategoryRequest) -> CategoryId {
        let external_id = input.content.as_ref().and_then(|content| content.content().external_id.as_ref());
        match (input.op, external_id) {
            (Op::Upsert, Some(external_id)) => self.external_ids.get(external_id).copied().unwrap_or(input.id),
            _ => input.id,
        }
    }

    /// Keeps the names in step with what was decided, for the inputs that follow.
    fn follow(&mut self, old: Option<&Category>, new: Option<&Category>) {
        if let Some(old) = old {
            self.slugs.remove(&old.content.slug);
            if let Some(external_id) = &old.content.external_id {
                self.external_ids.remove(external_id);
            }
        }
        if let Some(new) = new {
            self.slugs.insert(new.content.slug.clone(), new.id);
            if let Some(external_id) = &new.content.external_id {
                self.external_ids.insert(external_id.clone(), new.id);
            }
        }
    }
}

/// The tree as it stands, for the facts of a command.
struct Tree<'a> {
    batch: &'a Batch<Category>,
    names: &'a Names,
}

impl Tree<'_> {
    fn command(&self, id: CategoryId, input: &CategoryRequest) -> Result<CategoryCommand, Rejection> {
        let is_there = self.batch.state(id.uuid()).is_some();
        let Some(content) = input.content.clone() else {
            return Ok(CategoryCommand::Delete { has_children: self.children(id).next().is_some() });
        };
        let content = match &input.parent {
            Some(name) => {
                let parent =
                    self.names.external_ids.get(name).or_else(|| self.names.slugs.get(name)).ok_or_else(|| {
                        let detail = format!("there is no category with the external id or slug `{name}`");
                        Rejection::invalid_at("/parent", detail)
                    })?;
                content.under(Some(*parent))
            }
            None => content,
        };
        Ok(match (input.op, is_there) {
            (Op::Change, false) => return Err(Refused::Missing.into()),
            (Op::Create, _) | (Op::Upsert, false) => {
                let content = content.first(|slug| self.names.slugs.contains_key(slug));
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
            slug_owner: content.slug().and_then(|slug| self.names.slugs.get(slug)).copied(),
            external_id_owner: known.external_id.as_ref().and_then(|id| self.names.external_ids.get(id)).copied(),
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
}
