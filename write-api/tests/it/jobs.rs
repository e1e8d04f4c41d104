//! Keys that end, months that are made ahead, and what the exchange of an outbox for months keeps as it was.

use super::stack::{Answer, Stack, product, sent};
use reqwest::Method;
use schemas::{Timestamp, Utc, Uuid};
use service::jobs::Job;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use std::time::Duration;
use write_api::jobs::{KeysExpire, MonthsAhead};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn with_key(stack: &Stack, name: &str) -> Answer {
    sent(stack.request(Method::POST, "/v1/products").header("idempotency-key", "k-1").json(&product(name))).await
}

async fn run(stack: &Stack, job: &dyn Job, now: Timestamp) -> u64 {
    let mut connection = stack.pool.acquire().await.unwrap();
    job.run(&mut connection, now).await.unwrap()
}

#[tokio::test]
async fn a_key_answers_for_a_day_and_then_begins_anew() {
    let stack = Stack::start().await;
    let first = with_key(&stack, "a").await;
    assert_eq!(first.status, 201);
    let job = KeysExpire { age: DAY };
    let now = Utc::now();
    assert_eq!(run(&stack, &job, now + DAY - Duration::from_secs(60)).await, 0);
    assert_eq!(with_key(&stack, "a").await.id(), first.id(), "answered once more");
    assert_eq!(with_key(&stack, "b").await.status, 422);
    // More than one step of a context, and other contexts as well.
    sqlx::raw_sql(
        "INSERT INTO pricing.idempotency_keys SELECT gen_random_uuid(), n::text, '', 200, '{}', '', now() FROM generate_series(1, 2500) n",
    )
    .execute(&stack.pool)
    .await
    .unwrap();
    assert_eq!(run(&stack, &job, now + DAY + Duration::from_secs(60)).await, 2_501);
    assert_eq!(with_key(&stack, "b").await.status, 201);
    stack.stop().await;
}

async fn record(pool: &PgPool, aggregate: Uuid, version: i64, at: &str) -> Result<String, sqlx::Error> {
    sqlx::query_scalar(
        "INSERT INTO catalog.outbox (event_id, tenant_id, event_type, aggregate, aggregate_id, version, partition_id, payload,
                                     occurred_at, correlation_id)
         VALUES (gen_random_uuid(), $1, 't', 'product', $1, $2, $1, '{}', $3::text::timestamptz, '') RETURNING tableoid::regclass::text",
    )
    .bind(aggregate)
    .bind(version)
    .bind(at)
    .fetch_one(pool)
    .await
}

#[tokio::test]
async fn months_are_there_before_they_begin_and_writes_cross_their_border() {
    let stack = Stack::start().await;
    let july: Timestamp = "2031-07-31T12:00:00Z".parse().unwrap();
    let aggregate = Uuid::from_u128(7);
    // Nobody has run the job: the partition of last resort takes it.
    assert_eq!(
        record(&stack.pool, aggregate, 1, "2031-07-31 23:59:59.999999Z").await.unwrap(),
        "catalog.outbox_default"
    );
    run(&stack, &MonthsAhead, july).await;
    let moved = "SELECT count(*) FROM catalog.outbox_2031_07";
    assert_eq!(stack.count(moved).await, 1, "the job has moved it to its month");
    assert_eq!(record(&stack.pool, aggregate, 2, "2031-08-01 00:00:00Z").await.unwrap(), "catalog.outbox_2031_08");
    assert_eq!(record(&stack.pool, aggregate, 3, "2031-09-30 23:00:00Z").await.unwrap(), "catalog.outbox_2031_09");
    assert_eq!(record(&stack.pool, aggregate, 4, "2031-10-01 00:00:00+01").await.unwrap(), "catalog.outbox_2031_09");
    let in_order = "SELECT count(*) FROM (SELECT version, row_number() OVER (ORDER BY id) AS place FROM catalog.outbox
                    WHERE published_at IS NULL) AS waiting WHERE version <> place";
    assert_eq!(stack.count(in_order).await, 0, "ids are those of the context, not of the month");
    // Running it again, also beside writers, makes nothing and waits for nobody.
    let partitions = "SELECT count(*) FROM installation.outbox_partitions";
    let before = stack.count(partitions).await;
    run(&stack, &MonthsAhead, july).await;
    assert_eq!(stack.count(partitions).await, before);
    stack.stop().await;
}

#[tokio::test]
async fn the_job_of_months_gives_way_to_who_writes_for_long() {
    let stack = Stack::start().await;
    let mut writer = stack.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE catalog.outbox_default IN ROW EXCLUSIVE MODE").execute(&mut *writer).await.unwrap();
    let mut connection = stack.pool.acquire().await.unwrap();
    sqlx::raw_sql("SET lock_timeout = '50ms'").execute(&mut *connection).await.unwrap();
    let far: Timestamp = "2032-02-01T00:00:00Z".parse().unwrap();
    let refused = MonthsAhead.run(&mut connection, far).await.unwrap_err().to_string();
    assert!(refused.contains("catalog + 0") && !refused.contains("pricing"), "{refused}");
    writer.rollback().await.unwrap();
    MonthsAhead.run(&mut connection, far).await.unwrap();
    drop(connection);
    stack.stop().await;
}

#[tokio::test]
async fn a_version_and_a_removed_id_are_not_given_twice() {
    let stack = Stack::start().await;
    let aggregate = Uuid::from_u128(9);
    let now = Utc::now().to_rfc3339();
    record(&stack.pool, aggregate, 1, &now).await.unwrap();
    let twice = record(&stack.pool, aggregate, 1, &now).await.unwrap_err();
    assert_eq!(twice.as_database_error().and_then(|error| error.code()).as_deref(), Some("23505"));
    let made = stack.post("/v1/products", product("a")).await;
    let again = format!("INSERT INTO catalog.products SELECT * FROM kept WHERE product_id = '{}'", made.id());
    sqlx::raw_sql("CREATE TABLE kept AS SELECT * FROM catalog.products; DELETE FROM catalog.products")
        .execute(&stack.pool)
        .await
        .unwrap();
    let twice = sqlx::raw_sql(AssertSqlSafe(again)).execute(&stack.pool).await.unwrap_err();
    assert_eq!(twice.as_database_error().and_then(|error| error.code()).as_deref(), Some("23505"));
    stack.stop().await;
}

#[tokio::test]
async fn an_outbox_with_rows_becomes_the_partition_before_the_months() {
    let stack = Stack::start().await;
    let name = format!("write_api_test_{}", Uuid::now_v7().simple());
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&stack.pool).await.unwrap();
    let options = stack.pool.connect_options().as_ref().clone().database(&name);
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let all = sqlx::migrate!("../migrations/write");
    for migration in all.iter().filter(|migration| migration.version < 13) {
        sqlx::raw_sql(migration.sql.clone()).execute(&mut connection).await.unwrap();
    }
    sqlx::raw_sql(
        "INSERT INTO catalog.outbox (event_id, tenant_id, event_type, aggregate, aggregate_id, version, partition_id, payload,
                                     occurred_at, correlation_id)
         SELECT gen_random_uuid(), gen_random_uuid(), 't', 'product', gen_random_uuid(), 1, gen_random_uuid(), '{}',
                now() - n * interval '1 day', '' FROM generate_series(0, 99) AS n",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    // The exchange is done twice, as after a process that died on its way.
    for migration in all
        .iter()
        .filter(|migration| migration.version >= 13)
        .flat_map(|m| [m].repeat(1 + usize::from(m.version == 14)))
    {
        sqlx::raw_sql(migration.sql.clone()).execute(&mut connection).await.unwrap();
    }
    let kept: (i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM catalog.outbox_before), (SELECT count(*) FROM catalog.outbox), nextval('catalog.outbox_ids')",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!((kept.0, kept.1), (100, 100));
    assert!(kept.2 > 100, "{kept:?}");
    let plan: Vec<String> =
        sqlx::query_scalar("EXPLAIN SELECT id FROM catalog.outbox WHERE published_at IS NULL ORDER BY id LIMIT 2000")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let plan = plan.join("\n");
    assert!(plan.contains("Merge Append") && plan.contains("outbox_before_unpublished"), "{plan}");
    assert!(!plan.contains("Seq Scan") && !plan.contains("Sort  "), "{plan}");
    connection.close().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).execute(&stack.pool).await.unwrap();
    stack.stop().await;
}

#[tokio::test]
async fn one_line_makes_a_context() {
    let stack = Stack::start().await;
    sqlx::raw_sql("SELECT installation.create_context('gift_cards')").execute(&stack.pool).await.unwrap();
    let columns = "SELECT count(*) FROM (
        SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = 'gift_cards'
          AND table_name IN ('outbox', 'idempotency_keys')
        EXCEPT SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = 'catalog'
          AND table_name IN ('outbox', 'idempotency_keys')) AS other";
    assert_eq!(stack.count(columns).await, 0);
    let partitions = "SELECT count(*) FROM installation.outbox_partitions WHERE context = 'gift_cards'";
    assert_eq!(stack.count(partitions).await, 4, "three months and the one of last resort");
    run(&stack, &MonthsAhead, "2033-01-01T00:00:00Z".parse().unwrap()).await;
    assert_eq!(stack.count(partitions).await, 7, "the job knows the contexts that the database has");
    stack.stop().await;
}
