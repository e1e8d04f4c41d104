//! The read side from nothing: what a rebuild gives is what any other road has to end at.

use crate::{eventually::eventually, quiet::until_quiet, shop::PATIENCE, stack::TestStack};
use launcher::stack::Service;

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
    sqlx::query(
        "TRUNCATE tenants, sources, categories, product_pages, listing, documents, document_outbox, merchandising, checkpoints,
                  insight_searches, insight_queries, insight_products, projection_status, dead_letters, embeddings,
                  index_generations, generation_copies, query_nodes, index_switches, insight_retention",
    )
    .execute(&stack.read)
    .await
    .expect("emptied");
    std::fs::remove_dir_all(stack.stack.index_dir()).expect("deleted");
}

async fn published(stack: &TestStack) -> Result<i64, String> {
    sqlx::query_scalar("SELECT count(*) FROM product_pages WHERE status = 'published'")
        .fetch_one(&stack.read)
        .await
        .map_err(|error| error.to_string())
}
