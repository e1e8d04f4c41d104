//! Signing out.

use super::end_sessions;
use crate::{
    contexts::accounts::domain::{Session, SessionCommand},
    domain::Aggregate,
    pipeline::{App, Change, Error, Expected, Scope, Stored, procedure::Procedure},
};
use access::Customer;
use schemas::{contexts::Context, events::accounts::SessionEnd};
use sqlx::PgConnection;

/// Which sessions end.
struct SignOut {
    customer: Customer,
    /// Whether all of the person's do, or the one that asks.
    everywhere: bool,
}

/// Ends the session that asks, or all of the person's.
pub(in super::super) async fn sign_out(
    app: &App,
    scope: &Scope,
    customer: Customer,
    everywhere: bool,
) -> Result<(), Error> {
    app.procedure(scope, &SignOut { customer, everywhere }).await
}

impl Procedure for SignOut {
    const CONTEXT: Context = Context::Accounts;
    type Output = ();

    fn name(&self) -> &'static str {
        "sign_out"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, ()), Error> {
        let Customer { user, session: id, .. } = self.customer;
        if self.everywhere {
            end_sessions(conn, scope, user, SessionEnd::SignedOutEverywhere, None).await?;
            return Ok((Change::Changed, ()));
        }
        let mut sessions = Session::load(conn, scope, &[id]).await?;
        let end = SessionCommand::End(SessionEnd::SignedOut);
        let done = sessions.carry_out(id, Expected::Any, |sessions| Ok(Session::decide(sessions.state(id), end)?))?;
        sessions.append(conn, scope).await?;
        Ok((done.change, ()))
    }
}
