//! Needs a PostgreSQL, as `./souk test` starts one.

use super::{READ, Side, TestDatabase, WRITE, execute, fingerprint, keeper};
use sqlx::{Connection, PgConnection};

fn server() -> String {
    std::env::var("SOUK_TEST_DATABASE_URL").unwrap_or_else(|_| "postgres://souk@127.0.0.1:54329/postgres".to_owned())
}

async fn admin() -> PgConnection {
    PgConnection::connect(&server()).await.expect("a PostgreSQL")
}

async fn is_there(name: &str) -> bool {
    let found: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(name)
        .fetch_one(&mut admin().await)
        .await
        .expect("asked");
    found
}

#[tokio::test]
async fn a_copy_is_migrated_and_ends_with_its_test() {
    let database = TestDatabase::create(&server(), Side::Write).await.expect("a database");
    let mut connection = PgConnection::connect(&database.url()).await.expect("connected");
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM catalog.outbox").fetch_one(&mut connection).await.expect("migrated");
    assert_eq!(rows, 0);
    let name = database.name.clone();
    assert!(is_there(&name).await);
    drop(database);
    assert!(!is_there(&name).await, "dropped, whoever is still connected");
}

#[tokio::test]
async fn a_copy_ends_with_a_test_that_fails() {
    let database = TestDatabase::create(&server(), Side::Write).await.expect("a database");
    let name = database.name.clone();
    let failed = tokio::spawn(async move {
        let _held = database;
        unreachable!("this is how a test fails");
    });
    assert!(failed.await.expect_err("it failed").is_panic());
    assert!(!is_there(&name).await);
}

#[tokio::test]
async fn what_a_killed_process_left_is_dropped_and_what_a_living_one_uses_is_not() {
    let (killed, living) = (keeper::name(0xdead), keeper::name(0x8000_0000_0000_0001));
    let mut lock = admin().await;
    let number = 0x8000_0000_0000_0001_u64.cast_signed();
    sqlx::query("SELECT pg_advisory_lock($1)").bind(number).execute(&mut lock).await.expect("locked");
    for name in [&killed, &living] {
        execute(&mut lock, format!("CREATE DATABASE {name}_write_0")).await.expect("made");
    }
    keeper::drop_left(&mut admin().await).await.expect("swept");
    assert!(!is_there(&format!("{killed}_write_0")).await);
    assert!(is_there(&format!("{living}_write_0")).await);
    execute(&mut lock, format!("DROP DATABASE {living}_write_0")).await.expect("dropped");
}

#[test]
fn other_migrations_make_another_template() {
    assert_eq!(fingerprint(WRITE.iter()), fingerprint(WRITE.iter()));
    assert_ne!(fingerprint(WRITE.iter()), fingerprint(READ.iter()));
    assert_ne!(fingerprint(WRITE.iter()), fingerprint(WRITE.iter().skip(1)));
    let mut edited: Vec<_> = WRITE.iter().cloned().collect();
    edited[0].checksum = vec![0].into();
    assert_ne!(fingerprint(WRITE.iter()), fingerprint(edited.iter()));
}
