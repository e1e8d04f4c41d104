//! The rules, one module per bounded context. Nothing here does IO: time, ids and looked-up facts
//! come in with the command.
//!
//! To add an aggregate: a folder with its `state`, `command`, `decide`, `policy`; an
//! implementation of [`Aggregate`]; its table in `store`; its desk in `app`.

pub mod catalog;
pub mod insights;
pub mod inventory;
pub mod merchandising;
pub mod pricing;
pub mod slug;
pub mod tenants;
pub mod wording;

#[cfg(test)]
pub(crate) mod scenario;

pub use slug::Slug;

/// A thing whose rules hold at every moment: it decides commands and is changed only by events.
pub trait Aggregate: Sized + Clone {
    /// What somebody wants.
    type Command;
    /// What happened.
    type Event: Clone;
    /// Why it did not happen.
    type Rejection;

    /// The events a command leads to; none if all is as it should be already.
    ///
    /// # Errors
    /// The rule that forbids it.
    fn decide(state: Option<&Self>, command: Self::Command) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// The state after an event; total: an event that does not concern it changes nothing.
    fn apply(state: Option<Self>, event: &Self::Event) -> Option<Self>;
}
