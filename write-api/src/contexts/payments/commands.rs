//! What staff do with payments, and what providers send.

pub(super) mod provider_accounts;
pub(super) mod transfers;
pub(super) mod webhooks;

use crate::pipeline::Scope;
use schemas::audit::Actor;

/// Who acts, by the id of their account or key: two ids are two of the staff.
pub(super) fn actor(scope: &Scope) -> String {
    match scope.audited.actor() {
        Some(
            Actor::Admin { user: Some(user) }
            | Actor::Owner { user: Some(user), .. }
            | Actor::Staff { user: Some(user), .. },
        ) => {
            format!("user:{user}")
        }
        Some(Actor::Owner { key: Some(key), .. } | Actor::Staff { key: Some(key), .. }) => format!("key:{key}"),
        Some(Actor::Admin { user: None } | Actor::Owner { .. } | Actor::Staff { .. }) | None => "admin".to_owned(),
    }
}
