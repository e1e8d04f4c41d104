//! What staff do to orders.

use super::port::{self, Act};
use crate::pipeline::{App, Done, Error, Expected, Scope, idempotency::Key};
use schemas::{Uuid, audit::Actor, events::orders::OrderActor};

/// Staff cancel an order. What was held and paid for it goes back by the process of its checkout, which is told.
pub(super) async fn cancel(
    app: &App,
    scope: &Scope,
    key: Option<&Key>,
    order: Uuid,
    expected: Expected,
    reason: (String, Option<String>),
) -> Result<Done, Error> {
    let (reason, note) = reason;
    let by = OrderActor::Staff { id: scope.audited.actor().and_then(id_of) };
    port::act(app, scope, key, order, expected, Act::Cancel { by, reason, note }).await
}

/// The account or the key of whoever acts.
fn id_of(actor: &Actor) -> Option<Uuid> {
    match actor {
        Actor::Admin { user } => *user,
        Actor::Owner { key, user } | Actor::Staff { key, user } => user.or(*key),
    }
}
