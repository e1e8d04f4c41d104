//! Another e-mail address: it is proved before it counts.

use super::{
    letters::{Post, text::Occasion},
    verify::NewEmail,
};
use crate::{
    contexts::accounts::{
        domain::Email,
        table::{self, Purpose},
    },
    pipeline::{App, Change, Error, Scope, procedure::Procedure},
};
use access::Customer;
use schemas::contexts::Context;
use sqlx::PgConnection;
use std::sync::Arc;

/// Minutes that a code for another address is good.
const MINUTES: u32 = 24 * 60;

struct AskEmail<'a> {
    customer: Customer,
    email: &'a Email,
    digest: String,
    post: Post,
}

/// Sends a code to another address of somebody who is signed in. One that has an account is told so, there.
pub(in super::super) async fn ask(
    app: &App,
    scope: &Scope,
    customer: Customer,
    email: &Email,
    return_to: Option<&str>,
) -> Result<(), Error> {
    let post = Post::of(app, scope, return_to).await?;
    let parts = Arc::clone(&post.parts);
    let digest = post.key.of_email(&email.folded());
    app.procedure(scope, &AskEmail { customer, email, digest, post }).await?;
    parts.mails.notify_one();
    Ok(())
}

impl Procedure for AskEmail<'_> {
    const CONTEXT: Context = Context::Accounts;
    type Output = ();

    fn name(&self) -> &'static str {
        "ask_email_change"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, ()), Error> {
        let Customer { user, session, .. } = self.customer;
        let to = self.email.as_str();
        let owner = table::user_of_email(&mut *conn, scope.tenant, &self.digest).await?;
        let (letter, code) = match owner.filter(|owner| *owner != user) {
            Some(_) => (self.post.letter(Occasion::AddressTaken, to), None),
            None => {
                let letter = self.post.letter(Occasion::VerifyNewAddress, to);
                let then = NewEmail { email: to.to_owned(), digest: self.digest.clone(), session };
                let (letter, code) = self.post.with_code(scope, letter, (Purpose::NewEmail, user), MINUTES, &then)?;
                (letter, Some(code))
            }
        };
        self.post.send(conn, scope, Some(owner.unwrap_or(user)), &letter, code.as_ref()).await?;
        Ok((Change::Unchanged, ()))
    }
}
