//! Which events a process is told of.

use schemas::{Uuid, contexts::Context, events::DomainEvent};

/// The process that an event concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Concerned {
    /// The one of this id, whether it is there already or not.
    Process(Uuid),
    /// The one that has linked this aggregate, if one has.
    Linked(Uuid),
}

/// Finds the process that an event concerns.
#[derive(Clone, Copy)]
pub(crate) struct Correlate {
    /// The process's name.
    pub(super) name: &'static str,
    /// The contexts whose events are looked at.
    pub(super) reads: &'static [Context],
    pub(super) of: fn(&DomainEvent, Uuid) -> Option<Concerned>,
}

/// The correlations of all processes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Correlations(pub(super) &'static [Correlate]);

impl std::fmt::Debug for Correlations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|one| one.name)).finish()
    }
}

impl Correlations {
    /// Whether some process is told of events of a context.
    pub(crate) fn read(self, context: Context) -> bool {
        self.0.iter().any(|one| one.reads.contains(&context))
    }

    /// The processes, by name, that an event concerns.
    pub(super) fn of(self, event: &DomainEvent, aggregate: Uuid) -> impl Iterator<Item = (&'static str, Concerned)> {
        let reads = |one: &&Correlate| one.reads.contains(&event.context());
        self.0.iter().filter(reads).filter_map(move |one| Some((one.name, (one.of)(event, aggregate)?)))
    }
}
