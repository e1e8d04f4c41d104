//! How far a relay is ahead of who reads what it sends: the views, or the active index. What is in the log stands in one
//! line, so whoever writes more than they take would be before everybody else there. In the outbox shops take turns, and so
//! it is there that they wait. One shop that writes alone makes nobody wait and may be further ahead.

use crate::{
    registry::FEEDS,
    turns::{Room, Sent},
};
use eventlog::{checkpoint, database, producer::Place};
use schemas::{ids::TenantId, topics::Context};
use sqlx::PgConnection;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};
use tokio::time::Instant;

/// How much of what was sent its reader may not have taken in yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reach {
    /// While one shop writes: what keeps the reader busy.
    alone: Room,
    /// While several do: less, since each waits for what the others have there, and enough that the cost of a round is shared.
    together: Room,
}

const OF_VIEWS: Reach =
    Reach { alone: Room { events: 250, bytes: 1 << 20 }, together: Room { events: 120, bytes: 512 << 10 } };
const OF_INDEX: Reach =
    Reach { alone: Room { events: 1_000, bytes: 8 << 20 }, together: Room { events: 150, bytes: 1 << 20 } };
/// For how long what a shop has written counts, at least.
const COMPANY: Duration = Duration::from_secs(5);
/// How much others than the busiest shop write in that time before they count: a probe, or somebody who edits a product, waits
/// for no one.
const FEW: u64 = 20;
/// How much room is waited for: rounds of a few events each would cost more than they are worth.
const LEAST: u64 = 2;
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
    reach: Reach,
    company: Company,
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

    fn of(reader: Reader, reach: Reach, topic: &str, url: &str) -> Self {
        Self {
            topic: topic.to_owned(),
            reader,
            reach,
            company: Company::new(Instant::now()),
            url: url.to_owned(),
            connection: None,
            sent: VecDeque::new(),
            bytes: 0,
            applied: BTreeMap::new(),
            stand_still: false,
        }
    }

    /// Notes what was sent, and whose it was.
    pub fn note(&mut self, sent: Sent) {
        self.company.note(&sent.shops, Instant::now());
        for (place, bytes) in sent.places {
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
        let most = self.most();
        let events = most.events.saturating_sub(self.sent.len() as u64).max(1);
        Room { events, bytes: most.bytes.saturating_sub(self.bytes).max(1) }
    }

    fn most(&mut self) -> Room {
        if self.company.is_there(Instant::now()) { self.reach.together } else { self.reach.alone }
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

    fn is_far(&mut self) -> bool {
        let Room { events, bytes } = self.most();
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

/// How much each shop has written lately: in the present period and in the one before.
#[derive(Debug)]
struct Company {
    began: Instant,
    present: BTreeMap<TenantId, u64>,
    before: BTreeMap<TenantId, u64>,
}

impl Company {
    fn new(now: Instant) -> Self {
        Self { began: now, present: BTreeMap::new(), before: BTreeMap::new() }
    }

    fn note(&mut self, shops: &BTreeMap<TenantId, u64>, now: Instant) {
        self.turn(now);
        shops.iter().for_each(|(shop, count)| *self.present.entry(*shop).or_default() += count);
    }

    fn turn(&mut self, now: Instant) {
        let periods = now.duration_since(self.began).as_secs() / COMPANY.as_secs();
        if periods > 0 {
            self.before = std::mem::take(&mut self.present);
            self.began = now;
        }
        if periods > 1 {
            self.before.clear();
        }
    }

    /// Whether several shops write.
    fn is_there(&mut self, now: Instant) -> bool {
        self.turn(now);
        let of = |shop: &TenantId| self.present.get(shop).unwrap_or(&0) + self.before.get(shop).unwrap_or(&0);
        let all: u64 = self.present.values().chain(self.before.values()).sum();
        let busiest = self.present.keys().chain(self.before.keys()).map(of).max().unwrap_or_default();
        all - busiest > FEW
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
    use schemas::Uuid;

    fn place(offset: i64) -> Place {
        Place { partition: 0, offset }
    }

    fn shop(number: u128) -> TenantId {
        TenantId(Uuid::from_u128(number))
    }

    fn sent(offsets: std::ops::Range<i64>, bytes: u64, of: u128) -> Sent {
        let places: Vec<_> = offsets.map(|offset| (place(offset), bytes)).collect();
        Sent { shops: BTreeMap::from([(shop(of), places.len() as u64)]), places, ..Sent::default() }
    }

    #[tokio::test]
    async fn a_relay_has_room_until_it_is_far_ahead() {
        let most = OF_VIEWS.alone;
        let mut ahead = Ahead::of_views(Context::Catalog, "catalog", "postgres://nobody.invalid/none");
        assert_eq!(ahead.room().await, most);
        ahead.note(sent(0..10, 100, 1));
        assert_eq!(ahead.room().await, Room { events: most.events - 10, bytes: most.bytes - 1_000 });
        assert!(!ahead.is_far());
        ahead.note(sent(10..11, most.bytes, 1));
        assert!(ahead.is_far());
    }

    #[tokio::test]
    async fn a_shop_that_writes_alone_is_further_ahead_than_several() {
        let began = Instant::now();
        let mut company = Company::new(began);
        for (number, count, is_there) in [(1, 5_000, false), (2, FEW, false), (2, 1, true), (1, 5_000, true)] {
            company.note(&BTreeMap::from([(shop(number), count)]), began);
            assert_eq!(company.is_there(began), is_there, "{company:?}");
        }
        company.note(&BTreeMap::from([(shop(1), 5_000)]), began + COMPANY);
        assert!(company.is_there(began + COMPANY), "the other has written a moment ago");
        company.note(&BTreeMap::from([(shop(1), 5_000)]), began + 2 * COMPANY);
        assert!(!company.is_there(began + 2 * COMPANY), "the other has not written for long");
        assert!(!company.is_there(began + 20 * COMPANY), "nobody has");
        let mut ahead = Ahead::of_index("documents", "no address");
        ahead.note(sent(0..100, 1, 1));
        assert!(!ahead.is_far());
        ahead.note(sent(100..100 + i64::try_from(FEW).expect("a count") + 1, 1, 2));
        assert!(ahead.is_far());
    }

    #[tokio::test]
    async fn views_that_cannot_be_asked_are_not_waited_for_for_ever() {
        let mut ahead = Ahead::of_views(Context::Catalog, "catalog", "no address");
        ahead.note(sent(0..5_000, 1, 1));
        let began = Instant::now();
        assert_eq!(ahead.room().await, FREE);
        assert!(began.elapsed() >= PATIENCE);
        ahead.note(sent(0..5_000, 1, 1));
        assert_eq!(ahead.room().await, FREE, "they have not moved");
        assert!(began.elapsed() < 2 * PATIENCE);
    }
}
