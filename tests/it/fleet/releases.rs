//! Nodes of two releases that can't read each other's index.

use super::{first_generation, go_back};
use acceptance::stack::database;
use projector::index_writer::generations;
use reindex::{CommandContext, promote, watch::Limits};
use search::bundle::Bundle;
use sqlx::PgConnection;
use test_databases::Side;

/// Reports that stay new for as long as the test takes: the node `new` keeps g2, the node `old` can't.
const REPORTS: [&str; 3] = [
    "INSERT INTO index_nodes (node, folder, instance, host, heartbeat_at)
     SELECT node, gen_random_uuid(), gen_random_uuid(), 'a host', now() + interval '1 hour' FROM unnest('{new,old}'::text[]) AS node",
    "INSERT INTO generation_copies (node, generation, phase, documents, expected, rate_per_second, lag_events, offsets, heartbeat_at)
     VALUES ('new', 'g2', 'live', 1, 1, 0, 0, '[]', now() + interval '1 hour'),
            ('old', 'g2', 'live', 1, 1, 0, 0, '[]', now() - interval '1 hour')",
    "INSERT INTO query_nodes (reader, node, address, epoch, generation, opened, figures, heartbeat_at)
     VALUES ('one', 'new', 'http://new', 100, '', '{g2}', '{}', now() + interval '1 hour'),
            ('two', 'old', 'http://old', 3, 'g1', '{g1}', '{}', now() + interval '1 hour')",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_comes_again_has_its_index_promoted_before_the_last_node_is_updated() {
    let (database, folder) = (database(Side::Read).await, tempfile::tempdir().expect("a folder"));
    let mut connection = first_generation(&database.url()).await;
    let older = Bundle::default();
    let newer = Bundle { schema_version: older.schema_version + 1, ..Bundle::default() };
    generations::replace_outdated(&mut connection, &newer).await.expect("a look");
    go_back(&mut connection).await;
    for report in REPORTS {
        sqlx::query(report).execute(&mut connection).await.expect("reported");
    }
    let context = CommandContext::at(&database.url(), folder.path(), "tester").expect("a context");
    let args = promote::Args {
        generation: "g2".to_owned(),
        canary: None,
        watch: None,
        limits: Limits::default(),
        keep: 1,
        wait: 5,
    };
    let promoted = promote::run(&context, &args).await.expect("the older node is not waited for");
    assert_eq!(promoted.switched.followed, ["http://new on node new"]);
    let active: String = sqlx::query_scalar("SELECT generation FROM index_generations WHERE state = 'active'")
        .fetch_one(&mut connection)
        .await
        .expect("one");
    assert_eq!(active, "g2");
    assert_eq!(generations_kept(&mut connection).await, 2, "the way back stays");
}

async fn generations_kept(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM index_generations").fetch_one(connection).await.expect("counted")
}
