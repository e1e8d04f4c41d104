//! What is known of a category.

use schemas::{
    events::{CatalogEvent, catalog::CategoryContent},
    ids::CategoryId,
};
use serde::{Deserialize, Serialize};

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its id.
    pub id: CategoryId,
    /// What the catalog knows of it.
    #[serde(flatten)]
    pub content: CategoryContent,
}

impl Category {
    /// The state after an event; nothing is left after a deletion.
    #[must_use]
    pub fn after(state: Option<Self>, event: &CatalogEvent) -> Option<Self> {
        match event {
            CatalogEvent::CategoryCreated(event) | CatalogEvent::CategoryChanged(event) => {
                Some(Self { id: event.category_id, content: event.content.clone() })
            }
            CatalogEvent::CategoryDeleted(_) => None,
            CatalogEvent::ProductCreated(_)
            | CatalogEvent::ProductChanged(_)
            | CatalogEvent::ProductPublished(_)
            | CatalogEvent::ProductArchived(_)
            | CatalogEvent::ProductScheduled(_)
            | CatalogEvent::ProductDeleted(_) => state,
        }
    }
}
