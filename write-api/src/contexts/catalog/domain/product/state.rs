//! What is known of a product.

use super::Rejection;
use schemas::{
    events::{
        CatalogEvent,
        catalog::{ProductContent, Schedule},
    },
    ids::ProductId,
};

/// Where a product stands in its life. A transition takes the old status and gives the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Written down; shoppers don't see it.
    Draft,
    /// Shoppers see it.
    Published,
    /// Shoppers no longer see it.
    Archived,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Draft, Self::Published, Self::Archived];

    /// The word it is stored as.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Archived => "archived",
        }
    }

    /// The status of a stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Shoppers shall see it: allowed from everywhere.
    #[must_use]
    pub const fn publish(self) -> Self {
        Self::Published
    }

    /// Shoppers shall no longer see it.
    ///
    /// # Errors
    /// [`Rejection::NeverPublished`] for a draft, which nobody sees.
    pub const fn archive(self) -> Result<Self, Rejection> {
        match self {
            Self::Draft => Err(Rejection::NeverPublished),
            Self::Published | Self::Archived => Ok(Self::Archived),
        }
    }
}

/// A product.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Where it stands.
    pub status: Status,
    /// What the catalog knows of it.
    pub content: ProductContent,
    /// When it is published and archived by itself.
    pub schedule: Schedule,
}

impl Product {
    /// The state after an event; nothing is left after a deletion.
    #[must_use]
    pub fn after(state: Option<Self>, event: &CatalogEvent) -> Option<Self> {
        match event {
            CatalogEvent::ProductCreated(event) => {
                let (content, schedule) = (event.content.clone(), Schedule::default());
                Some(Self { id: event.product_id, status: Status::Draft, content, schedule })
            }
            CatalogEvent::ProductChanged(event) => {
                state.map(|product| Self { content: event.content.clone(), ..product })
            }
            CatalogEvent::ProductPublished(_) => state.map(|product| Self { status: Status::Published, ..product }),
            CatalogEvent::ProductArchived(_) => state.map(|product| Self { status: Status::Archived, ..product }),
            CatalogEvent::ProductScheduled(event) => state.map(|product| Self { schedule: event.schedule, ..product }),
            CatalogEvent::ProductDeleted(_) => None,
            CatalogEvent::CategoryCreated(_) | CatalogEvent::CategoryChanged(_) | CatalogEvent::CategoryDeleted(_) => {
                state
            }
        }
    }
}
