//! What payments need: how providers are reached, and who is told when there is something to ask them.

use super::super::domain::provider_account::Secrets;
use crate::providers::{connection::Connection, stripe::Stripe};
use std::sync::Arc;
use tokio::sync::Notify;
use url::Url;

/// How payment providers are reached.
#[derive(Debug, Clone)]
pub(crate) struct Payments {
    connection: Connection,
    stripe: Url,
    work: Arc<Notify>,
}

impl Payments {
    /// By this connection, with Stripe at this address.
    pub(crate) fn new(connection: Connection, stripe: Url) -> Self {
        Self { connection, stripe, work: Arc::default() }
    }

    /// The account at Stripe that has these secrets.
    pub(in super::super) fn stripe(&self, secrets: Secrets) -> Stripe {
        let Secrets { secret_key, webhook_secrets } = secrets;
        Stripe::new(self.connection.clone(), self.stripe.clone(), secret_key, webhook_secrets)
    }

    /// There is something to ask a provider for.
    pub(in super::super) fn tell(&self) {
        self.work.notify_one();
    }

    /// Waits until there is.
    pub(in super::super) async fn told(&self) {
        self.work.notified().await;
    }
}
