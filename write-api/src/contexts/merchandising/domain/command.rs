//! What can be done to a definition.

use crate::domain::{Name, validation::Findings};
use schemas::{
    events::{MerchandisingEvent, merchandising::MerchandisingKind},
    problem::FieldError,
};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// A kind of thing that staff define.
pub trait Content: Debug + Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Which kind.
    const KIND: MerchandisingKind;

    /// Notes which rules it breaks.
    fn check(&self, findings: &mut Findings);

    /// That it was defined or, without a content, removed.
    fn event(name: String, content: Option<Self>) -> MerchandisingEvent;

    /// Name and content after an event of this kind; none of another.
    fn of(event: &MerchandisingEvent) -> Option<(&str, Option<&Self>)>;
}

/// The events of a kind: what they are made of, and what they are taken apart into.
macro_rules! events_of {
    ($defined:ident, $removed:ident) => {
        fn event(name: String, content: Option<Self>) -> schemas::events::MerchandisingEvent {
            use schemas::events::{MerchandisingEvent, merchandising};
            match content {
                Some(content) => MerchandisingEvent::$defined(merchandising::$defined { name, content }),
                None => MerchandisingEvent::$removed(merchandising::$removed { name }),
            }
        }

        fn of(event: &schemas::events::MerchandisingEvent) -> Option<(&str, Option<&Self>)> {
            use schemas::events::MerchandisingEvent;
            match event {
                MerchandisingEvent::$defined(event) => Some((&event.name, Some(&event.content))),
                MerchandisingEvent::$removed(event) => Some((&event.name, None)),
                _ => None,
            }
        }
    };
}
pub(super) use events_of;

/// A content that keeps every rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked<C>(C);

impl<C: Content> Checked<C> {
    /// Reads a content as it was given.
    ///
    /// # Errors
    /// What is wrong, by JSON pointer.
    pub fn parse(content: C) -> Result<Self, Vec<FieldError>> {
        let mut findings = Findings::default();
        content.check(&mut findings);
        findings.done()?;
        Ok(Self(content))
    }

    /// The content, to look at.
    #[must_use]
    pub const fn content(&self) -> &C {
        &self.0
    }

    /// The content.
    #[must_use]
    pub fn into_content(self) -> C {
        self.0
    }
}

/// A command to one definition.
#[derive(Debug, Clone, PartialEq)]
pub enum DefinitionCommand<C> {
    /// It is defined, or replaced.
    Define {
        /// Its name.
        name: Name,
        /// The whole new content.
        content: Checked<C>,
    },
    /// It is defined no more.
    Remove,
}
