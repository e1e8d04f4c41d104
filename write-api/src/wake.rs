//! Waking the relay: after commits, and never more often than every two milliseconds.
//!
//! A NOTIFY inside each transaction would queue all commits behind one lock. So a task with a
//! connection of its own sends them, one for all commits since the last.

use schemas::contexts::Context;
use service::shutdown::Shutdown;
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
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
    /// Contexts with new outbox rows.
    contexts: Flags<{ Context::COUNT }>,
    notify: Notify,
}

/// Flags that many raise and one takes: as many as there are things to tell of.
#[derive(Debug)]
struct Flags<const N: usize>([AtomicBool; N]);

impl<const N: usize> Default for Flags<N> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicBool::new(false)))
    }
}

impl<const N: usize> Flags<N> {
    fn raise(&self, index: usize) {
        self.0[index].store(true, Ordering::Release);
    }

    /// The places of the raised flags, which are lowered.
    fn take(&self) -> impl Iterator<Item = usize> + '_ {
        let lowered = |flag: &AtomicBool| flag.swap(false, Ordering::Acquire);
        self.0.iter().enumerate().filter(move |(_, flag)| lowered(flag)).map(|(index, _)| index)
    }
}

impl Waker {
    /// Says that a context has new outbox rows. Returns at once.
    pub(crate) fn wake(&self, context: Context) {
        self.signal.contexts.raise(context.index());
        self.signal.notify.notify_one();
    }

    fn take(&self) -> Vec<&'static str> {
        self.signal.contexts.take().map(|index| Context::ALL[index].name()).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_context_is_told_of_once() {
        let waker = Waker::default();
        for context in Context::ALL {
            waker.wake(context);
            waker.wake(context);
            assert_eq!(waker.take(), [context.name()]);
            assert!(waker.take().is_empty());
        }
        Context::ALL.into_iter().for_each(|context| waker.wake(context));
        assert_eq!(waker.take(), Context::ALL.map(Context::name));
    }

    #[test]
    fn there_is_room_for_any_number_of_contexts() {
        let flags = Flags::<300>::default();
        for index in 0..300 {
            flags.raise(index);
            assert_eq!(flags.take().collect::<Vec<_>>(), [index]);
        }
        (0..300).for_each(|index| flags.raise(index));
        assert_eq!(flags.take().count(), 300);
        assert_eq!(flags.take().count(), 0);
    }
}
