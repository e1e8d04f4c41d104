//! How far a relay is ahead of the views. What is in the log stands in one line, so whoever writes more than the views
//! apply would be before everybody else there. In the outbox shops take turns ([`super::waiting::in_turn`]), and so it is
//! there that they wait.

use super::waiting::Room;
use crate::registry::FEEDS;
use eventlog::{checkpoint, database, producer::Place};
use schemas::topics::Context;
use sqlx::PgConnection;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};
use tokio::time::Instant;

/// Events that may be in the log and not in the views: what the views apply in about a twentieth of a second.
const MOST_EVENTS: u64 = 250;
/// Bytes of them.
const MOST_BYTES: u64 = 1 << 20;
/// How much room is waited for: rounds of a few events each would cost more than they are worth.
const LEAST: u64 = 4;
/// How often the views are asked meanwhile.
const ASK: Duration = Duration::from_millis(5);
/// How long views that stand still are waited for. Then the log is filled, for as long as they do: they are off, or being
/// built anew.
const PATIENCE: Duration = Duration::from_secs(2);
/// How much is sent in a round while the views stand still, so that memory stays bounded.
const FREE: Room = Room { events: 2_000, bytes: 32 << 20 };

/// What was sent and may not be applied yet.
#[derive(Debug)]
pub struct Ahead {
    topic: String,
    feed: &'static str,
    url: String,
    views: Option<PgConnection>,
    sent: VecDeque<(Place, u64)>,
    bytes: u64,
    /// Where the views stood when they were last asked, by partition.
    applied: BTreeMap<i32, i64>,
    /// Whether they were waited for in vain, and have not moved since.
    stand_still: bool,
}

impl Ahead {
    /// Of the relay of a context, to the feed that follows it in the read database at `url`.
    #[must_use]
    pub fn of(context: Context, topic: &str, url: &str) -> Self {
        Self {
            topic: topic.to_owned(),
            feed: FEEDS.iter().find(|feed| feed.contexts().contains(&context)).map_or("", |feed| feed.name),
            url: url.to_owned(),
            views: None,
            sent: VecDeque::new(),
            bytes: 0,
            applied: BTreeMap::new(),
            stand_still: false,
        }
    }

    /// Notes what was sent: where each event stands, and its bytes.
    pub fn note(&mut self, sent: impl IntoIterator<Item = (Place, u64)>) {
        for (place, bytes) in sent {
            self.bytes += bytes;
            self.sent.push_back((place, bytes));
        }
    }

    /// How much may be sent now. Waits for the views while that is little; views that can't be asked stand still.
    pub async fn room(&mut self) -> Room {
        let mut moved = Instant::now();
        while self.is_far() {
            if self.have_moved().await {
                (moved, self.stand_still) = (Instant::now(), false);
            } else if self.stand_still || moved.elapsed() >= PATIENCE {
                self.stand_still = true;
                self.sent.clear();
                self.bytes = 0;
                return FREE;
            } else {
                tokio::time::sleep(ASK).await;
            }
        }
        let events = MOST_EVENTS.saturating_sub(self.sent.len() as u64).max(1);
        Room { events, bytes: MOST_BYTES.saturating_sub(self.bytes).max(1) }
    }

    /// Asks the views how far they are, and forgets what they have applied; gives whether that is further than before.
    async fn have_moved(&mut self) -> bool {
        match self.ask().await {
            Ok(applied) if applied != self.applied => {
                self.applied = applied;
                true
            }
            Ok(_) => false,
            Err(error) => {
                tracing::debug!(%error, feed = self.feed, "the views can't be asked how far they are");
                false
            }
        }
    }

    fn is_far(&self) -> bool {
        self.sent.len() as u64 > MOST_EVENTS - MOST_EVENTS / LEAST || self.bytes > MOST_BYTES - MOST_BYTES / LEAST
    }

    async fn ask(&mut self) -> Result<BTreeMap<i32, i64>, sqlx::Error> {
        let mut views = match self.views.take() {
            Some(views) => views,
            None => database::connect(&self.url).await?,
        };
        let stored = checkpoint::load(&mut views, self.feed).await?;
        // One that failed is not asked again.
        self.views = Some(views);
        // The feed may follow other topics as well.
        let of_topic = stored.into_iter().filter(|((topic, _), _)| *topic == self.topic);
        let applied: BTreeMap<i32, i64> = of_topic.map(|((_, partition), next)| (partition, next)).collect();
        self.sent.retain(|(place, _)| applied.get(&place.partition).is_none_or(|next| place.offset >= *next));
        self.bytes = self.sent.iter().map(|(_, bytes)| bytes).sum();
        Ok(applied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(offset: i64) -> Place {
        Place { partition: 0, offset }
    }

    #[tokio::test]
    async fn a_relay_has_room_until_it_is_far_ahead() {
        let mut ahead = Ahead::of(Context::Catalog, "catalog", "postgres://nobody.invalid/none");
        assert_eq!(ahead.room().await, Room { events: MOST_EVENTS, bytes: MOST_BYTES });
        ahead.note((0..10).map(|offset| (place(offset), 100)));
        assert_eq!(ahead.room().await, Room { events: MOST_EVENTS - 10, bytes: MOST_BYTES - 1_000 });
        assert!(!ahead.is_far());
        ahead.note([(place(10), MOST_BYTES)]);
        assert!(ahead.is_far());
    }

    #[tokio::test]
    async fn views_that_cannot_be_asked_are_not_waited_for_for_ever() {
        let mut ahead = Ahead::of(Context::Catalog, "catalog", "no address");
        ahead.note((0..5_000).map(|offset| (place(offset), 1)));
        let began = Instant::now();
        assert_eq!(ahead.room().await, FREE);
        assert!(began.elapsed() >= PATIENCE);
        ahead.note((0..5_000).map(|offset| (place(offset), 1)));
        assert_eq!(ahead.room().await, FREE, "they have not moved");
        assert!(began.elapsed() < 2 * PATIENCE);
    }
}
