//! Waking the relay: after commits, and never more often than every two milliseconds.
//!
//! A NOTIFY inside each transaction would queue all commits behind one lock. So a task with a
//! connection of its own sends them, one for all commits since the last.

use schemas::topics::Context;
use service::shutdown::Shutdown;
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// The least time between two signals.
const GAP: Duration = Duration::from_millis(2);
/// The relay polls too, so a database that is away is not pressed.
const RECONNECT: Duration = Duration::from_millis(500);

/// Takes note of commits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waker {
    signal: Arc<Signal>,
}

#[derive(Debug, Default)]
struct Signal {
    /// One bit per context with new outbox rows.
    contexts: AtomicU8,
    notify: Notify,
}

const fn bit(context: Context) -> u8 {
    1 << (context.wire_code() - 1)
}

impl Waker {
    /// Says that a context has new outbox rows. Returns at once.
    pub(crate) fn wake(&self, context: Context) {
        self.signal.contexts.fetch_or(bit(context), Ordering::Release);
        self.signal.notify.notify_one();
    }

    fn take(&self) -> Vec<&'static str> {
        let contexts = self.signal.contexts.swap(0, Ordering::Acquire);
        Context::ALL.into_iter().filter(|context| contexts & bit(*context) != 0).map(Context::name).collect()
    }

    /// Sends the signals until shutdown.
    pub(crate) async fn run(self, options: PgConnectOptions, shutdown: Shutdown) {
        let mut connection: Option<PgConnection> = None;
        loop {
            tokio::select! {
                () = self.signal.notify.notified() => {}
                () = shutdown.wait() => break,
            }
            let contexts = self.take();
            if contexts.is_empty() {
                continue;
            }
            match send(connection.take(), &options, &contexts).await {
                Ok(open) => {
                    connection = Some(open);
                    tokio::time::sleep(GAP).await;
                }
                Err(error) => {
                    tracing::warn!(error = %error, "the relay could not be woken; it polls meanwhile");
                    tokio::time::sleep(RECONNECT).await;
                }
            }
        }
        if let Some(connection) = connection {
            // The process ends anyway.
            let _ = connection.close().await;
        }
    }
}

async fn send(
    connection: Option<PgConnection>,
    options: &PgConnectOptions,
    contexts: &[&str],
) -> Result<PgConnection, sqlx::Error> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => PgConnection::connect_with(options).await?,
    };
    sqlx::query("SELECT pg_notify('souk_outbox', context) FROM UNNEST($1::text[]) AS context")
        .bind(contexts)
        .execute(&mut connection)
        .await?;
    Ok(connection)
}
