//! Doing something to a checkout.

use super::super::domain::{Checkout, CheckoutCommand};
use crate::{
    domain::Aggregate,
    pipeline::{
        App, Change, Done, Error, Expected, Scope, Stored,
        idempotency::{self, Key},
        procedure::Procedure,
    },
};
use schemas::{Uuid, contexts::Context};
use sqlx::PgConnection;

/// Decides a command in a transaction that is under way.
pub(in super::super) async fn decide(
    conn: &mut PgConnection,
    scope: &Scope,
    checkout: Uuid,
    command: CheckoutCommand,
) -> Result<Done, Error> {
    let mut checkouts = Checkout::load(&mut *conn, scope, &[checkout]).await?;
    let done = checkouts
        .carry_out(checkout, Expected::Any, |checkouts| Ok(Checkout::decide(checkouts.state(checkout), command)?))?;
    checkouts.append(conn, scope).await?;
    Ok(done)
}

/// The same in a transaction of its own, once for a key.
pub(in super::super) async fn act(
    app: &App,
    scope: &Scope,
    key: Option<&Key>,
    checkout: Uuid,
    name: &'static str,
    command: CheckoutCommand,
) -> Result<Done, Error> {
    app.procedure(scope, &Acting { key, checkout, name, command }).await
}

struct Acting<'a> {
    key: Option<&'a Key>,
    checkout: Uuid,
    name: &'static str,
    command: CheckoutCommand,
}

impl Procedure for Acting<'_> {
    const CONTEXT: Context = Context::Checkout;
    type Output = Done;

    fn name(&self) -> &'static str {
        self.name
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Done), Error> {
        if let Some(done) = idempotency::claim(&mut *conn, Self::CONTEXT, scope, self.key).await? {
            return Ok((Change::Unchanged, done));
        }
        let done = decide(&mut *conn, scope, self.checkout, self.command.clone()).await?;
        idempotency::keep(conn, Self::CONTEXT, scope, self.key, &done).await?;
        Ok((done.change, done))
    }
}
