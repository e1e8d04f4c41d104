//! `souk migrate` on databases that another release has migrated.

use acceptance::stack::database;
use launcher::migrate;
use sqlx::{Connection, PgConnection};
use test_databases::Side;

async fn pretend(url: &str, version: i64) {
    let mut connection = PgConnection::connect(url).await.expect("connected");
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES ($1, 'of another release', true, '\\x00', 0)",
    )
    .bind(version)
    .execute(&mut connection)
    .await
    .expect("noted");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_newer_release_has_migrated_is_left_as_it_is() {
    let (write, read) = (database(Side::Write).await, database(Side::Read).await);
    for database in [&write, &read] {
        pretend(&database.url(), 9_999).await;
    }
    migrate::run(&write.url(), &read.url()).await.expect("an update that was taken back");
    // Between those that are known there is no room for another's.
    pretend(&read.url(), 14).await;
    let refused = migrate::run(&write.url(), &read.url()).await.expect_err("another schema").to_string();
    assert!(refused.contains("14"), "{refused}");
}
