//! The relays of a process share a few connections, and the locks that they hold are handed on.

use acceptance::{eventually::eventually, shop::PATIENCE, stack::database};
use projector::{
    document_relay,
    outboxes::{Lease, Outboxes, lock},
    relay::waiting,
    turns::Room,
};
use schemas::topics::Context;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::time::Duration;
use test_databases::Side;
use tokio::task::JoinSet;

/// The relays of a process: the handle, and the task that keeps the shared session.
struct Process {
    outboxes: Outboxes,
    session: tokio::task::JoinHandle<()>,
}

impl Process {
    fn start(url: &str) -> Self {
        let (outboxes, session) = Outboxes::shared(url);
        Self { outboxes, session: tokio::spawn(session) }
    }

    async fn leads(&self, context: Context) -> Lease {
        let lease = tokio::time::timeout(PATIENCE, self.outboxes.lead(context)).await.expect("in time");
        lease.expect("a lease")
    }
}

/// Whether the lock of a context is held; asked on a connection of its own.
async fn is_held(admin: &mut PgConnection, context: Context) -> bool {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
                        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                        AND (classid::bigint << 32 | objid::bigint) = hashtextextended($1, 0))",
    )
    .bind(lock(context))
    .fetch_one(admin)
    .await
    .expect("asked")
}

#[tokio::test(flavor = "multi_thread")]
async fn all_contexts_are_relayed_over_a_few_connections() {
    let write = database(Side::Write).await;
    let mut admin = PgConnection::connect(&write.url()).await.expect("connected");
    let process = Process::start(&write.url());
    let mut leases = Vec::new();
    for context in Context::ALL {
        leases.push(process.leads(context).await);
    }
    let mut rounds = JoinSet::new();
    for _ in Context::ALL {
        let workers = process.outboxes.workers.clone();
        rounds.spawn(async move {
            let mut worker = workers.take().await.expect("a connection");
            sqlx::query("SELECT 1").execute(&mut worker.connection).await.expect("asked");
            workers.back(worker);
        });
    }
    while let Some(done) = rounds.join_next().await {
        done.expect("a round");
    }
    let connections: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .fetch_one(&mut admin)
    .await
    .expect("counted");
    // Locks and looks, signals, the renewal of leases, and four that work.
    assert!(connections <= 7, "{connections} connections for {} contexts", Context::ALL.len());
    drop(leases);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_is_given_back_goes_to_the_next_process() {
    let write = database(Side::Write).await;
    let mut admin = PgConnection::connect(&write.url()).await.expect("connected");
    let (one, other) = (Process::start(&write.url()), Process::start(&write.url()));
    let lease = one.leads(Context::Catalog).await;
    let waits = tokio::spawn({
        let outboxes = other.outboxes.clone();
        async move { outboxes.lead(Context::Catalog).await }
    });
    // The other process works meanwhile, and has asked: it leads another context only after that.
    let _pricing = other.leads(Context::Pricing).await;
    assert!(is_held(&mut admin, Context::Catalog).await && !waits.is_finished());
    drop(lease);
    let lease = tokio::time::timeout(PATIENCE, waits).await.expect("in time").expect("asked").expect("a lease");
    drop(lease);
    eventually("nobody holds the lock", PATIENCE, || async {
        let mut admin = PgConnection::connect(&write.url()).await.map_err(|error| error.to_string())?;
        if is_held(&mut admin, Context::Catalog).await { Err("it is held".to_owned()) } else { Ok(()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_session_ends_its_leases_and_the_next_one_leads_again() {
    let write = database(Side::Write).await;
    let mut admin = PgConnection::connect(&write.url()).await.expect("connected");
    let process = Process::start(&write.url());
    let lease = process.leads(Context::Catalog).await;
    assert!(tokio::time::timeout(Duration::ZERO, lease.lost()).await.is_err(), "it is held");
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .execute(&mut admin)
    .await
    .expect("terminated");
    tokio::time::timeout(PATIENCE, lease.lost()).await.expect("the lease has ended");
    let again = process.leads(Context::Catalog).await;
    // Giving back what an earlier session held takes nothing from this one.
    drop(lease);
    let _pricing = process.leads(Context::Pricing).await;
    assert!(is_held(&mut admin, Context::Catalog).await);
    drop(again);
    process.session.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_has_run_out_ends_the_session_of_its_leader() {
    let write = database(Side::Write).await;
    let mut admin = PgConnection::connect(&write.url()).await.expect("connected");
    let (one, other) = (Process::start(&write.url()), Process::start(&write.url()));
    let lease = one.leads(Context::Catalog).await;
    // As if the leader had not renewed it for a while; by another term, so that it does not now.
    sqlx::query("UPDATE leases SET until = now() - interval '1 second', term = term + 1")
        .execute(&mut admin)
        .await
        .expect("expired");
    let taken = other.leads(Context::Catalog).await;
    tokio::time::timeout(PATIENCE, lease.lost()).await.expect("the former leader knows");
    drop(taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_and_a_signal_wake_the_relay_of_their_context() {
    let write = database(Side::Write).await;
    let mut admin = PgConnection::connect(&write.url()).await.expect("connected");
    let process = Process::start(&write.url());
    let _lease = process.leads(Context::Pricing).await;
    sqlx::query("SELECT pg_notify('souk_outbox', 'pricing')").execute(&mut admin).await.expect("signalled");
    tokio::time::timeout(PATIENCE, process.outboxes.signalled(Context::Pricing)).await.expect("woken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_outbox_holds_up_no_other() {
    let write = database(Side::Write).await;
    let mut holder = PgConnection::connect(&write.url()).await.expect("connected");
    let mut admin = PgConnection::connect(&write.url()).await.expect("connected");
    let mut locked = holder.begin().await.expect("begun");
    sqlx::query("LOCK TABLE catalog.outbox IN ACCESS EXCLUSIVE MODE").execute(&mut *locked).await.expect("locked");
    let process = Process::start(&write.url());
    let _lease = process.leads(Context::Pricing).await;
    sqlx::query(
        "INSERT INTO pricing.outbox (event_id, tenant_id, event_type, aggregate, aggregate_id, version, partition_id, payload,
                                     occurred_at, correlation_id)
         SELECT id, id, 'souk.pricing.price.set.v1', 'price', id, 1, id, '{}', now(), 'test' FROM (SELECT gen_random_uuid() AS id) AS new",
    )
    .execute(&mut admin)
    .await
    .expect("written");
    tokio::time::timeout(PATIENCE, process.outboxes.signalled(Context::Pricing)).await.expect("woken by a look");
    locked.rollback().await.expect("let go");
}

/// Events of a shop, in the order in which they are written.
async fn write(admin: &mut PgConnection, shop: u8, events: i32) {
    sqlx::query(
        "INSERT INTO catalog.outbox (event_id, tenant_id, event_type, aggregate, aggregate_id, version, partition_id, payload,
                                     occurred_at, correlation_id)
         SELECT gen_random_uuid(), $1, 'souk.catalog.product.created.v1', 'product', id, 1, id, repeat('a', 100), now(), 'test'
         FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, $2)) AS new",
    )
    .bind(schemas::Uuid::from_u128(u128::from(shop)))
    .bind(events)
    .execute(admin)
    .await
    .expect("written");
}

/// What a query takes: the shop of each row, and its number in that column.
async fn numbered(admin: &mut PgConnection, query: String, number: &str) -> Vec<(u8, i64)> {
    let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(admin).await.expect("read");
    let shop = |id: schemas::Uuid| id.as_bytes()[15];
    rows.iter().map(|row| (shop(row.get("tenant_id")), row.get(number))).collect()
}

async fn taken(admin: &mut PgConnection, query: String) -> Vec<(u8, i64)> {
    numbered(admin, query, "id").await
}

#[tokio::test(flavor = "multi_thread")]
async fn shops_take_turns_where_more_waits_than_a_round_takes() {
    let database = database(Side::Write).await;
    let mut admin = PgConnection::connect(&database.url()).await.expect("connected");
    for (shop, events) in [(7, 3_000), (9, 2), (3, 1)] {
        write(&mut admin, shop, events).await;
    }
    let room = Room { events: 100, bytes: 1 << 20 };
    let in_order = taken(&mut admin, waiting::in_order(Context::Catalog, room)).await;
    assert!(in_order.iter().all(|(shop, _)| *shop == 7), "the shop that wrote first");

    let in_turn = taken(&mut admin, waiting::in_turn(Context::Catalog, room)).await;
    assert_eq!(in_turn.len(), 100);
    let shops: Vec<u8> = in_turn.iter().map(|(shop, _)| *shop).collect();
    assert_eq!(shops[..5], [7, 9, 3, 7, 9], "the first event of each, then the second of each");
    let of_one: Vec<i64> = in_turn.iter().filter(|(shop, _)| *shop == 7).map(|(_, id)| *id).collect();
    let first: Vec<i64> = in_order.iter().map(|(_, id)| *id).take(of_one.len()).collect();
    assert_eq!(of_one, first, "a shop's own order stays");

    let narrow = taken(&mut admin, waiting::in_turn(Context::Catalog, Room { events: 100, bytes: 250 })).await;
    assert_eq!(narrow.len(), 3, "the row with which the bytes are full is the last");
    assert_eq!(taken(&mut admin, waiting::in_turn(Context::Pricing, room)).await, [], "nothing waits there");
}

/// Documents of a shop, in the order in which they are composed.
async fn compose(admin: &mut PgConnection, shop: u8, documents: i32) {
    sqlx::query(
        "WITH new AS (
           INSERT INTO documents (tenant_id, product_id, doc_version, content_hash, deleted, body)
           SELECT $1, gen_random_uuid(), (SELECT coalesce(max(doc_version), 0) FROM documents) + n, '', false, repeat('x', 100)
           FROM generate_series(1, $2) AS n RETURNING tenant_id, product_id, doc_version)
         INSERT INTO document_outbox (tenant_id, product_id, doc_version, event_time, correlation_id)
         SELECT tenant_id, product_id, doc_version, now(), '' FROM new",
    )
    .bind(schemas::Uuid::from_u128(u128::from(shop)))
    .bind(documents)
    .execute(admin)
    .await
    .expect("composed");
}

async fn documents(admin: &mut PgConnection, query: String) -> Vec<(u8, i64)> {
    numbered(admin, query, "doc_version").await
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_a_shop_do_not_wait_behind_all_of_another() {
    let database = database(Side::Read).await;
    let mut admin = PgConnection::connect(&database.url()).await.expect("connected");
    for (shop, count) in [(7, 3_000), (9, 2), (3, 1)] {
        compose(&mut admin, shop, count).await;
    }
    let room = Room { events: 100, bytes: 1 << 20 };
    let in_order = documents(&mut admin, document_relay::waiting::in_order(room)).await;
    assert!(
        in_order.len() == 100 && in_order.iter().all(|(shop, _)| *shop == 7),
        "the shop that came first: {in_order:?}"
    );

    let in_turn = documents(&mut admin, document_relay::waiting::in_turn(room)).await;
    let shops: Vec<u8> = in_turn.iter().map(|(shop, _)| *shop).collect();
    assert_eq!((shops.len(), &shops[..5]), (100, [7, 9, 3, 7, 9].as_slice()));
    let of_one: Vec<i64> = in_turn.iter().filter(|(shop, _)| *shop == 7).map(|(_, version)| *version).collect();
    assert!(of_one.is_sorted() && of_one[..] == (1..=97).collect::<Vec<i64>>(), "a shop's own order stays: {of_one:?}");

    let narrow = documents(&mut admin, document_relay::waiting::in_turn(Room { events: 100, bytes: 250 })).await;
    assert_eq!(narrow.len(), 3, "the document with which the bytes are full is the last");
    sqlx::raw_sql("SET enable_seqscan = off").execute(&mut admin).await.expect("set");
    let explained = format!("EXPLAIN {}", document_relay::waiting::in_turn(room));
    let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explained)).fetch_all(&mut admin).await.expect("a plan");
    assert!(plan.join(" ").contains("document_outbox_by_shop"), "{plan:#?}");
}
