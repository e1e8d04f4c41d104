//! How far a relay is ahead of who reads what it sends: the views, or the active index. What is in the log stands in one
//! line, so whoever writes more than they take would be before everybody else there. In the outbox shops take turns, and so
//! it is there that they wait.

use crate::registry::FEEDS;
use eventlog::{checkpoint, database, producer::Place};
use schemas::topics::Context;
use sqlx::PgConnection;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};
use tokio::time::Instant;

/// How much may be sent in one round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Events, or documents.
    pub events: u64,
    /// Bytes after which a round is not filled further; the first of it is sent however large it is.
    pub bytes: u64,
}

/// How much may be in the log and not in the views: what they apply in about a twentieth of a second.
const OF_VIEWS: Room = Room { events: 250, bytes: 1 << 20 };
/// How much may be in the log and not in the index: what it takes in within about half a second.
const OF_INDEX: Room = Room { events: 1_000, bytes: 8 << 20 };
/// How much room is waited for: rounds of a few events each would cost more than they are worth.
const LEAST: u64 = 4;
/// How often who reads is asked meanwhile.
const ASK: Duration = Duration::from_millis(5);
/// How long readers that stand still are waited for. Then the log is filled, for as long as they do: they are off, or being
/// built anew.
const PATIENCE: Duration = Duration::from_secs(2);
/// How much is sent in a round while they stand still, so that memory stays bounded.
const FREE: Room = Room { events: 2_000, bytes: 32 << 20 };

/// Who reads what a relay sends.
#[derive(Debug, Clone, Copy)]
enum Reader {
    /// A feed of views, by its name.
    Feed(&'static str),
    /// The copies of the active index generation. The one that is furthest counts, so that a node which comes back delays
    /// nobody but its own readers.
    Index,
}

/// What was sent and may not be applied yet.
#[derive(Debug)]
pub struct Ahead {
    topic: String,
    reader: Reader,
    most: Room,
    url: String,
    connection: Option<PgConnection>,
    sent: VecDeque<(Place, u64)>,
    bytes: u64,
    /// Where its reader stood when last asked, by partition.
    applied: BTreeMap<i32, i64>,
    /// Whether they were waited for in vain, and have not moved since.
    stand_still: bool,
}

impl Ahead {
    /// Of the relay of a context, to the feed that follows it in the read database at `url`.
    #[must_use]
    pub fn of_views(context: Context, topic: &str, url: &str) -> Self {
        let feed = FEEDS.iter().find(|feed| feed.contexts().contains(&context)).map_or("", |feed| feed.name);
        Self::of(Reader::Feed(feed), OF_VIEWS, topic, url)
    }

    /// Of the relay of documents, to the active index, of which the read database at `url` knows how far it is.
    #[must_use]
    pub fn of_index(topic: &str, url: &str) -> Self {
        Self::of(Reader::Index, OF_INDEX, topic, url)
    }

    fn of(reader: Reader, most: Room, topic: &str, url: &str) -> Self {
        Self {
            topic: topic.to_owned(),
            reader,
            most,
            url: url.to_owned(),
            connection: None,
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

    /// How much may be sent now. Waits for its reader while that is little; one that can't be asked stands still.
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
        let events = self.most.events.saturating_sub(self.sent.len() as u64).max(1);
        Room { events, bytes: self.most.bytes.saturating_sub(self.bytes).max(1) }
    }

    /// Asks the reader how far it is, and forgets what it has; gives whether that is further than before.
    async fn have_moved(&mut self) -> bool {
        match self.ask().await {
            Ok(applied) if applied != self.applied => {
                self.applied = applied;
                true
            }
            Ok(_) => false,
            Err(error) => {
                tracing::debug!(%error, reader = ?self.reader, "can't be asked how far it is");
                false
            }
        }
    }

    fn is_far(&self) -> bool {
        let Room { events, bytes } = self.most;
        self.sent.len() as u64 > events - events / LEAST || self.bytes > bytes - bytes / LEAST
    }

    async fn ask(&mut self) -> Result<BTreeMap<i32, i64>, sqlx::Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => database::connect(&self.url).await?,
        };
        let stored = match self.reader {
            Reader::Feed(feed) => checkpoint::load(&mut connection, feed).await?.into_iter().collect(),
            Reader::Index => furthest(&mut connection).await?,
        };
        // One that failed is not asked again.
        self.connection = Some(connection);
        // The reader may follow other topics as well.
        let of_topic = stored.into_iter().filter(|((topic, _), _)| *topic == self.topic);
        let applied: BTreeMap<i32, i64> = of_topic.map(|((_, partition), next)| (partition, next)).collect();
        self.sent.retain(|(place, _)| applied.get(&place.partition).is_none_or(|next| place.offset >= *next));
        self.bytes = self.sent.iter().map(|(_, bytes)| bytes).sum();
        Ok(applied)
    }
}

/// Where the copies of the active generation stand that were heard of lately.
async fn furthest(connection: &mut PgConnection) -> Result<Vec<((String, i32), i64)>, sqlx::Error> {
    let rows: Vec<(String, i32, i64)> = sqlx::query_as(
        "SELECT at ->> 0, (at ->> 1)::integer, max((at ->> 2)::bigint)
         FROM generation_copies AS c JOIN index_generations AS g USING (generation), jsonb_array_elements(c.offsets) AS at
         WHERE g.state = 'active' AND c.phase IN ('live', 'catching_up') AND c.heartbeat_at > now() - interval '5 seconds'
         GROUP BY 1, 2",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(topic, partition, next)| ((topic, partition), next)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(offset: i64) -> Place {
        Place { partition: 0, offset }
    }

    #[tokio::test]
    async fn a_relay_has_room_until_it_is_far_ahead() {
        let mut ahead = Ahead::of_views(Context::Catalog, "catalog", "postgres://nobody.invalid/none");
        assert_eq!(ahead.room().await, OF_VIEWS);
        ahead.note((0..10).map(|offset| (place(offset), 100)));
        assert_eq!(ahead.room().await, Room { events: OF_VIEWS.events - 10, bytes: OF_VIEWS.bytes - 1_000 });
        assert!(!ahead.is_far());
        ahead.note([(place(10), OF_VIEWS.bytes)]);
        assert!(ahead.is_far());
    }

    #[tokio::test]
    async fn views_that_cannot_be_asked_are_not_waited_for_for_ever() {
        let mut ahead = Ahead::of_views(Context::Catalog, "catalog", "no address");
        ahead.note((0..5_000).map(|offset| (place(offset), 1)));
        let began = Instant::now();
        assert_eq!(ahead.room().await, FREE);
        assert!(began.elapsed() >= PATIENCE);
        ahead.note((0..5_000).map(|offset| (place(offset), 1)));
        assert_eq!(ahead.room().await, FREE, "they have not moved");
        assert!(began.elapsed() < 2 * PATIENCE);
    }
}
