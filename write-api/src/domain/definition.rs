//! What staff define under names of their own.
//!
//! Kinds of it are alike in all but their content: each stands under a name, is replaced as a whole, and is removed. So one
//! aggregate, [`Definition`], holds any [`Content`].

use super::{Aggregate, Name, Refusal, validation::Findings};
use schemas::{
    events::{DomainEvent, Event},
    problem::{Code, FieldError, ProblemType},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// How a kind of definition is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// In tables, and mostly in addresses.
    pub kind: &'static str,
    /// In event types.
    pub aggregate: &'static str,
    /// The command that defines one, in metrics.
    pub define: &'static str,
    /// The command that removes one, in metrics.
    pub remove: &'static str,
}

/// A kind of thing that staff define.
pub trait Content: Debug + Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The events of its context.
    type Event: Event + Into<DomainEvent>;
    /// Which kind.
    const WORDS: Words;

    /// Notes which rules it breaks.
    fn check(&self, findings: &mut Findings);

    /// That it was defined or, without a content, removed.
    fn event(name: String, content: Option<Self>) -> Self::Event;

    /// Name and content after an event of this kind; none of another.
    fn of(event: &Self::Event) -> Option<(&str, Option<&Self>)>;
}

/// The events of a kind: what they are made of, and what they are taken apart into.
macro_rules! events_of {
    ($events:ident in $module:ident: $defined:ident, $removed:ident) => {
        type Event = schemas::events::$events;

        fn event(name: String, content: Option<Self>) -> Self::Event {
            use schemas::events::{$events, $module};
            match content {
                Some(content) => $events::$defined($module::$defined { name, content }),
                None => $events::$removed($module::$removed { name }),
            }
        }

        fn of(event: &Self::Event) -> Option<(&str, Option<&Self>)> {
            use schemas::events::$events;
            match event {
                $events::$defined(event) => Some((&event.name, Some(&event.content))),
                $events::$removed(event) => Some((&event.name, None)),
                _ => None,
            }
        }
    };
}
pub(crate) use events_of;

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

/// What is defined under a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition<C> {
    /// The name.
    pub name: String,
    /// What is defined; none once it was removed, so that its versions go on.
    pub content: Option<C>,
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

/// There is nothing to remove.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing is defined under this name")]
pub struct Missing;

impl Refusal for Missing {
    fn problem(&self) -> ProblemType {
        Code::NotFound.into()
    }
}

impl<C: Content> Aggregate for Definition<C> {
    const NAME: &'static str = C::WORDS.aggregate;
    type Command = DefinitionCommand<C>;
    type Event = C::Event;
    type Rejection = Missing;

    fn decide(state: Option<&Self>, command: DefinitionCommand<C>) -> Result<Vec<C::Event>, Missing> {
        let standing = state.filter(|definition| definition.content.is_some());
        match command {
            DefinitionCommand::Define { content, .. }
                if standing.is_some_and(|definition| definition.content.as_ref() == Some(content.content())) =>
            {
                Ok(vec![])
            }
            DefinitionCommand::Define { name, content } => {
                Ok(vec![C::event(name.as_str().to_owned(), Some(content.into_content()))])
            }
            DefinitionCommand::Remove => {
                let definition = standing.ok_or(Missing)?;
                Ok(vec![C::event(definition.name.clone(), None)])
            }
        }
    }

    fn apply(state: Option<Self>, event: &C::Event) -> Option<Self> {
        match C::of(event) {
            Some((name, content)) => Some(Self { name: name.to_owned(), content: content.cloned() }),
            None => state,
        }
    }

    fn is_removed(&self) -> bool {
        self.content.is_none()
    }
}
