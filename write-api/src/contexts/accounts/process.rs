//! Sending the mails that wait. Any process of write-api sends any of them: one that has taken some has them for a minute,
//! and what it has not sent by then, another sends. A mail may arrive twice, with the same Message-ID.

use super::{
    commands::letters::{
        Letter, PURPOSE,
        text::{self, Facts},
    },
    port::{Accounts, Parts},
    table::WaitingMail,
};
use crate::{
    clock::Clock,
    mail::{Mail, Mailer, SendError},
    pipeline::{Failure, database::Database},
};
use schemas::{TimeDelta, Timestamp, ids::TenantId};
use service::{
    Metrics,
    metrics::prometheus_client::metrics::{counter::Counter, family::Family},
    shutdown::Shutdown,
};
use std::{sync::Arc, time::Duration};

/// How often is looked for mails that are due, besides when one is added.
const LOOK: Duration = Duration::from_secs(2);
/// Mails that a process takes at once.
const AT_ONCE: i64 = 10;
/// How long it has them.
const HELD: TimeDelta = TimeDelta::seconds(120);
/// The longest pause between two tries, in seconds.
const LONGEST_PAUSE_S: i64 = 30 * 60;
/// After this long a mail is given up: its code is no longer good either.
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::hours(24);

/// Sends mails.
#[derive(Debug, Clone)]
pub(crate) struct Sending {
    pub(crate) database: Database,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) mailer: Mailer,
    pub(crate) accounts: Accounts,
    pub(crate) mails: Mails,
}

/// `souk_mails_total`: what became of tries to send a mail.
#[derive(Debug, Clone)]
pub(crate) struct Mails(Family<Vec<(&'static str, &'static str)>, Counter>);

impl Mails {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let mails = Family::default();
        metrics.register(|registry| registry.register("mails", "Tries to send a mail, by outcome", mails.clone()));
        Self(mails)
    }

    fn count(&self, outcome: &'static str) {
        self.0.get_or_create(&vec![("outcome", outcome)]).inc();
    }
}

impl Sending {
    /// Sends what is due until shutdown.
    pub(crate) async fn run(self, shutdown: Shutdown) {
        let Some(parts) = self.accounts.get() else { return };
        loop {
            match self.round(&parts).await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => tracing::warn!(%error, "mails can't be looked for"),
            }
            tokio::select! {
                () = parts.mails.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
                () = shutdown.wait() => return,
            }
        }
    }

    /// Sends some that are due; gives how many there were.
    async fn round(&self, parts: &Parts) -> Result<usize, sqlx::Error> {
        let now = self.clock.now();
        let mut transaction = self.database.of_installation().await?;
        let due = WaitingMail::due(&mut *transaction, now, now + HELD, AT_ONCE).await?;
        transaction.commit().await?;
        for waiting in &due {
            self.send(parts, waiting).await?;
        }
        Ok(due.len())
    }

    async fn send(&self, parts: &Parts, waiting: &WaitingMail) -> Result<(), sqlx::Error> {
        let tenant = TenantId(waiting.tenant_id);
        let sent = match self.write(parts, waiting).await {
            Ok(mail) => self.mailer.send(&mail).await,
            Err(failure) => Err(SendError::Later(failure.to_string())),
        };
        let error = match sent {
            Ok(()) => {
                self.mails.count("sent");
                let mut transaction = self.database.of_shop(tenant).await?;
                waiting.sent(&mut *transaction).await?;
                return transaction.commit().await;
            }
            Err(error) => error,
        };
        let now = self.clock.now();
        let again_at = again_at(&error, waiting, now);
        self.mails.count(if again_at.is_some() { "later" } else { "given_up" });
        tracing::warn!(mail.id = %waiting.mail_id, tenant.id = %waiting.tenant_id, tries = waiting.tries,
            %error, again = again_at.is_some(), "a mail was not sent");
        let mut transaction = self.database.of_shop(tenant).await?;
        waiting.failed(&mut *transaction, &error.to_string(), now, again_at).await?;
        transaction.commit().await
    }

    async fn write(&self, parts: &Parts, waiting: &WaitingMail) -> Result<Mail, Failure> {
        let key = parts.keyring.shop(&self.database, TenantId(waiting.tenant_id)).await?;
        let letter: Letter = key.open(PURPOSE, &waiting.sealed)?;
        let (link, code) = (letter.link(), letter.code.as_deref());
        let facts = Facts { shop: &letter.shop, link: link.as_deref(), code, minutes: letter.minutes };
        let (subject, text) = text::write(letter.occasion, &facts);
        Ok(Mail { id: waiting.mail_id, to: letter.to, subject, text, language: Some("en".to_owned()) })
    }
}

/// When a mail that was not sent is tried again: later each time, and not after a day or where it is refused.
fn again_at(error: &SendError, waiting: &WaitingMail, now: Timestamp) -> Option<Timestamp> {
    if matches!(error, SendError::Refused(_)) || waiting.created_at + GIVEN_UP_AFTER <= now {
        return None;
    }
    let doubled = 2_i64.saturating_pow(waiting.tries.clamp(0, 20).unsigned_abs());
    Some(now + TimeDelta::seconds(doubled.min(LONGEST_PAUSE_S)))
}
