//! Several nodes, several processes on each: who is who.

mod releases;
mod topology;
mod trials;

use acceptance::{eventually::eventually, shop::PATIENCE, stack::database};
use projector::index_writer::{Claim, generations};
use query_api::{index, index::ActiveIndex, vectors::QueryVectors};
use search::bundle::Bundle;
use service::{Health, Metrics, Supervisor};
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
        let vectors = QueryVectors::new(None, Default::default());
        let supervisor = Supervisor::new(Health::default(), &Metrics::default());
        ActiveIndex::watch(pool.clone(), folder.path().to_owned(), listen, vectors, &supervisor)
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

async fn first_generation(url: &str) -> PgConnection {
    let mut connection = PgConnection::connect(url).await.expect("connected");
    generations::first(&mut connection).await.expect("the first");
    connection
}

async fn switches(connection: &mut PgConnection) -> Vec<(String, String)> {
    sqlx::query_as("SELECT generation, kind FROM index_switches ORDER BY epoch")
        .fetch_all(connection)
        .await
        .expect("read")
}

/// An operator's rollback from g2 to g1.
async fn go_back(connection: &mut PgConnection) {
    for back in [
        "UPDATE index_generations SET state = 'rolled_back' WHERE generation = 'g2'",
        "UPDATE index_generations SET state = 'active' WHERE generation = 'g1'",
        "INSERT INTO index_switches (generation, previous, kind, actor) VALUES ('g1', 'g2', 'rollback', 'tester')",
    ] {
        sqlx::query(back).execute(&mut *connection).await.expect("gone back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_of_two_releases_make_one_build_and_never_take_turns() {
    let database = database(Side::Read).await;
    let mut connection = first_generation(&database.url()).await;
    let older = Bundle::default();
    let newer = Bundle { schema_version: older.schema_version + 1, ..Bundle::default() };
    // A rolling update: writers of both releases on four nodes, each looking again and again.
    let looks = [&older, &newer, &older, &newer].map(|shipped| {
        let (url, shipped) = (database.url(), shipped.clone());
        tokio::spawn(async move {
            let mut connection = PgConnection::connect(&url).await.expect("connected");
            for _ in 0..50 {
                generations::replace_outdated(&mut connection, &shipped).await.expect("a look");
            }
        })
    });
    for look in looks {
        look.await.expect("it looked");
    }
    let expected = |switches: &[(&str, &str)]| -> Vec<(String, String)> {
        switches.iter().map(|(generation, kind)| ((*generation).to_owned(), (*kind).to_owned())).collect()
    };
    assert_eq!(switches(&mut connection).await, expected(&[("g1", "first"), ("g2", "outdated")]));
    let states: Vec<(String, String)> =
        sqlx::query_as("SELECT generation, state FROM index_generations ORDER BY generation")
            .fetch_all(&mut connection)
            .await
            .expect("read");
    assert_eq!(states, expected(&[("g1", "retired"), ("g2", "active")]));
    // An operator goes back to the release before: its writers find their generation, and the newer ones let it be.
    go_back(&mut connection).await;
    for shipped in [&newer, &older, &newer] {
        generations::replace_outdated(&mut connection, shipped).await.expect("a look");
    }
    assert_eq!(switches(&mut connection).await.len(), 3, "nobody undoes what an operator did");
    let later = Bundle { schema_version: newer.schema_version + 1, ..Bundle::default() };
    generations::replace_outdated(&mut connection, &later).await.expect("a look");
    assert_eq!(
        switches(&mut connection).await.last(),
        expected(&[("g3", "outdated")]).last(),
        "a later release goes on"
    );
}
