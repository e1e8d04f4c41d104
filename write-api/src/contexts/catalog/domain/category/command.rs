//! What can be done to a category.

use crate::domain::{Slug, validation::Findings};
use schemas::{events::catalog::CategoryContent, ids::CategoryId, problem::FieldError};

/// What was looked up for the content of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether the parent named is there.
    pub parent_exists: bool,
    /// The categories above, from the parent named to the root.
    pub ancestors: Vec<CategoryId>,
    /// Levels of categories below the one commanded.
    pub levels_below: usize,
    /// The category that has the slug now.
    pub slug_owner: Option<CategoryId>,
    /// The category that has the external id now.
    pub external_id_owner: Option<CategoryId>,
}

/// Content that keeps every rule that needs no other category to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content(CategoryContent);

impl Content {
    /// Reads content; an empty slug means that none was given.
    ///
    /// # Errors
    /// What is wrong, by JSON pointer.
    pub fn parse(content: CategoryContent) -> Result<Self, Vec<FieldError>> {
        let mut findings = Findings::default();
        findings.line(|| "/name".to_owned(), &content.name, 300);
        if let Some(id) = &content.external_id {
            findings.line(|| "/external_id".to_owned(), id, 300);
        }
        if !content.slug.is_empty()
            && let Err(reason) = Slug::parse(&content.slug)
        {
            findings.add("/slug", reason);
        }
        findings.done()?;
        Ok(Self(content))
    }

    /// The slug, if one was given.
    #[must_use]
    pub fn slug(&self) -> Option<&str> {
        Some(self.0.slug.as_str()).filter(|slug| !slug.is_empty())
    }

    /// What is known so far.
    #[must_use]
    pub fn content(&self) -> &CategoryContent {
        &self.0
    }

    /// Under another parent.
    #[must_use]
    pub fn under(mut self, parent: Option<CategoryId>) -> Self {
        self.0.parent_id = parent;
        self
    }

    /// The content of a new category: a slug is made where none was given. Where that one is taken it is counted on, as
    /// names can differ in what no slug holds: `C`, `C++` and `C#`.
    #[must_use]
    pub fn first(mut self, is_taken: impl Fn(&str) -> bool) -> Self {
        if self.0.slug.is_empty() {
            let made = Slug::derive(&self.0.name, self.0.external_id.as_deref().unwrap_or_default());
            let others = (2_u64..).map(|number| made.clone().apart(&number.to_string()));
            let free = std::iter::once(made.clone()).chain(others).find(|slug| !is_taken(slug.as_str()));
            self.0.slug = free.unwrap_or(made).as_str().to_owned();
        }
        self
    }

    /// The content after the one known: slug and external id stay unless new ones were given.
    #[must_use]
    pub fn after(mut self, known: &CategoryContent) -> CategoryContent {
        if self.0.slug.is_empty() {
            self.0.slug.clone_from(&known.slug);
        }
        if self.0.external_id.is_none() {
            self.0.external_id.clone_from(&known.external_id);
        }
        self.0
    }

    /// The content itself.
    #[must_use]
    pub fn into_content(self) -> CategoryContent {
        self.0
    }
}

/// A command to one category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CategoryCommand {
    /// Write it down.
    Create {
        /// The id it gets.
        id: CategoryId,
        /// What is known of it.
        content: Content,
        /// What was looked up.
        facts: Facts,
    },
    /// Replace its content.
    Change {
        /// The whole new content.
        content: Content,
        /// What was looked up.
        facts: Facts,
    },
    /// Forget it.
    Delete {
        /// Whether there are categories below it.
        has_children: bool,
    },
}
