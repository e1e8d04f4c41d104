//! Several processes share the work of one name, such as a feed: it has a number of shares, and each of the processes
//! holds some. Who joins takes a seat; the shares are spread over the seats that are taken, and spread again when one is
//! taken or left.
//!
//! All of it is held by the one connection that does the work: the name's lock together with the others, so that whoever
//! needs the name alone waits for all; the seat, with the lease that says that its holder lives; and a lock for each share.
//! Ending the session of one that hangs frees all three. See docs/decisions/0043.

use super::{
    STANDBY_INTERVAL,
    keeper::{self, Seats},
    lease,
};
use sqlx::PgConnection;
use std::{collections::BTreeSet, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// Most shares of one name: as many as there can be who share it.
pub const MOST_SHARES: i32 = lease::MOST_SEATS;
/// How soon shares are asked for again that their holders have not given back yet.
pub const AGAIN: Duration = Duration::from_millis(100);

/// What one process holds of a name.
#[derive(Debug)]
pub struct Shares {
    url: String,
    name: String,
    count: i32,
    seat: i32,
    held: BTreeSet<i32>,
    seats: watch::Receiver<Seats>,
    /// When the shares were spread last.
    spread: Instant,
}

impl Shares {
    /// Waits for a seat at `name`, whose work has `count` shares, on the connection to the database at `url` that will do
    /// the work. Nothing is held yet.
    ///
    /// # Errors
    /// The database's.
    pub async fn join(connection: &mut PgConnection, url: &str, name: &str, count: i32) -> Result<Self, sqlx::Error> {
        let mut ticks = tokio::time::interval(STANDBY_INTERVAL);
        let term = loop {
            ticks.tick().await;
            if let Some(term) = lease::take_shared(connection, name).await? {
                break term;
            }
            if lease::end_expired(connection, name).await? {
                tracing::warn!(role = name, "the leader's lease has run out; its session was ended");
            }
        };
        keeper::keep(url, name, term);
        let (seat, term) = loop {
            if let Some(taken) = take_seat(connection, name).await? {
                break taken;
            }
            ticks.tick().await;
        };
        keeper::keep(url, &lease::seat_of(name, seat), term);
        tracing::info!(role = name, seat, term, "sharing");
        let (url, seats) = (url.to_owned(), keeper::watch(url, name));
        Ok(Self { url, name: name.to_owned(), count, seat, held: BTreeSet::new(), seats, spread: Instant::now() })
    }

    /// The shares that this process holds.
    #[must_use]
    pub const fn held(&self) -> &BTreeSet<i32> {
        &self.held
    }

    /// Whether this process holds the share that a partition is in.
    #[must_use]
    pub fn has(&self, partition: i32) -> bool {
        self.held.contains(&(partition % self.count))
    }

    /// Waits until [`Self::spread`] is called for: the seats have changed, or there are shares to take. Nothing is lost if
    /// the wait is given up.
    ///
    /// # Errors
    /// That nobody looks at the seats any more.
    pub async fn unsettled(&mut self) -> Result<(), sqlx::Error> {
        let is_settled = self.is_settled();
        let told = tokio::select! {
            told = self.seats.changed() => told,
            () = sleep_until(self.spread + AGAIN), if !is_settled => Ok(()),
        };
        told.map_err(|_| sqlx::Error::Protocol("nobody looks at the seats".to_owned()))
    }

    /// Gives back what others are to have, and takes what is free up to its own part; gives whether it holds others now.
    /// Nothing of a share that is given back may be under way.
    ///
    /// # Errors
    /// The database's.
    pub async fn spread(&mut self, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
        self.spread = Instant::now();
        self.seats.mark_unchanged();
        let Some(wanted) = self.wanted() else {
            // The seat is gone: so is the session, and this says so.
            sqlx::query("SELECT").execute(connection).await?;
            return Ok(false);
        };
        let before = self.held.clone();
        if self.held.len() > wanted {
            let surplus: Vec<i32> = self.held.iter().skip(wanted).copied().collect();
            self.give_back(connection, &surplus).await?;
        } else if self.held.len() < wanted {
            self.take(connection, wanted - self.held.len()).await?;
        }
        let has_changed = before != self.held;
        if has_changed {
            tracing::info!(role = self.name, seat = self.seat, shares = ?self.held, of = self.count, "shares");
        }
        Ok(has_changed)
    }

    /// Whether there is nothing to take or to give back, as long as the seats stay as they are. Whoever has lost its seat is
    /// to find out that its session is gone.
    fn is_settled(&self) -> bool {
        self.seats.borrow().as_ref().is_none_or(|seats| self.part_of(seats) == Some(self.held.len()))
    }

    /// How many shares this process is to hold; none before the first look at the seats, or without a seat.
    fn wanted(&self) -> Option<usize> {
        self.seats.borrow().as_ref().and_then(|seats| self.part_of(seats))
    }

    fn part_of(&self, seats: &BTreeSet<i32>) -> Option<usize> {
        let place = seats.iter().position(|seat| *seat == self.seat)?;
        Some(part(usize::try_from(self.count).unwrap_or_default(), seats.len(), place))
    }

    async fn give_back(&mut self, connection: &mut PgConnection, surplus: &[i32]) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT pg_advisory_unlock(hashtextextended($1 || ':share:' || k, 0)) FROM unnest($2::int[]) AS k")
            .bind(&self.name)
            .bind(surplus)
            .execute(connection)
            .await?;
        self.held.retain(|share| !surplus.contains(share));
        Ok(())
    }

    async fn take(&mut self, connection: &mut PgConnection, most: usize) -> Result<(), sqlx::Error> {
        let others: Vec<i32> = (0..self.count).filter(|share| !self.held.contains(share)).collect();
        let taken: Vec<i32> = sqlx::query_scalar(
            "SELECT k FROM unnest($2::int[]) AS k WHERE pg_try_advisory_lock(hashtextextended($1 || ':share:' || k, 0)) LIMIT $3",
        )
        .bind(&self.name)
        .bind(others)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
        self.held.extend(taken);
        Ok(())
    }
}

impl Drop for Shares {
    fn drop(&mut self) {
        keeper::leave(&self.url, &lease::seat_of(&self.name, self.seat));
    }
}

/// Takes the first free seat, with its lease; gives it with the term.
async fn take_seat(connection: &mut PgConnection, name: &str) -> Result<Option<(i32, i64)>, sqlx::Error> {
    for seat in 0..lease::MOST_SEATS {
        if let Some(term) = lease::take(connection, &lease::seat_of(name, seat)).await? {
            return Ok(Some((seat, term)));
        }
    }
    Ok(None)
}

/// How many of `count` shares belong to who is at `place` of so many members. All together have all.
const fn part(count: usize, members: usize, place: usize) -> usize {
    count / members + if place < count % members { 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn shares_are_spread_evenly_and_none_is_left_over() {
        for members in 1..=70 {
            for count in 1..=64 {
                let parts: Vec<usize> = (0..members).map(|place| part(count, members, place)).collect();
                assert_eq!(parts.iter().sum::<usize>(), count);
                let (least, most) = (parts.iter().min(), parts.iter().max());
                assert!(most.zip(least).is_some_and(|(most, least)| most - least <= 1), "{count} over {members}");
            }
        }
    }
}
