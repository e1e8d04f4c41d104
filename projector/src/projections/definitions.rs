//! What staff define under names: each definition's newest state in a batch. Versions decide what is kept, and what was removed
//! stays as a row without a body, so that no older event brings it back.

use crate::stored;
use eventlog::Event;
use schemas::{
    Timestamp, Uuid,
    events::{DomainEvent, EncodeError},
};
use std::collections::BTreeMap;

/// What an event says of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told<'a, E> {
    /// The kind, as the table has it.
    pub kind: &'static str,
    /// The name it is defined under.
    pub name: &'a str,
    /// The event.
    pub event: &'a E,
}

/// The newest states of definitions, a list for each column.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Whose it is.
    pub tenants: Vec<Uuid>,
    /// The kind.
    pub kinds: Vec<&'static str>,
    /// The name.
    pub names: Vec<String>,
    /// The version.
    pub versions: Vec<i64>,
    /// The content as JSON text; none once it was removed.
    pub bodies: Vec<Option<String>>,
    /// When it was removed.
    pub removed: Vec<Option<Timestamp>>,
}

impl Columns {
    /// Of a batch in whatever order. `told` takes an event apart if it is of the context; `content` gives what is defined.
    ///
    /// # Errors
    /// If a content has no JSON form.
    pub fn newest<'a, E: 'a>(
        events: &[&'a Event],
        told: impl Fn(&'a DomainEvent) -> Option<Told<'a, E>>,
        content: impl Fn(&E) -> Result<Option<String>, EncodeError>,
    ) -> Result<Self, sqlx::Error> {
        let mut newest: BTreeMap<(Uuid, &'static str, &str), (u64, Timestamp, &E)> = BTreeMap::new();
        for event in events {
            let Some(Told { kind, name, event: own }) = told(&event.event) else { continue };
            let (key, version) = ((event.envelope.tenant.uuid(), kind, name), event.envelope.version);
            if newest.get(&key).is_none_or(|(known, _, _)| *known < version) {
                newest.insert(key, (version, event.envelope.time, own));
            }
        }
        let mut columns = Self::default();
        for ((tenant, kind, name), (version, time, event)) in newest {
            let body = content(event).map_err(|error| sqlx::Error::Encode(error.into()))?;
            columns.tenants.push(tenant);
            columns.kinds.push(kind);
            columns.names.push(name.to_owned());
            columns.versions.push(stored::version(version));
            columns.removed.push(body.is_none().then_some(time));
            columns.bodies.push(body);
        }
        Ok(columns)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.tenants.is_empty()
    }
}
