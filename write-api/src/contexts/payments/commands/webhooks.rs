//! Webhooks of providers: kept as they came, and answered at once. What they are about is asked for later.

use super::super::{
    port::agreed,
    table::{
        accounts,
        webhooks::{self, NewWebhook},
    },
};
use crate::{
    pipeline::{App, Error, Rejection},
    providers::Provider,
};
use schemas::{
    Uuid,
    problem::{Code, FieldError, Problem},
};

/// What bodies of webhooks are sealed for.
const BODY: &str = "payment webhook";

/// Takes a webhook of an account in, if it is signed.
///
/// # Errors
/// There is no such account; the signature is not one of its secrets'.
pub(in super::super) async fn take(app: &App, account: Uuid, signature: &str, body: &[u8]) -> Result<(), Error> {
    // Whose it is, is what is looked for.
    let found = accounts::of_id(&mut *app.database.of_installation().await?, account).await?;
    let found = found.ok_or_else(|| Rejection::not_found("there is no such account of a payment provider"))?;
    let now = app.clock.now();
    let provider = agreed::with_secrets(app, found.tenant, &found.sealed).await?;
    let notice = provider.verify_webhook(signature, body, now).map_err(|refused| {
        let error = FieldError::new("Stripe-Signature", refused.to_string());
        Rejection::of(Problem::new(Code::InvalidRequest).errors(vec![error]))
    })?;
    let text = String::from_utf8_lossy(body);
    let sealed = app.seal(found.tenant, BODY, &text).await?;
    let new = NewWebhook {
        tenant: found.tenant,
        account_id: account,
        event_id: &notice.event_id,
        kind: &notice.kind,
        sealed: &sealed,
        reference: notice.reference.as_deref(),
    };
    let mut transaction = app.database.of_shop(found.tenant).await?;
    let is_new = webhooks::keep(&mut transaction, &new, now).await?;
    transaction.commit().await?;
    if is_new {
        app.payments.tell();
    }
    Ok(())
}
