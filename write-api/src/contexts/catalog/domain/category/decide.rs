//! What a category command leads to.

use super::{Category, CategoryCommand, Rejection, policy};
use crate::domain::Aggregate;
use schemas::events::{
    CatalogEvent,
    catalog::{CategoryDeleted, CategoryWritten},
};

impl Aggregate for Category {
    const NAME: &'static str = "category";
    type Command = CategoryCommand;
    type Event = CatalogEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: CategoryCommand) -> Result<Vec<CatalogEvent>, Rejection> {
        match (state, command) {
            (None, CategoryCommand::Create { id, content, facts }) => {
                let content = content.first(|_| false);
                policy::names_are_free(id, &content, &facts)?;
                policy::a_parent_is_there_and_not_below(id, &content, &facts)?;
                let content = content.into_content();
                Ok(vec![CatalogEvent::CategoryCreated(CategoryWritten { category_id: id, content })])
            }
            (Some(category), CategoryCommand::Create { .. }) => Err(Rejection::Exists(category.id)),
            (None, _) => Err(Rejection::Missing),
            (Some(category), CategoryCommand::Change { content, facts }) => {
                policy::names_are_free(category.id, &content, &facts)?;
                policy::a_parent_is_there_and_not_below(category.id, &content, &facts)?;
                let content = content.after(&category.content);
                if content == category.content {
                    return Ok(vec![]);
                }
                Ok(vec![CatalogEvent::CategoryChanged(CategoryWritten { category_id: category.id, content })])
            }
            (Some(_), CategoryCommand::Delete { has_children: true }) => Err(Rejection::HasChildren),
            (Some(category), CategoryCommand::Delete { has_children: false }) => {
                Ok(vec![CatalogEvent::CategoryDeleted(CategoryDeleted { category_id: category.id })])
            }
        }
    }

    fn apply(state: Option<Self>, event: &CatalogEvent) -> Option<Self> {
        Self::after(state, event)
    }
}
