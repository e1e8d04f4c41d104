//! The read side from nothing: any other way to the views has to end at what a rebuild gives.

use crate::{eventually::eventually, quiet::until_quiet, shop::PATIENCE, stack::TestStack};
use launcher::stack::Service;
use sqlx::AssertSqlSafe;

/// What is no view and comes from nowhere else: migrations, the log's epoch, and what is known of the standby views.
const KEPT: [&str; 3] = ["_sqlx_migrations", "log_epoch", "views_standby"];

/// Empties the read side and lets the topics fill it again.
pub async fn rebuild(stack: &TestStack) {
    let pages = published(stack).await.expect("counted");
    empty(stack).await;
    stack.stack.start_all().await.expect("started again");
    eventually("all products are back in the views", PATIENCE, || async {
        let count = published(stack).await?;
        if count == pages { Ok(()) } else { Err(format!("{count} of {pages}")) }
    })
    .await;
    until_quiet(stack).await;
}

/// Stops the read side and deletes all it holds.
pub async fn empty(stack: &TestStack) {
    for service in [Service::QueryApi, Service::Projector, Service::Embedder] {
        stack.stack.kill(service).expect("killed");
    }
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT quote_ident(table_name) FROM information_schema.tables
         WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND NOT table_name = ANY($1)",
    )
    .bind(KEPT)
    .fetch_all(&stack.read)
    .await
    .expect("the tables");
    let statement = format!("TRUNCATE {}", tables.join(", "));
    sqlx::query(AssertSqlSafe(statement)).execute(&stack.read).await.expect("emptied");
    std::fs::remove_dir_all(stack.stack.index_dir()).expect("deleted");
}

async fn published(stack: &TestStack) -> Result<i64, String> {
    sqlx::query_scalar("SELECT count(*) FROM product_pages WHERE status = 'published'")
        .fetch_one(&stack.read)
        .await
        .map_err(|error| error.to_string())
}
