//! How the statements of relay and views are planned: kept from round to round while rounds are small, and by index whatever
//! PostgreSQL has counted.

use acceptance::stack::database;
use eventlog::database::{Plans, connect};
use projector::{document_relay, turns::Room};
use sqlx::{AssertSqlSafe, PgConnection};
use test_databases::{Side, TestDatabase};

/// A read database with nothing in it, and a connection to it.
async fn connected() -> (TestDatabase, PgConnection) {
    let read = database(Side::Read).await;
    let connection = connect(&read.url()).await.expect("a connection");
    (read, connection)
}

async fn mode(connection: &mut PgConnection) -> String {
    sqlx::query_scalar("SHOW plan_cache_mode").fetch_one(connection).await.expect("the mode")
}

#[tokio::test(flavor = "multi_thread")]
async fn small_rounds_keep_their_plans_and_large_ones_are_planned_anew() {
    let (_read, mut connection) = connected().await;
    let mut plans = Plans::default();
    assert_eq!(mode(&mut connection).await, "force_custom_plan");
    for (rows, expected) in
        [(1, "force_generic_plan"), (64, "force_generic_plan"), (65, "force_custom_plan"), (3, "force_generic_plan")]
    {
        plans.suit(&mut connection, rows).await.expect("planned");
        assert_eq!(mode(&mut connection).await, expected, "for {rows} rows");
    }
    plans.anew(&mut connection).await.expect("planned anew");
    assert_eq!(mode(&mut connection).await, "force_custom_plan", "whatever came before");
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_wait_are_read_by_index_whatever_was_counted() {
    let (_read, mut connection) = connected().await;
    // As a vacuum at the wrong moment sees it: as many that wait as there are documents.
    sqlx::raw_sql(
        "INSERT INTO documents (tenant_id, product_id, doc_version, content_hash, deleted, body)
         SELECT gen_random_uuid(), gen_random_uuid(), n, '', false, repeat('x', 300) FROM generate_series(1, 3000) AS n;
         INSERT INTO document_outbox (tenant_id, product_id, doc_version, event_time, correlation_id)
         SELECT tenant_id, product_id, doc_version, now(), '' FROM documents;
         ANALYZE documents; ANALYZE document_outbox",
    )
    .execute(&mut connection)
    .await
    .expect("rows");
    let whole = plan(&mut connection).await;
    assert!(whole.contains("Seq Scan"), "left to itself it reads both whole, or this test says nothing: {whole}");
    sqlx::raw_sql(document_relay::BY_INDEX).execute(&mut connection).await.expect("set");
    let by_index = plan(&mut connection).await;
    assert!(by_index.contains("document_outbox_version") && by_index.contains("documents_pkey"), "{by_index}");
    assert!(!by_index.contains("Seq Scan") && !by_index.contains("Hash"), "{by_index}");
}

const ROOM: Room = Room { events: 1_000, bytes: 8 << 20 };

/// How what waits would be read.
async fn plan(connection: &mut PgConnection) -> String {
    let explain = format!("EXPLAIN {}", document_relay::waiting::in_order(ROOM));
    let lines: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explain)).fetch_all(connection).await.expect("a plan");
    lines.join("\n")
}
