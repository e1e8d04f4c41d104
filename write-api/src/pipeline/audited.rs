//! Who acts, and what was changed so far in the transaction: an entry of the audit is made of it before the commit.

use schemas::{
    audit::{Actor, Change},
    contexts::Context,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who acts, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct By {
    pub(crate) actor: Actor,
    pub(crate) address: Option<String>,
    pub(crate) reason: Option<String>,
}

/// What somebody who is audited has changed in the transaction. Shoppers are not audited, and neither are processes that
/// carry on what somebody has begun.
#[derive(Debug, Clone, Default)]
pub(crate) struct Audited(Option<Arc<(By, Mutex<Vec<Change>>)>>);

impl Audited {
    /// Of somebody.
    pub(crate) fn by(by: By) -> Self {
        Self(Some(Arc::new((by, Mutex::default()))))
    }

    /// Who acts, if they are audited.
    pub(crate) fn actor(&self) -> Option<&Actor> {
        self.0.as_deref().map(|(by, _)| &by.actor)
    }

    fn changes(&self) -> Option<MutexGuard<'_, Vec<Change>>> {
        self.0.as_deref().map(|(_, changes)| changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether changes of a context are noted. The audit's own are not, nor what shoppers did.
    pub(super) fn notes(&self, context: Context) -> bool {
        self.0.is_some() && !matches!(context, Context::Audit | Context::Insights | Context::Carts)
    }

    /// Notes changes.
    pub(super) fn note(&self, more: Vec<Change>) {
        if let Some(mut changes) = self.changes() {
            changes.extend(more);
        }
    }

    /// How much is noted, to go [`back_to`](Self::back_to).
    pub(super) fn mark(&self) -> usize {
        self.changes().map_or(0, |changes| changes.len())
    }

    /// Forgets what was noted since: it was rolled back.
    pub(super) fn back_to(&self, mark: usize) {
        if let Some(mut changes) = self.changes() {
            changes.truncate(mark);
        }
    }

    /// Who acts and what was noted, which is forgotten here.
    pub(crate) fn take(&self) -> Option<(&By, Vec<Change>)> {
        let (by, _) = self.0.as_deref()?;
        Some((by, std::mem::take(&mut *self.changes()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Uuid;

    #[test]
    fn what_was_rolled_back_is_forgotten() {
        let by = By { actor: Actor::Admin { user: None }, address: None, reason: None };
        let audited = Audited::by(by.clone());
        let change = |after| Change {
            context: "catalog".to_owned(),
            aggregate: "product".to_owned(),
            id: Uuid::nil(),
            before: 0,
            after,
            events: Vec::new(),
            payloads: String::new(),
            fields: Vec::new(),
        };
        audited.note(vec![change(1)]);
        let mark = audited.mark();
        audited.note(vec![change(2)]);
        audited.back_to(mark);
        assert_eq!(audited.take(), Some((&by, vec![change(1)])));
        assert_eq!(audited.take(), Some((&by, vec![])));
        assert!(Audited::default().take().is_none() && !Audited::default().notes(Context::Catalog));
        assert!(audited.notes(Context::Catalog) && !audited.notes(Context::Audit));
    }
}
