//! What the relays of a process share, so that twenty contexts don't need forty connections: one session that holds
//! their locks and looks into all outboxes at once, one that listens, and a few that work.

pub mod workers;

use eventlog::{database, leader};
use schemas::topics::Context;
use sqlx::{AssertSqlSafe, PgConnection};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::MissedTickBehavior,
};
use workers::Workers;

/// The channel write-api signals on, with the context's name as payload.
const WAKE_CHANNEL: &str = "souk_outbox";
/// How often the outboxes are looked at when no signal comes, and the locks of others are tried.
const POLL: Duration = Duration::from_millis(200);
/// How long after a lost session the next one is begun.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// The name of a context's relay in health, status and dead letters.
#[must_use]
pub fn relay_name(context: Context) -> String {
    format!("relay:{context}")
}

/// The lock of the one relay of a context.
#[must_use]
pub fn lock(context: Context) -> String {
    format!("souk:relay:{context}")
}

/// What a relay asks the shared session for.
enum Ask {
    Lead(Context, oneshot::Sender<Lease>),
    /// Of the session with this number; what an earlier one held is gone with it.
    Release(Context, u64),
}

/// The outboxes of the write database, as the relays of one process use them.
#[derive(Clone)]
pub struct Outboxes {
    asks: mpsc::UnboundedSender<Ask>,
    wakes: Arc<[Notify]>,
    /// Connections for rounds and reports.
    pub workers: Workers,
}

impl std::fmt::Debug for Outboxes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outboxes").field("workers", &self.workers).finish_non_exhaustive()
    }
}

/// That this process relays a context. It is given back when it is dropped.
#[derive(Debug)]
pub struct Lease {
    context: Context,
    session: u64,
    alive: watch::Receiver<()>,
    asks: mpsc::UnboundedSender<Ask>,
}

impl Lease {
    /// Waits until the session that holds the lock is lost: from then on another process may relay the context.
    pub async fn lost(&self) {
        // Nothing is ever sent: it ends with the sender, which the session owns.
        let _ = self.alive.clone().changed().await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Nobody listens once the process ends, and the locks with it.
        let _ = self.asks.send(Ask::Release(self.context, self.session));
    }
}

impl Outboxes {
    /// Of the write database at `url`. Besides the handle, this gives the task that keeps the shared session; it runs for
    /// as long as the process does.
    pub fn shared(url: &str) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (asks, inbox) = mpsc::unbounded_channel();
        let wakes: Arc<[Notify]> = Context::ALL.iter().map(|_| Notify::new()).collect();
        let outboxes = Self { asks, wakes, workers: Workers::new(url) };
        let session = Session { outboxes: outboxes.clone(), inbox, waiting: Vec::new(), number: 0 };
        (outboxes, session.keep(url.to_owned()))
    }

    /// Waits until this process is the one that relays a context; none if the process is ending.
    pub async fn lead(&self, context: Context) -> Option<Lease> {
        let (given, lease) = oneshot::channel();
        self.asks.send(Ask::Lead(context, given)).ok()?;
        lease.await.ok()
    }

    /// Waits until a context may have rows to relay. A signal that came before is kept.
    pub async fn signalled(&self, context: Context) {
        if let Some(wake) = self.wake(context.name()) {
            wake.notified().await;
        }
    }

    fn wake(&self, name: &str) -> Option<&Notify> {
        Context::ALL.iter().position(|context| context.name() == name).and_then(|place| self.wakes.get(place))
    }
}

/// The shared session, through all connections it takes.
struct Session {
    outboxes: Outboxes,
    inbox: mpsc::UnboundedReceiver<Ask>,
    waiting: Vec<(Context, oneshot::Sender<Lease>)>,
    number: u64,
}

impl Session {
    async fn keep(mut self, url: String) {
        loop {
            if let Err(error) = self.hold(&url).await {
                tracing::warn!(%error, "the session that holds the relays' locks is lost");
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    /// Holds locks until a connection is lost. Every lease of this session ends with it.
    async fn hold(&mut self, url: &str) -> Result<(), sqlx::Error> {
        let mut connection = database::connect(url).await?;
        sqlx::query("SET lock_timeout = '20ms'").execute(&mut connection).await?;
        let mut listener = service::database::listener(url).await?;
        listener.listen(WAKE_CHANNEL).await?;
        self.number += 1;
        let (_owned, alive) = watch::channel(());
        let mut polls = tokio::time::interval(POLL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                signal = listener.recv() => {
                    if let Some(wake) = self.outboxes.wake(signal?.payload()) {
                        wake.notify_one();
                    }
                }
                Some(ask) = self.inbox.recv() => match ask {
                    Ask::Lead(context, given) => {
                        self.waiting.push((context, given));
                        self.take(url, &mut connection, &alive).await?;
                    }
                    Ask::Release(context, session) if session == self.number => {
                        leader::unlock(&mut connection, &lock(context)).await?;
                    }
                    Ask::Release(..) => {}
                },
                _ = polls.tick() => {
                    self.take(url, &mut connection, &alive).await?;
                    self.poll(&mut connection).await?;
                }
            }
        }
    }

    /// Tries the locks that are waited for.
    async fn take(
        &mut self,
        url: &str,
        connection: &mut PgConnection,
        alive: &watch::Receiver<()>,
    ) -> Result<(), sqlx::Error> {
        for (context, given) in std::mem::take(&mut self.waiting) {
            if given.is_closed() {
                continue;
            }
            if !leader::try_lock(connection, url, &lock(context)).await? {
                self.waiting.push((context, given));
                continue;
            }
            let (session, asks) = (self.number, self.outboxes.asks.clone());
            // Who no longer waits gives it back by dropping it.
            let _ = given.send(Lease { context, session, alive: alive.clone(), asks });
        }
        Ok(())
    }

    /// Wakes the relays of the contexts that have rows to send. Each outbox is looked at by itself: one that somebody has
    /// for himself is left for the next look, and holds up no other.
    async fn poll(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        for context in Context::ALL {
            let sql = format!("SELECT EXISTS (SELECT FROM {context}.outbox WHERE published_at IS NULL)");
            match sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *connection).await {
                Ok(true) => self.outboxes.wake(context.name()).into_iter().for_each(Notify::notify_one),
                Ok(false) => {}
                Err(error) if database::is_lock_timeout(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
