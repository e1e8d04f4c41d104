//! Several projectors share the views by partition: who has which, and what their transactions keep each other from.

mod load;

use acceptance::{eventually::eventually, shop::PATIENCE, stack::database};
use eventlog::{
    Event,
    leader::{self, Shares},
};
use projector::{
    feed::Target,
    registry::FEEDS,
    status::{Status, tenants},
};
use schemas::{
    Timestamp, Utc, Uuid,
    envelope::Envelope,
    events::{
        CatalogEvent, DomainEvent, InsightsEvent,
        catalog::{CategoryContent, CategoryWritten, ProductContent, ProductCreated},
        insights::{ClientActed, ClientSearched, EventAttributes},
    },
    ids::{CategoryId, EventId, ProductId, TenantId},
    topics::Context,
};
use sqlx::{Connection, PgConnection, PgPool};
use std::{collections::BTreeMap, time::Duration};
use test_databases::{Side, TestDatabase};
use tokio::sync::watch;

const SHOP: TenantId = TenantId(Uuid::from_u128(1));
const CATEGORY: CategoryId = CategoryId(Uuid::from_u128(2));
const PRODUCT: ProductId = ProductId(Uuid::from_u128(3));

/// One of those who share a name.
struct Member {
    connection: PgConnection,
    shares: Shares,
}

impl Member {
    async fn join(database: &TestDatabase, count: i32) -> Self {
        let url = database.url();
        let mut connection = PgConnection::connect(&url).await.expect("connected");
        let joined = Shares::join(&mut connection, &url, "test", count);
        let shares = tokio::time::timeout(PATIENCE, joined).await.expect("in time").expect("a seat");
        Self { connection, shares }
    }

    /// Takes its part, and gives back what others are to have, until told to stop.
    async fn take_part(&mut self, mut stop: watch::Receiver<()>) -> Result<(), sqlx::Error> {
        loop {
            tokio::select! {
                told = self.shares.unsettled() => told?,
                _ = stop.changed() => return Ok(()),
            }
            self.shares.spread(&mut self.connection).await?;
        }
    }
}

/// How many shares of a name each session holds, the fewest first; who holds none is not among them.
async fn held(read: &PgPool, name: &str) -> Result<Vec<i64>, String> {
    sqlx::query_scalar(
        "SELECT count(*) FROM generate_series(0, 63) AS k JOIN pg_locks AS l ON l.locktype = 'advisory' AND l.granted
           AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended($1 || ':share:' || k, 0)
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
         GROUP BY l.pid ORDER BY 1",
    )
    .bind(name)
    .fetch_all(read)
    .await
    .map_err(|error| error.to_string())
}

/// Has members take their parts at the same time, until they have the expected ones.
async fn spread(database: &TestDatabase, members: &mut Vec<Member>, expected: &[i64]) {
    let (stop, stopped) = watch::channel(());
    let taking: Vec<_> = members
        .drain(..)
        .map(|mut member| {
            let stopped = stopped.clone();
            tokio::spawn(async move {
                member.take_part(stopped).await.expect("spread");
                member
            })
        })
        .collect();
    let read = PgPool::connect(&database.url()).await.expect("connected");
    eventually(&format!("they hold {expected:?}"), PATIENCE, || async {
        let held = held(&read, "test").await?;
        if held == expected { Ok(()) } else { Err(format!("{held:?}")) }
    })
    .await;
    drop(stop);
    for taken in taking {
        members.push(taken.await.expect("spread"));
    }
    let mut all: Vec<i32> = members.iter().flat_map(|member| member.shares.held().iter().copied()).collect();
    all.sort_unstable();
    assert_eq!(all, (0..4).collect::<Vec<_>>(), "each share has one holder");
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_are_spread_over_those_who_are_there() {
    let database = database(Side::Read).await;
    let mut members = vec![Member::join(&database, 4).await];
    spread(&database, &mut members, &[4]).await;
    members.push(Member::join(&database, 4).await);
    spread(&database, &mut members, &[2, 2]).await;
    members.push(Member::join(&database, 4).await);
    spread(&database, &mut members, &[1, 1, 2]).await;
    for _ in 0..2 {
        members.push(Member::join(&database, 4).await);
    }
    // The fifth waits to take over.
    spread(&database, &mut members, &[1, 1, 1, 1]).await;
    members.drain(..3);
    spread(&database, &mut members, &[2, 2]).await;
    let mut alone = PgConnection::connect(&database.url()).await.expect("connected");
    assert!(!leader::try_lock(&mut alone, &database.url(), "test").await.expect("asked"), "they share it");
    members.clear();
    eventually("nobody shares it", PATIENCE, || async {
        let mut alone = PgConnection::connect(&database.url()).await.map_err(|error| error.to_string())?;
        let has = leader::try_lock(&mut alone, &database.url(), "test").await.map_err(|error| error.to_string())?;
        if has { Ok(()) } else { Err("somebody does".to_owned()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_hangs_is_ended_and_what_it_still_writes_is_refused() {
    let database = database(Side::Read).await;
    let mut members = vec![Member::join(&database, 4).await, Member::join(&database, 4).await];
    spread(&database, &mut members, &[2, 2]).await;
    let mut hung = members.remove(0);
    // As if it had not renewed its lease for a while; by another term, so that it does not now.
    let mut admin = PgConnection::connect(&database.url()).await.expect("connected");
    sqlx::query("UPDATE leases SET until = now() - interval '1 second', term = term + 1 WHERE name = 'test:seat:0'")
        .execute(&mut admin)
        .await
        .expect("expired");
    spread(&database, &mut members, &[4]).await;
    let late = sqlx::query("UPDATE checkpoints SET next_offset = 0").execute(&mut hung.connection).await;
    assert!(late.is_err(), "its session is gone");
    let (_stop, stopped) = watch::channel(());
    let knows = tokio::time::timeout(PATIENCE, hung.take_part(stopped)).await.expect("in time");
    assert!(knows.is_err(), "and it knows");
}

fn event(context: Context, aggregate: &str, id: Uuid, version: u64, event: DomainEvent) -> Event {
    let envelope = Envelope {
        id: EventId(Uuid::now_v7()),
        event_type: "of a test".to_owned(),
        tenant: SHOP,
        context,
        aggregate: aggregate.to_owned(),
        aggregate_id: id,
        version,
        time: Utc::now(),
        correlation_id: "test".to_owned(),
        causation_id: None,
        traceparent: None,
    };
    Event { key: id.to_string(), envelope, event }
}

fn category(version: u64, name: &str) -> Event {
    let content = CategoryContent {
        external_id: None,
        parent_id: None,
        slug: "lamps".to_owned(),
        name: name.to_owned(),
        position: 0,
    };
    let written = CategoryWritten { category_id: CATEGORY, content };
    let written =
        if version == 1 { CatalogEvent::CategoryCreated(written) } else { CatalogEvent::CategoryChanged(written) };
    event(Context::Catalog, "category", CATEGORY.uuid(), version, DomainEvent::Catalog(written))
}

fn product() -> Event {
    let content = ProductContent { category_ids: vec![CATEGORY], ..ProductContent::named("lamp", "Lamp") };
    let created = CatalogEvent::ProductCreated(ProductCreated { product_id: PRODUCT, content });
    event(Context::Catalog, "product", PRODUCT.uuid(), 1, DomainEvent::Catalog(created))
}

fn searched(client: u128) -> Event {
    let searched = InsightsEvent::Searched(ClientSearched {
        record_id: Uuid::now_v7(),
        client_id: "shop".to_owned(),
        query_id: "q".to_owned(),
        application: None,
        user_query: "lamp".to_owned(),
        query_attributes: BTreeMap::new(),
        query_response_hit_ids: None,
        timestamp: Timestamp::UNIX_EPOCH,
        arm: None,
    });
    event(Context::Insights, "client", Uuid::from_u128(client), 1, DomainEvent::Insights(searched))
}

fn clicked(client: u128) -> Event {
    let clicked = InsightsEvent::Acted(ClientActed {
        record_id: Uuid::now_v7(),
        action_name: "click".to_owned(),
        query_id: Some("q".to_owned()),
        client_id: "browser".to_owned(),
        session_id: None,
        user_id: None,
        timestamp: Timestamp::UNIX_EPOCH,
        message: None,
        event_attributes: EventAttributes::default(),
    });
    event(Context::Insights, "client", Uuid::from_u128(client), 1, DomainEvent::Insights(clicked))
}

/// What a lane does with a batch, in a transaction that is left open; or what it would do if it held nothing.
async fn applied<'a>(
    lane: &'a mut PgConnection,
    feed: &str,
    events: &[Event],
    holds: bool,
) -> sqlx::Transaction<'a, sqlx::Postgres> {
    let feed = FEEDS.iter().find(|one| one.name == feed).expect("a feed");
    let target = Target::live(feed);
    let mut transaction = lane.begin().await.expect("begun");
    if holds {
        target.hold(&mut transaction, &events.iter().collect::<Vec<_>>(), false).await.expect("held");
    }
    let refused = target.project(&mut transaction, events, Utc::now()).await.expect("applied");
    assert!(refused.is_empty(), "{refused:?}");
    transaction
}

/// Two lanes apply events at the same time: the second begins before the first has committed.
async fn meet(database: &TestDatabase, feed: &'static str, first: Event, second: Event, holds: bool) {
    let mut lane = PgConnection::connect(&database.url()).await.expect("connected");
    let mut other = PgConnection::connect(&database.url()).await.expect("connected");
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut other).await.expect("asked");
    let open = applied(&mut lane, feed, &[first], holds).await;
    let beside = tokio::spawn(async move {
        applied(&mut other, feed, &[second], holds).await.commit().await.expect("committed");
    });
    eventually("the other waits, or is done", PATIENCE, || async {
        let mut admin = PgConnection::connect(&database.url()).await.map_err(|error| error.to_string())?;
        let waits: bool = sqlx::query_scalar(
            "SELECT coalesce((SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1), false)",
        )
        .bind(pid)
        .fetch_one(&mut admin)
        .await
        .map_err(|error| error.to_string())?;
        if waits || beside.is_finished() { Ok(()) } else { Err("it works".to_owned()) }
    })
    .await;
    open.commit().await.expect("committed");
    tokio::time::timeout(PATIENCE, beside).await.expect("in time").expect("applied");
}

async fn begun_with(database: &TestDatabase, event: Event) -> PgConnection {
    let mut connection = PgConnection::connect(&database.url()).await.expect("connected");
    applied(&mut connection, "products", &[event], true).await.commit().await.expect("committed");
    connection
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_and_a_change_above_it_find_each_other_whichever_comes_first() {
    for (is_product_first, holds) in [(true, true), (false, true), (true, false), (false, false)] {
        let database = database(Side::Read).await;
        let mut connection = begun_with(&database, category(1, "Lamps")).await;
        let (mut one, mut other) = (product(), category(2, "Luminaires"));
        if !is_product_first {
            std::mem::swap(&mut one, &mut other);
        }
        meet(&database, "products", one, other, holds).await;
        let page: String =
            sqlx::query_scalar("SELECT page FROM product_pages").fetch_one(&mut connection).await.expect("a page");
        // Lanes that held nothing would miss each other.
        assert_eq!(page.contains("Luminaires"), holds, "product first: {is_product_first}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_of_one_search_from_two_clients_both_count() {
    for (is_search_first, holds) in [(true, true), (false, true), (true, false), (false, false)] {
        let database = database(Side::Read).await;
        let (mut one, mut other) = (searched(1), clicked(2));
        if !is_search_first {
            std::mem::swap(&mut one, &mut other);
        }
        meet(&database, "insights", one, other, holds).await;
        let mut connection = PgConnection::connect(&database.url()).await.expect("connected");
        let sums: (i64, i64, i64) = sqlx::query_as("SELECT searches, clicks, clicked_searches FROM insight_queries")
            .fetch_one(&mut connection)
            .await
            .expect("sums");
        // Lanes that held nothing would know only of their own.
        let expected = if holds { (1, 1, 1) } else { (1, 0, 0) };
        assert_eq!(sums, expected, "search first: {is_search_first}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_processes_applied_of_a_tenant_is_told_together() {
    let database = database(Side::Read).await;
    let mut connection = PgConnection::connect(&database.url()).await.expect("connected");
    let record = |age: u64| {
        let time = (Utc::now() - Duration::from_secs(age)).to_rfc3339();
        let headers = [("ce_souktenant", SHOP.to_string()), ("ce_time", time)];
        eventlog::Record {
            topic: "topic".to_owned(),
            partition: 0,
            offset: 0,
            key: String::new(),
            payload: None,
            headers: headers.map(|(name, value)| (name.to_owned(), value.into_bytes())).to_vec(),
        }
    };
    let processes = [(); 2].map(|()| Status::default());
    for (process, batch) in processes.iter().zip([vec![record(20), record(1)], vec![record(2)]]) {
        process.applied_batch("products", &batch);
        let rows = process.take_changed_tenants();
        tenants::store(&mut connection, process.process(), &rows).await.expect("stored");
    }
    let sums: (i64, f64) = sqlx::query_as("SELECT applied_events, late_seconds FROM tenant_lag")
        .fetch_one(&mut connection)
        .await
        .expect("a row");
    assert!(sums.0 == 3 && sums.1 >= 20.0, "{sums:?}");
    // A process that is gone counts for a minute.
    sqlx::raw_sql(
        "UPDATE tenant_lag SET by_process = (SELECT jsonb_object_agg(k, v || '{\"at\": 0}') FROM jsonb_each(by_process) AS e(k, v))",
    )
        .execute(&mut connection)
        .await
        .expect("aged");
    processes[1].applied_batch("products", &[record(3)]);
    let rows = processes[1].take_changed_tenants();
    tenants::store(&mut connection, processes[1].process(), &rows).await.expect("stored");
    let events: i64 =
        sqlx::query_scalar("SELECT applied_events FROM tenant_lag").fetch_one(&mut connection).await.expect("a row");
    assert_eq!(events, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_alone_waits_for_all_and_all_wait_for_it() {
    let database = database(Side::Read).await;
    let mut connection = begun_with(&database, category(1, "Lamps")).await;
    let mut lane = PgConnection::connect(&database.url()).await.expect("connected");
    let open = applied(&mut lane, "products", &[product()], true).await;
    let target = Target::live(&FEEDS[0]);
    let mut transaction = connection.begin().await.expect("begun");
    sqlx::query("SET LOCAL lock_timeout = '100ms'").execute(&mut *transaction).await.expect("set");
    let refused = target.hold(&mut transaction, &[], true).await.expect_err("a lane is at work");
    assert!(eventlog::database::is_lock_timeout(&refused), "{refused}");
    transaction.rollback().await.expect("ended");
    open.commit().await.expect("committed");
    let mut transaction = connection.begin().await.expect("begun");
    target.hold(&mut transaction, &[], true).await.expect("nobody is at work");
    let mut beside = lane.begin().await.expect("begun");
    sqlx::query("SET LOCAL lock_timeout = '100ms'").execute(&mut *beside).await.expect("set");
    let refused = target.hold(&mut beside, &[], false).await.expect_err("somebody is alone");
    assert!(eventlog::database::is_lock_timeout(&refused), "{refused}");
}
