//! kill -9 of any process at random points of an import: nothing lost, nothing twice, and the read side
//! equal to a rebuild from scratch. Below it, the short forms of `souk bench chaos`.

mod crash;
mod disk;

use acceptance::{
    builders::{price_line, product_line, stock_line},
    digest,
    eventually::eventually,
    quiet::until_quiet,
    scratch,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use launcher::{settings::Settings, stack::Service, suite};
use schemas::topics::Context;
use serde_json::Value;
use std::{
    fs::Permissions,
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::PermissionsExt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

const PRODUCTS: usize = 600;
const BATCH: usize = 10;
const KILLS: usize = 20;

/// The same numbers in each run.
fn draw(seed: usize, below: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    ("souk", seed).hash(&mut hasher);
    usize::try_from(hasher.finish() % below as u64).unwrap_or_default()
}

/// Writes until write-api has accepted every line; what was not answered is sent again, as an importer does.
async fn write(shop: &Shop, what: &str, lines: &[Value]) {
    eventually("a batch is accepted", PATIENCE, || async {
        let (answers, summary) = shop.bulk(what, lines).await?;
        if summary["rejected"] == 0 && summary["not_tried"] == 0 && answers.len() == lines.len() {
            Ok(())
        } else {
            Err(format!("{summary}: {:?}", answers.iter().find(|answer| answer["problem"].is_object())))
        }
    })
    .await;
}

async fn import(shop: Shop, done: Arc<AtomicUsize>) {
    let all: Vec<usize> = (0..PRODUCTS).collect();
    for chunk in all.chunks(BATCH) {
        let id = |n: &usize| format!("x-{n}");
        let products: Vec<Value> =
            chunk.iter().map(|n| product_line(&id(n), &format!("Chaos thing number {n}"))).collect();
        let prices: Vec<Value> =
            chunk.iter().map(|n| price_line(&id(n), 100 + i64::try_from(*n).unwrap_or_default())).collect();
        let stock: Vec<Value> = chunk.iter().map(|n| stock_line(&id(n), 5)).collect();
        write(&shop, "products", &products).await;
        write(&shop, "prices", &prices).await;
        write(&shop, "stock", &stock).await;
        done.fetch_add(chunk.len(), Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kills_during_an_import_lose_nothing_and_double_nothing() {
    let stack = TestStack::start(true).await;
    let shop = Shop::open(&stack, "chaos").await;
    let done = Arc::new(AtomicUsize::new(0));
    let importing = tokio::spawn(import(shop.clone(), done.clone()));
    let victims: Vec<Service> = stack.stack.services();
    for kill in 0..KILLS {
        // At a random point of the progress, so that the kills are spread over the whole import.
        let point = (kill * PRODUCTS / KILLS) + draw(kill, PRODUCTS / KILLS);
        eventually("the import goes on", PATIENCE * 2, || async {
            let so_far = done.load(Ordering::SeqCst);
            if so_far >= point.min(PRODUCTS - BATCH) || importing.is_finished() {
                Ok(())
            } else {
                Err(format!("{so_far} of {point}"))
            }
        })
        .await;
        stack.crash(victims[draw(kill + 1_000, victims.len())]).await;
    }
    importing.await.expect("everything was accepted");
    until_quiet(&stack).await;
    nothing_lost_nothing_twice(&stack, &shop).await;
    let before = digest::take(&stack).await;
    assert_eq!(before.index.0, PRODUCTS as u64);
    assert_eq!(vectors(&stack).await, i64::try_from(PRODUCTS).unwrap_or_default());
    scratch::rebuild(&stack).await;
    assert_eq!(digest::take(&stack).await, before, "a rebuild from scratch gives the same");
}

async fn vectors(stack: &TestStack) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM embeddings").fetch_one(&stack.read).await.expect("counted")
}

async fn nothing_lost_nothing_twice(stack: &TestStack, shop: &Shop) {
    eventually("every product is found", PATIENCE, || async {
        let total = shop.read("/v1/search?q=chaos&limit=1", None).await.body["total"].clone();
        if total == PRODUCTS { Ok(()) } else { Err(format!("{total} of {PRODUCTS}")) }
    })
    .await;
    for context in Context::ALL.map(Context::name) {
        let query = format!(
            "SELECT count(*) FROM (SELECT aggregate_id FROM {context}.outbox GROUP BY tenant_id, aggregate_id
             HAVING max(version) <> count(*) OR min(version) <> 1) AS broken"
        );
        let broken: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&stack.write).await.expect("counted");
        assert_eq!(broken, 0, "versions of {context} are not 1, 2, 3, ...");
    }
    // The views stand where the write side does: same versions, no more and no fewer aggregates.
    let written: Vec<(String, i64)> = sqlx::query_as(
        "SELECT aggregate_id::text, max(version) FROM catalog.outbox WHERE aggregate = 'product' GROUP BY 1 ORDER BY 1",
    )
    .fetch_all(&stack.write)
    .await
    .expect("versions");
    let seen: Vec<(String, i64)> =
        sqlx::query_as("SELECT aggregate_id::text, version FROM sources WHERE aggregate = 'product' ORDER BY 1")
            .fetch_all(&stack.read)
            .await
            .expect("versions");
    assert_eq!(seen, written);
    let parked: i64 =
        sqlx::query_scalar("SELECT count(*) FROM dead_letters").fetch_one(&stack.read).await.expect("counted");
    assert_eq!(parked, 0, "nothing was poison");
}

/// Settings of a stack with a PostgreSQL of its own: the suite's is everybody's.
pub fn own_databases(stack: &TestStack) -> Settings {
    // It runs as another user than root.
    std::fs::set_permissions(&stack.stack.settings.data_dir, Permissions::from_mode(0o755)).expect("opened");
    let mut settings = stack.stack.settings.clone();
    (settings.write_database_url, settings.read_database_url) = (None, None);
    settings.postgres_port = suite::free_port().expect("a port");
    settings
}
