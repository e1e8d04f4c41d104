//! What the domains of all contexts are made of. Nothing in them does IO: time, ids and looked-up facts come in with
//! the command. Each stands in `contexts/<name>/domain`.

pub mod address;
pub mod definition;
pub mod name;
pub mod slug;
pub mod validation;

#[cfg(test)]
pub(crate) mod diagram;
#[cfg(test)]
pub(crate) mod scenario;

pub use name::Name;
pub use slug::Slug;

use schemas::{
    events::{DomainEvent, Event},
    problem::{Code, ProblemType},
};
use std::{convert::Infallible, fmt::Display};

/// A thing whose rules hold at every moment: it decides commands and is changed only by events.
pub trait Aggregate: Sized + Clone + Send + Sync + 'static {
    /// The kind of aggregate, as events name it.
    const NAME: &'static str;
    /// What somebody wants.
    type Command;
    /// What happened.
    type Event: Event + Into<DomainEvent>;
    /// Why it did not happen.
    type Rejection: Refusal;

    /// The events a command leads to; none if all is as it should be already.
    ///
    /// # Errors
    /// The rule that forbids it.
    fn decide(state: Option<&Self>, command: Self::Command) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// The state after an event; total: an event that does not concern it changes nothing.
    fn apply(state: Option<Self>, event: &Self::Event) -> Option<Self>;

    /// Whether it was removed, and stays only so that its versions go on. It can be created anew.
    fn is_removed(&self) -> bool {
        false
    }
}

/// Why a rule forbids a command, as it is told: its `Display` is the sentence.
pub trait Refusal: Display + Send + Sync + 'static {
    /// The type of problem; [`Code`] has those that several contexts use.
    fn problem(&self) -> ProblemType;

    /// The JSON pointer of the value that is to blame, if there is one.
    fn pointer(&self) -> Option<String> {
        None
    }
}

/// Nothing is forbidden.
impl Refusal for Infallible {
    fn problem(&self) -> ProblemType {
        Code::Internal.into()
    }
}
