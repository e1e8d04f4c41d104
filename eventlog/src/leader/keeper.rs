//! The task of a process that renews its leases, and looks who else has a seat where this process has one. It has a
//! connection of its own: whoever waits for a lock of one that hangs could not end its session.

use super::lease;
use crate::database;
use sqlx::PgConnection;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        watch,
    },
    time::MissedTickBehavior,
};

/// How often seats are looked at.
pub const LOOK: Duration = Duration::from_millis(250);
/// Leases are renewed in each of so many looks. The last renewal of a leader that hears nothing any more may still arrive
/// after its cable was cut: this is added to what [`lease::LASTS`] says.
pub const RENEWED_EACH: u32 = 4;
/// How long renewal and look may take together.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

/// The seats that live ones have; none before the first look.
pub type Seats = Option<BTreeSet<i32>>;

enum Ask {
    /// A lease that was taken: name and term.
    Keep(String, i64),
    Leave(String),
    Watch(String, watch::Sender<Seats>),
}

/// Who keeps the leases of this process, by the URL of the database they are in.
static KEEPERS: LazyLock<Mutex<HashMap<String, UnboundedSender<Ask>>>> = LazyLock::new(Mutex::default);

/// Renews a lease for as long as this process runs and nobody else has taken it, or until [`leave`].
pub fn keep(url: &str, name: &str, term: i64) {
    ask(url, Ask::Keep(name.to_owned(), term));
}

/// Renews a lease no longer: whoever has the lock still, though nobody works there, is ended.
pub fn leave(url: &str, name: &str) {
    ask(url, Ask::Leave(name.to_owned()));
}

/// The seats at a name, as they change, for as long as somebody watches. Sessions whose lease has run out are ended.
pub fn watch(url: &str, name: &str) -> watch::Receiver<Seats> {
    let (told, seats) = watch::channel(None);
    ask(url, Ask::Watch(name.to_owned(), told));
    seats
}

fn ask(url: &str, ask: Ask) {
    let mut keepers = KEEPERS.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(ask) = (match keepers.get(url) {
        Some(keeper) => keeper.send(ask).err().map(|unsent| unsent.0),
        None => Some(ask),
    }) else {
        return;
    };
    let (keeper, inbox) = unbounded_channel();
    // It can't be closed: the task has the other end.
    let _ = keeper.send(ask);
    keepers.insert(url.to_owned(), keeper);
    tokio::spawn(Keeper { url: url.to_owned(), ..Keeper::default() }.run(inbox));
}

#[derive(Default)]
struct Keeper {
    url: String,
    connection: Option<PgConnection>,
    held: BTreeMap<String, i64>,
    watched: Vec<(String, watch::Sender<Seats>)>,
    rounds: u32,
}

impl Keeper {
    async fn run(mut self, mut inbox: UnboundedReceiver<Ask>) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                ask = inbox.recv() => match ask {
                    Some(Ask::Keep(name, term)) => drop(self.held.insert(name, term)),
                    Some(Ask::Leave(name)) => drop(self.held.remove(&name)),
                    Some(Ask::Watch(name, told)) => {
                        self.watched.push((name, told));
                        looks.reset_immediately();
                    }
                    None => return,
                },
                _ = looks.tick(), if !self.held.is_empty() || !self.watched.is_empty() => {
                    match tokio::time::timeout(ANSWERED_WITHIN, self.round()).await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => tracing::warn!(%error, "leases could not be renewed"),
                        Err(_) => tracing::warn!("leases could not be renewed in time"),
                    }
                }
            }
        }
    }

    /// One look. A connection over which it does not end well is given up.
    async fn round(&mut self) -> Result<(), sqlx::Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => database::connect(&self.url).await?,
        };
        if self.rounds.is_multiple_of(RENEWED_EACH) {
            let renewed = lease::renew(&mut connection, &self.held).await?;
            // What is not there any more has another leader.
            self.held.retain(|name, _| renewed.contains(name));
        }
        self.rounds = self.rounds.wrapping_add(1);
        self.watched.retain(|(_, told)| !told.is_closed());
        if !self.watched.is_empty() {
            self.look(&mut connection).await?;
        }
        self.connection = Some(connection);
        Ok(())
    }

    async fn look(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let names: BTreeSet<&str> = self.watched.iter().map(|(name, _)| name.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let mut live: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
        for (name, seat, is_expired) in lease::taken_seats(connection, &names).await? {
            if !is_expired {
                live.entry(name).or_default().insert(seat);
            } else if lease::end_expired(connection, &lease::seat_of(&name, seat)).await? {
                tracing::warn!(role = name, seat, "a lease has run out; the session was ended");
            }
        }
        for (name, told) in &self.watched {
            let seats = live.get(name).cloned().unwrap_or_default();
            told.send_if_modified(|known| {
                let differs = known.as_ref() != Some(&seats);
                *known = Some(seats.clone());
                differs
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::shares::AGAIN, LOOK, RENEWED_EACH, lease::LASTS};
    use std::time::Duration;

    #[test]
    fn a_leader_that_hears_nothing_any_more_is_replaced_within_ten_seconds() {
        let until_another_begins = Duration::from_millis(350);
        let worst = LOOK * RENEWED_EACH + Duration::from_secs_f64(LASTS) + LOOK + until_another_begins;
        assert!(worst + super::super::STANDBY_INTERVAL.max(AGAIN) < Duration::from_secs(10), "{worst:?}");
    }
}
