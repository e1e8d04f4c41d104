//! Two projectors at work on one log: under load, with one killed and another joining.

use super::held;
use acceptance::{
    builders::{price_line, product_line, stock_line},
    digest,
    eventually::eventually,
    quiet::until_quiet,
    replica::Replica,
    scratch,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use projector::registry::FEEDS;
use reqwest::Method;
use schemas::topics::Context;
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

const PRODUCTS: usize = 240;
const BATCH: usize = 8;
const SHOPS: [&str; 2] = ["shared-one", "shared-two"];

/// Waits until so many projectors hold all partitions together, none of them many more than another.
async fn spread_over(stack: &TestStack, projectors: usize) {
    let partitions: i64 = stack.stack.settings.topic_partitions.map_or(4, i64::from);
    eventually(&format!("{projectors} share the partitions"), PATIENCE, || async {
        let spread = held(&stack.read, &FEEDS[0].lock()).await?;
        let is_even = spread.last().zip(spread.first()).is_some_and(|(most, least)| most - least <= 1);
        if spread.len() == projectors && spread.iter().sum::<i64>() == partitions && is_even {
            Ok(())
        } else {
            Err(format!("{spread:?}"))
        }
    })
    .await;
}

/// Writes products below a category, with prices and stock.
async fn import(shop: Shop, done: Arc<AtomicUsize>) {
    for first in (0..PRODUCTS).step_by(BATCH) {
        let numbers = first..first + BATCH;
        let id = |n: usize| format!("s-{n}");
        let products = numbers.clone().map(|n| {
            let mut line = product_line(&id(n), &format!("Shared lamp number {n}"));
            line["categories"] = json!([format!("leaf-{}", n % 3)]);
            line
        });
        shop.bulk_all("products", &products.collect::<Vec<_>>()).await;
        let prices = numbers.clone().map(|n| price_line(&id(n), 100 + i64::try_from(n).unwrap_or_default()));
        shop.bulk_all("prices", &prices.collect::<Vec<_>>()).await;
        shop.bulk_all("stock", &numbers.map(|n| stock_line(&id(n), 5)).collect::<Vec<_>>()).await;
        done.fetch_add(BATCH, Ordering::SeqCst);
    }
}

/// Renames the root again and again until all products are written, so that the tree changes while products are composed.
async fn rename(shop: Shop, root: String, done: Arc<AtomicUsize>) -> u64 {
    let mut version = 1;
    while done.load(Ordering::SeqCst) < PRODUCTS * SHOPS.len() {
        let renamed = json!({"external_id": "root", "name": format!("Lighting {version}"), "slug": "root"});
        let path = format!("/v1/categories/{root}");
        shop.command(Method::PUT, &path, Some(version), &renamed).await;
        version += 1;
    }
    version
}

async fn opened(stack: &TestStack, slug: &str) -> (Shop, String) {
    let shop = Shop::open(stack, slug).await;
    let leaf = |n: usize| json!({"external_id": format!("leaf-{n}"), "name": format!("Leaf {n}"), "slug": format!("leaf-{n}"), "parent": "root"});
    let root = json!({"external_id": "root", "name": "Lamps", "slug": "root"});
    let lines: Vec<Value> = std::iter::once(root).chain((0..3).map(leaf)).collect();
    let (made, _) = shop.bulk("categories", &lines).await.expect("made");
    let root = made[0]["id"].as_str().expect("an id").to_owned();
    (shop, root)
}

async fn reached(done: &AtomicUsize, products: usize) {
    eventually("the import goes on", PATIENCE * 2, || async {
        let so_far = done.load(Ordering::SeqCst);
        if so_far >= products { Ok(()) } else { Err(format!("{so_far} of {products}")) }
    })
    .await;
}

async fn nothing_lost_nothing_twice(stack: &TestStack) {
    for context in [Context::Catalog, Context::Pricing, Context::Inventory] {
        let written: Vec<(String, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT aggregate_id::text, max(version) FROM {context}.outbox GROUP BY 1 ORDER BY 1"
        )))
        .fetch_all(&stack.write)
        .await
        .expect("versions");
        let seen: Vec<(String, i64)> =
            sqlx::query_as("SELECT aggregate_id::text, version FROM sources WHERE context = $1 ORDER BY 1")
                .bind(context.name())
                .fetch_all(&stack.read)
                .await
                .expect("versions");
        assert_eq!(seen, written, "{context}");
    }
    let parked: i64 =
        sqlx::query_scalar("SELECT count(*) FROM dead_letters").fetch_one(&stack.read).await.expect("counted");
    assert_eq!(parked, 0, "nothing was poison");
}

/// The feed as the lag page shows it: every partition of every topic is reported, by whoever holds it.
async fn all_are_reported(stack: &TestStack, shop: &Shop) {
    let partitions = stack.stack.settings.topic_partitions.and_then(|count| usize::try_from(count).ok()).unwrap_or(4);
    let partitions = FEEDS[0].topics().len() * partitions;
    eventually("all partitions are reported as fine", PATIENCE, || async {
        let lag = shop.read("/v1/status/lag", None).await.body;
        let feed = lag["projections"].as_array().into_iter().flatten().find(|one| one["projection"] == FEEDS[0].name);
        let feed = feed.ok_or_else(|| lag.to_string())?;
        let reported = feed["partitions"].as_array().map_or(0, Vec::len);
        let is_fresh = feed["heartbeat_age_seconds"].as_f64() < Some(3.0);
        if reported == partitions && is_fresh && feed["state"] == "ok" && feed["lag_events"] == 0 {
            Ok(())
        } else {
            Err(feed.to_string())
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn projectors_share_the_views_and_one_that_is_killed_loses_nothing() {
    let stack = TestStack::start(false).await;
    let other = Replica::role(&stack, "views");
    spread_over(&stack, 2).await;
    let done = Arc::new(AtomicUsize::new(0));
    let (mut imports, mut renames, mut shops) = (Vec::new(), Vec::new(), Vec::new());
    for slug in SHOPS {
        let (shop, root) = opened(&stack, slug).await;
        imports.push(tokio::spawn(import(shop.clone(), done.clone())));
        renames.push(tokio::spawn(rename(shop.clone(), root, done.clone())));
        shops.push(shop);
    }
    let all = PRODUCTS * SHOPS.len();
    reached(&done, all / 4).await;
    drop(other);
    spread_over(&stack, 1).await;
    reached(&done, all / 2).await;
    let joined = [(); 2].map(|()| Replica::role(&stack, "views"));
    spread_over(&stack, 3).await;
    for import in imports {
        import.await.expect("everything was accepted");
    }
    for renames in renames {
        assert!(renames.await.expect("renamed") > 3, "the tree changed meanwhile");
    }
    until_quiet(&stack).await;
    all_are_reported(&stack, &shops[0]).await;
    nothing_lost_nothing_twice(&stack).await;
    let before = digest::take(&stack).await;
    assert_eq!(before.index.0, all as u64);
    drop(joined);
    scratch::rebuild(&stack).await;
    assert_eq!(digest::take(&stack).await, before, "a rebuild by one projector gives the same");
}
