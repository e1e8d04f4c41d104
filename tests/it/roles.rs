//! Each process has a role of its own in PostgreSQL. That the rights suffice, the whole suite shows, whose processes use these
//! roles; here it is shown that there is no more.

use crate::chaos::own_databases;
use acceptance::{
    builders::product_line,
    shop::Shop,
    stack::{TestStack, database, programs},
};
use launcher::{
    migrate,
    passwords::{Passwords, Role},
    stack::Stack,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::path::Path;
use test_databases::{Side, TestDatabase};
use tokio::task::block_in_place;

/// Insufficient privilege (PostgreSQL, appendix A).
const FORBIDDEN: &str = "42501";

fn passwords() -> Passwords {
    Passwords::load(Path::new(&acceptance::stack::env("SOUK_TEST_ROLE_PASSWORDS")))
}

async fn connected(database: &TestDatabase, role: Role) -> PgConnection {
    PgConnection::connect(&passwords().put_into(&database.url(), role)).await.expect("the role logs in")
}

async fn refused(connection: &mut PgConnection, statement: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(connection).await;
    let code = done.err().and_then(|error| error.as_database_error().and_then(|error| error.code().map(String::from)));
    assert_eq!(code.as_deref(), Some(FORBIDDEN), "{statement}");
}

async fn works(connection: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(connection).await.expect(statement);
}

/// The sessions that are not of a process's role.
async fn owners(one: &mut PgConnection) -> Vec<i32> {
    sqlx::query_scalar(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename NOT LIKE 'souk\\_%' ORDER BY pid",
    )
    .fetch_all(one)
    .await
    .expect("sessions")
}

async fn roles(one: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT DISTINCT usename::text FROM pg_stat_activity
         WHERE datname = current_database() AND usename LIKE 'souk\\_%' ORDER BY 1",
    )
    .fetch_all(one)
    .await
    .expect("sessions")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_process_is_the_owner_of_what_it_uses() {
    let stack = TestStack::prepare(false).await;
    // A pool would open one more when it likes.
    let connect = async |url: String| PgConnection::connect(&url).await.expect("the owner logs in");
    let (mut write, mut read) =
        (connect(stack.stack.settings.write_url()).await, connect(stack.stack.settings.read_url()).await);
    let before = (owners(&mut write).await, owners(&mut read).await);
    stack.stack.start_all().await.expect("the stack starts");
    let shop = Shop::open(&stack, "roles").await;
    let token = shop.bulk_all("products", &[product_line("r-1", "Modest lamp")]).await;
    assert_eq!(shop.search("modest", &token).await.titles(), ["Modest lamp"]);
    let (writing, reading) = (roles(&mut write).await, roles(&mut read).await);
    let has = |roles: &[String], role: Role| roles.iter().any(|known| known == role.name());
    assert!(has(&writing, Role::Write) && has(&writing, Role::Projector) && !has(&writing, Role::Query), "{writing:?}");
    assert!(has(&reading, Role::Query) && has(&reading, Role::Projector) && !has(&reading, Role::Write), "{reading:?}");
    assert_eq!((owners(&mut write).await, owners(&mut read).await), before, "only this test is the owner");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_write_side_is_closed_but_for_what_each_process_needs() {
    let database = database(Side::Write).await;
    let mut write = connected(&database, Role::Write).await;
    works(&mut write, "SELECT installation.create_month('catalog', current_date + 400)").await;
    for statement in [
        // What has happened is not changed.
        "UPDATE catalog.outbox SET payload = ''",
        "DELETE FROM catalog.outbox",
        "DELETE FROM catalog.removed",
        "SELECT installation.drop_month('catalog', 'outbox_default')",
        // But of a shop that was deleted.
        "SELECT installation.forget_shop(gen_random_uuid(), 'catalog', 'outbox_default', 1)",
        "UPDATE log_epochs SET reason = ''",
        "CREATE TABLE catalog.mine (n int)",
    ] {
        refused(&mut write, statement).await;
    }
    let mut projector = connected(&database, Role::Projector).await;
    works(
        &mut projector,
        "UPDATE catalog.outbox SET published_at = now(), topic = '', partition = 0, record_offset = 0",
    )
    .await;
    for statement in [
        "UPDATE catalog.outbox SET payload = ''",
        "SELECT FROM catalog.products",
        "SELECT FROM catalog.idempotency_keys",
        "DROP TABLE catalog.outbox_default",
    ] {
        refused(&mut projector, statement).await;
    }
    let mut reindex = connected(&database, Role::Reindex).await;
    works(&mut reindex, "UPDATE catalog.outbox SET published_at = NULL").await;
    refused(&mut reindex, "UPDATE catalog.outbox SET topic = ''").await;
    refused(&mut reindex, "SELECT FROM catalog.products").await;
    refused(&mut reindex, "SELECT FROM inventory.levels").await;
    // But for what shoppers are told of it.
    let orderable = "SELECT FROM installation.orderable(gen_random_uuid(), gen_random_uuid())";
    works(&mut reindex, orderable).await;
    refused(&mut write, orderable).await;
    refused(&mut projector, orderable).await;
    let mut query = connected(&database, Role::Query).await;
    refused(&mut query, "SELECT FROM catalog.outbox").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_read_side_is_written_by_the_projector_and_by_operators_where_they_decide() {
    let database = database(Side::Read).await;
    let mut projector = connected(&database, Role::Projector).await;
    works(&mut projector, "DELETE FROM product_pages").await;
    works(&mut projector, "SELECT installation.create_standby('product_pages')").await;
    works(&mut projector, "INSERT INTO standby.product_pages SELECT * FROM product_pages").await;
    for statement in ["DROP TABLE product_pages", "SELECT FROM _sqlx_migrations", "CREATE TABLE mine (n int)"] {
        refused(&mut projector, statement).await;
    }
    let mut query = connected(&database, Role::Query).await;
    works(&mut query, "SELECT FROM standby.product_pages").await;
    let mut reindex = connected(&database, Role::Reindex).await;
    works(&mut reindex, "UPDATE index_generations SET note = ''").await;
    works(&mut reindex, "SELECT installation.swap_views(ARRAY['product_pages'])").await;
    works(&mut projector, "INSERT INTO product_pages SELECT * FROM standby.product_pages").await;
    refused(&mut reindex, "DELETE FROM categories").await;
    refused(&mut reindex, "UPDATE index_nodes SET host = ''").await;
    refused(&mut reindex, "SELECT installation.drop_standby('product_pages')").await;
    for statement in
        ["DELETE FROM product_pages", "UPDATE standby.product_pages SET slug = ''", "UPDATE index_nodes SET host = ''"]
    {
        refused(&mut query, statement).await;
    }
    let mut write = connected(&database, Role::Write).await;
    refused(&mut write, "SELECT FROM product_pages").await;
}

#[tokio::test]
async fn a_month_goes_only_when_all_of_it_is_recorded_as_archived() {
    let database = database(Side::Write).await;
    let mut owner = PgConnection::connect(&database.url()).await.expect("connected");
    let mut projector = connected(&database, Role::Projector).await;
    works(&mut owner, "SELECT installation.create_month('catalog', date '2020-01-01')").await;
    let insert = "INSERT INTO catalog.outbox (event_id, tenant_id, event_type, aggregate, aggregate_id, version, partition_id, payload,
                                             occurred_at, correlation_id, published_at)
                  SELECT gen_random_uuid(), gen_random_uuid(), 't', 'product', gen_random_uuid(), 1, gen_random_uuid(), '{}',
                         '2020-01-05', 'c', now() FROM generate_series(1, 3)";
    works(&mut owner, insert).await;
    let drops = async |projector: &mut PgConnection| -> bool {
        sqlx::query_scalar("SELECT installation.drop_month('catalog', 'outbox_2020_01')")
            .fetch_one(projector)
            .await
            .expect("asked")
    };
    assert!(!drops(&mut projector).await, "no file has it");
    works(
        &mut projector,
        "INSERT INTO installation.archives (file, context, month, rows, first_id, last_id, bytes, sha256, archived_at)
         SELECT 'f', 'catalog', '2020-01-01', count(*), min(id), max(id), 1, '', now() FROM catalog.outbox_2020_01",
    )
    .await;
    works(
        &mut owner,
        "UPDATE catalog.outbox_2020_01 SET published_at = NULL WHERE id = (SELECT max(id) FROM catalog.outbox)",
    )
    .await;
    assert!(!drops(&mut projector).await, "one row waits for its relay");
    works(&mut owner, "UPDATE catalog.outbox_2020_01 SET published_at = now()").await;
    assert!(drops(&mut projector).await);
    assert!(!drops(&mut projector).await, "it is gone");
}

#[tokio::test]
async fn every_table_of_a_context_is_granted_to_write_api() {
    let database = database(Side::Write).await;
    let mut owner = PgConnection::connect(&database.url()).await.expect("connected");
    let closed: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
         WHERE schemaname IN (SELECT context FROM installation.outbox_partitions)
           -- Rows of a partition are reached through its table.
           AND NOT (SELECT relispartition FROM pg_class WHERE oid = format('%I.%I', schemaname, tablename)::regclass)
           AND NOT has_table_privilege('souk_write', format('%I.%I', schemaname, tablename), 'SELECT, INSERT')",
    )
    .fetch_all(&mut owner)
    .await
    .expect("tables");
    assert!(closed.is_empty(), "a migration has to end with installation.grant_context: {closed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_missing_and_may_not_be_made_is_named() {
    let test = TestStack::prepare(false).await;
    let stack = Stack::new(own_databases(&test), programs()).expect("a stack");
    let postgres = stack.postgres().expect("a user to run it").expect("one of its own");
    block_in_place(|| postgres.start()).expect("started");
    let mut owner = PgConnection::connect(&stack.settings.admin_url()).await.expect("connected");
    works(&mut owner, "DROP ROLE souk_write; CREATE ROLE modest LOGIN CREATEDB PASSWORD 'modest'").await;
    let url = |name: &str| format!("postgres://modest:modest@127.0.0.1:{}/{name}", stack.settings.postgres_port);
    let said = migrate::run(&url("w"), &url("r")).await.expect_err("it may not make roles").to_string();
    let stopped = block_in_place(|| postgres.crash());
    assert!(said.contains("the role souk_write is missing, and modest may not create roles"), "{said}");
    assert!(said.contains("CREATE ROLE souk_write LOGIN PASSWORD"), "{said}");
    stopped.expect("stopped");
}

/// Every table that has the column, with whether its rows are guarded and by how many policies.
async fn tables_of_tenants(connection: &mut PgConnection) -> Vec<(String, bool, i64)> {
    sqlx::query_as(
        "SELECT format('%I.%I', n.nspname, c.relname), c.relrowsecurity AND c.relforcerowsecurity,
                (SELECT count(*) FROM pg_policy AS p WHERE p.polrelid = c.oid)
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
           AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)
         ORDER BY 1",
    )
    .fetch_all(connection)
    .await
    .expect("the tables")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_of_the_write_side_with_a_tenant_is_guarded_by_row() {
    let database = database(Side::Write).await;
    let mut owner = PgConnection::connect(&database.url()).await.expect("the owner logs in");
    let found = tables_of_tenants(&mut owner).await;
    assert!(found.len() > 60, "the tables of nine contexts and their partitions: {found:?}");
    let open: Vec<_> = found.iter().filter(|(_, is_guarded, policies)| !is_guarded || *policies != 2).collect();
    assert!(open.is_empty(), "a migration that adds a table ends with installation.grant_context: {open:?}");
    // What is made later is guarded as well.
    works(&mut owner, "SELECT installation.create_month('catalog', current_date + 500)").await;
    let bypass: Vec<String> = sqlx::query_scalar(
        "SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'souk\\_%' AND (rolbypassrls OR rolsuper)",
    )
    .fetch_all(&mut owner)
    .await
    .expect("the roles");
    assert!(bypass.is_empty(), "{bypass:?}");
    let later = tables_of_tenants(&mut owner).await;
    assert!(later.len() > found.len() && later.iter().all(|(_, is_guarded, _)| *is_guarded), "{later:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_forgets_its_tenant_meets_nothing_of_another() {
    let database = database(Side::Write).await;
    let mut owner = PgConnection::connect(&database.url()).await.expect("the owner logs in");
    let [one, other] = ["0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b", "0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6c"];
    let key = |tenant: &str, key: &str| {
        format!(
            "INSERT INTO catalog.idempotency_keys (tenant_id, key, request_hash, status, headers, body, created_at)
             VALUES ('{tenant}', '{key}', '', 0, '{{}}', '', now())"
        )
    };
    works(&mut owner, &key(one, "a")).await;
    works(&mut owner, &key(other, "b")).await;
    let mut write = connected(&database, Role::Write).await;
    let seen = async |write: &mut PgConnection| -> Vec<String> {
        let keys = sqlx::query_scalar("SELECT key FROM catalog.idempotency_keys ORDER BY key");
        keys.fetch_all(write).await.expect("the keys")
    };
    assert!(seen(&mut write).await.is_empty(), "a transaction of no shop sees nothing");
    works(&mut write, &format!("BEGIN; SET LOCAL souk.tenant = '{one}'")).await;
    assert_eq!(seen(&mut write).await, ["a"]);
    let touched = sqlx::raw_sql("UPDATE catalog.idempotency_keys SET status = 1; DELETE FROM catalog.idempotency_keys");
    assert_eq!(touched.execute(&mut write).await.expect("done").rows_affected(), 2, "its own row, twice");
    works(&mut write, "COMMIT").await;
    works(&mut write, &format!("BEGIN; SET LOCAL souk.tenant = '{one}'")).await;
    refused(&mut write, &key(other, "c")).await;
    works(&mut write, "ROLLBACK").await;
    assert!(seen(&mut write).await.is_empty(), "it ends with the transaction");
    works(&mut write, "BEGIN; SET LOCAL souk.scope = 'installation'").await;
    assert_eq!(seen(&mut write).await, ["b"], "the other's is as it was");
    works(&mut write, "ROLLBACK").await;
    let mut projector = connected(&database, Role::Projector).await;
    works(&mut projector, "SELECT FROM catalog.outbox").await;
}
