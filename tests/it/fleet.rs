//! Several nodes, several processes on each: who is who.

use acceptance::{eventually::eventually, shop::PATIENCE, stack::database};
use projector::index_writer::Claim;
use query_api::{index, index::ActiveIndex, vectors::QueryVectors};
use service::Health;
use sqlx::{Connection, PgConnection, PgPool};
use std::{path::Path, time::Duration};
use test_databases::Side;

#[tokio::test(flavor = "multi_thread")]
async fn processes_with_one_address_and_number_are_heard_one_by_one() {
    let (database, folder) = (database(Side::Read).await, tempfile::tempdir().expect("a folder"));
    let pool = PgPool::connect(&database.url()).await.expect("connected");
    // As in containers, where each listens on 0.0.0.0:8081 and is process 1.
    let listen = "0.0.0.0:8081".parse().expect("an address");
    let watch = || {
        let vectors = QueryVectors::new(None);
        ActiveIndex::watch(pool.clone(), folder.path().to_owned(), listen, vectors, Health::default())
    };
    let _both = (watch(), watch());
    eventually("both report", PATIENCE, || async {
        let reports = search::nodes::reports(folder.path()).map_err(|error| error.to_string())?;
        if reports.len() == 2 { Ok(()) } else { Err(format!("{} reports", reports.len())) }
    })
    .await;
}

async fn claimed(database: &str, folder: &Path, node: &str) -> Result<Claim, String> {
    let mut connection = PgConnection::connect(database).await.expect("connected");
    Claim::take(&mut connection, folder, node).await.map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_name_belongs_to_one_live_index_folder() {
    let (database, [one, other]) =
        (database(Side::Read).await, [(); 2].map(|()| tempfile::tempdir().expect("a folder")));
    let url = database.url();
    let first = claimed(&url, one.path(), "a").await.expect("free");
    assert!(claimed(&url, one.path(), "a").await.is_err_and(|told| told.contains("needs a folder of its own")));
    drop(first);
    let again = claimed(&url, one.path(), "a").await.expect("the same node, started again at once");
    let renewing = tokio::spawn({
        let url = url.clone();
        async move {
            let mut connection = PgConnection::connect(&url).await.expect("connected");
            let mut ticks = tokio::time::interval(Duration::from_millis(100));
            loop {
                ticks.tick().await;
                if again.renew(&mut connection).await.is_err() {
                    return;
                }
            }
        }
    });
    let refused = claimed(&url, other.path(), "a").await.expect_err("the first lives");
    assert!(refused.contains("the node name `a` is in use") && refused.contains("SOUK_NODE"), "{refused}");
    claimed(&url, other.path(), "b").await.expect("another name");
    let pool = PgPool::connect(&url).await.expect("connected");
    index::check(&pool, one.path(), Some("a")).await.expect("its own folder's name");
    let wrong = index::check(&pool, other.path(), Some("a")).await.expect_err("the folder is b's").to_string();
    assert!(wrong.contains("belongs to the node `b`"), "{wrong}");
    search::nodes::IndexFolder::named(other.path(), "a").expect("named").write(other.path()).expect("written");
    let doubled = index::check(&pool, other.path(), None).await.expect_err("a is the first folder's").to_string();
    assert!(doubled.contains("the node name `a` is in use"), "{doubled}");
    renewing.abort();
    // Whoever held it is gone; nobody has to wait until its row is old.
    claimed(&url, other.path(), "a").await.expect("the first is silent");
}
