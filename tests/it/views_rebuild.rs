//! The views built anew beside the live ones, under writes and reads; proven, put in place, taken back.

use acceptance::{
    builders::{price_line, product_line, stock_line},
    buying::{Buyer, take_orders},
    digest,
    eventually::eventually,
    operator::Operator,
    quiet::until_quiet,
    scratch,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use launcher::stack::Service;
use reindex::Failure;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

const PRODUCTS: i64 = 150;

async fn filled(stack: &TestStack, slug: &str) -> Shop {
    let shop = Shop::open(stack, slug).await;
    let category = json!({"name": "Lamps", "slug": "lamps"});
    let category = shop.command(Method::POST, "/v1/categories", None, &category).await;
    let id = |n: i64| format!("v-{n}");
    let lines = |line: &dyn Fn(i64) -> Value| (0..PRODUCTS).map(line).collect::<Vec<_>>();
    let product = |n| {
        let mut line = product_line(&id(n), &format!("Steady lamp number {n}"));
        line["category_ids"] = json!([category["id"]]);
        line
    };
    shop.bulk_all("products", &lines(&product)).await;
    shop.bulk_all("prices", &lines(&|n| price_line(&id(n), 1_000 + n))).await;
    shop.bulk_all("stock", &lines(&|n| stock_line(&id(n), n % 3))).await;
    let channel = json!({"title": "Web shop", "currencies": ["EUR"]});
    shop.command(Method::PUT, "/v1/settings/channels/web", None, &channel).await;
    let welcome = json!({"title": "Welcome", "needs_code": true, "effect": {"kind": "shipping"}});
    shop.command(Method::PUT, "/v1/promotions/welcome", None, &welcome).await;
    shop.command(Method::POST, "/v1/promotions/welcome/codes/generate", None, &json!({"count": 20})).await;
    take_orders(&shop).await;
    let guest = Buyer::guest(&shop).await;
    let cart = guest.cart("SKU-v-2", 1).await;
    let begun = guest.checkout("r-1", &cart, "cash_on_delivery", 1_502).await;
    assert_eq!(begun.body["phase"], "completed", "{begun:?}");
    until_quiet(stack).await;
    let gone = shop.read("/v1/products/by-external-id/v-9", None).await.body;
    let (id, version) = (gone["id"].as_str().expect("its id"), gone["version"].as_u64());
    shop.command(Method::DELETE, &format!("/v1/products/{id}"), version, &json!({})).await;
    until_quiet(stack).await;
    shop
}

/// Somebody who writes, and somebody who reads listings, pages and searches, until told to stop.
struct Traffic {
    stop: Arc<AtomicBool>,
    reads: Arc<AtomicU64>,
    failed: tokio::task::JoinHandle<Vec<String>>,
    written: tokio::task::JoinHandle<String>,
}

impl Traffic {
    fn start(shop: &Shop) -> Self {
        let (stop, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (reader, stopped, counted) = (shop.clone(), stop.clone(), reads.clone());
        let failed = tokio::spawn(async move {
            let paths = ["/v1/search?q=steady", "/v1/products/by-external-id/v-3", "/v1/categories"];
            let mut failed = Vec::new();
            for path in paths.iter().cycle() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let read = reader.read(path, None).await;
                counted.fetch_add(1, Ordering::SeqCst);
                let half = path.starts_with("/v1/search") && read.body["total"].as_i64() < Some(PRODUCTS - 1);
                if read.status != StatusCode::OK || half {
                    failed.push(format!("{path}: {} {}", read.status, read.body));
                }
            }
            failed
        });
        let (writer, stopped) = (shop.clone(), stop.clone());
        let written = tokio::spawn(async move {
            let mut token = String::new();
            let mut n = 0;
            while !stopped.load(Ordering::SeqCst) {
                let lines = [price_line(&format!("v-{}", n % 8), 5_000 + n), price_line("v-149", 9_000 + n)];
                writer.bulk_all("products", &[product_line(&format!("new-{n}"), "Fresh candle")]).await;
                token = writer.bulk_all("prices", &lines).await;
                n += 1;
            }
            token
        });
        Self { stop, reads, failed, written }
    }

    /// Gives the token of the last write.
    async fn end(self) -> String {
        self.stop.store(true, Ordering::SeqCst);
        let failed = self.failed.await.expect("the reader");
        assert!(failed.is_empty(), "{} failed: {:?}", failed.len(), &failed[..failed.len().min(3)]);
        assert!(self.reads.load(Ordering::SeqCst) > 0);
        self.written.await.expect("the writer")
    }
}

/// A verification that may meet a moment in which the projector is just being started.
async fn verified(operator: &Operator, arguments: &[&str]) -> Value {
    eventually("the second set is proven", PATIENCE, || async {
        match operator.run(arguments).await {
            Ok(proof) => Ok(proof),
            Err(Failure::Refused(refusal)) if refusal.code == "undeclared_differences" => {
                unreachable!("{refusal}")
            }
            Err(error) => Err(error.to_string()),
        }
    })
    .await
}

/// Where a set of views stands in the topics of products.
async fn in_the_catalog(stack: &TestStack, projection: &str) -> Vec<(String, i32, i64)> {
    sqlx::query_as(
        "SELECT topic, partition, next_offset FROM checkpoints
         WHERE projection = $1 AND topic LIKE '%catalog%' ORDER BY topic, partition",
    )
    .bind(projection)
    .fetch_all(&stack.read)
    .await
    .expect("checkpoints")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_stands_still_keeps_the_second_set_from_nothing_else() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "still").await;
    Operator::of(&stack).does(&["views", "build"]).await;
    until_quiet(&stack).await;
    // As a swap does it, one feed is held first. What it has not applied is read and waits.
    let mut held = stack.read.begin().await.expect("a transaction");
    sqlx::query("SELECT FROM checkpoints WHERE projection = 'activity' FOR UPDATE")
        .execute(&mut *held)
        .await
        .expect("held");
    for number in 0..5 {
        let line = product_line(&format!("p-{number}"), "Lamp");
        let token = shop.bulk_all("products", &[line]).await;
        shop.search("lamp", &token).await;
        eventually("what staff did is in the log", PATIENCE, || async {
            let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM audit.outbox WHERE published_at IS NULL")
                .fetch_one(&stack.write)
                .await
                .map_err(|error| error.to_string())?;
            if waiting == 0 { Ok(()) } else { Err(format!("{waiting} wait")) }
        })
        .await;
    }
    eventually("the second set has the products", PATIENCE, || async {
        let (live, second) = (in_the_catalog(&stack, "products").await, in_the_catalog(&stack, "views:standby").await);
        if live == second { Ok(()) } else { Err(format!("{live:?} {second:?}")) }
    })
    .await;
    held.rollback().await.expect("let go");
}

#[tokio::test(flavor = "multi_thread")]
async fn views_built_anew_under_writes_take_the_place_of_the_live_ones_and_give_it_back() {
    let stack = TestStack::start(false).await;
    let shop = filled(&stack, "anew").await;
    let operator = Operator::of(&stack);
    let traffic = Traffic::start(&shop);
    let built = operator.does(&["views", "build"]).await;
    assert_eq!((&built["state"], &built["caught_up"]), (&json!("building"), &json!(true)), "{built}");
    let refused = operator.run(&["views", "promote"]).await;
    assert!(matches!(&refused, Err(Failure::Refused(refusal)) if refusal.code == "not_ready"), "{refused:?}");
    let proof = verified(&operator, &["views", "verify"]).await;
    assert!(proof["tables"]["product_pages"]["live_rows"].as_i64() >= Some(PRODUCTS - 1), "{proof}");
    assert_eq!(proof["accepted"], json!([]), "{proof}");
    for command in ["promote", "rollback", "rollback"] {
        let done = operator.does(&["views", command]).await;
        assert_eq!(done["documents"], 0, "equal documents are not published again: {done}");
    }
    let token = traffic.end().await;
    let read = shop.search("steady", &token).await;
    assert_eq!(read.body["total"], PRODUCTS - 1);
    until_quiet(&stack).await;
    let proof = verified(&operator, &["views", "verify"]).await;
    assert_eq!(proof["differences"], json!([]), "the set that was live is kept up");
    let now = digest::take(&stack).await;
    scratch::rebuild(&stack).await;
    assert_eq!(digest::take(&stack).await, now, "equal to a rebuild from scratch");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spoilt_row_is_found_and_gone_after_a_promotion() {
    let stack = TestStack::start(false).await;
    let shop = filled(&stack, "spoilt").await;
    let before = digest::take(&stack).await;
    let product = shop.read("/v1/products/by-external-id/v-5", None).await.body["id"].clone();
    let product: uuid::Uuid = product.as_str().and_then(|id| id.parse().ok()).expect("an id");
    for sql in [
        "UPDATE product_pages SET page = replace(page, 'Steady lamp', 'Broken lamp') WHERE product_id = $1",
        "UPDATE documents SET body = replace(body, 'Steady lamp', 'Broken lamp'), content_hash = 'spoilt' WHERE product_id = $1",
        "DELETE FROM listing WHERE product_id = $1",
        "UPDATE tenants SET name = 'Nobody' WHERE $1 IS NOT NULL",
    ] {
        sqlx::query(sql).bind(product).execute(&stack.read).await.expect("spoilt");
    }
    let operator = Operator::of(&stack);
    operator.does(&["views", "build"]).await;
    let Err(Failure::Refused(refusal)) = operator.run(&["views", "verify"]).await else {
        unreachable!("what is spoilt has to be found")
    };
    assert_eq!(refusal.code, "undeclared_differences");
    let found = refusal.findings.join("\n");
    for table in ["product_pages", "documents", "listing", "tenants"] {
        assert!(found.contains(table), "{found}");
    }
    assert!(refusal.detail.starts_with("4 rows differ"), "{}", refusal.detail);
    let partly = operator.run(&["views", "verify", "--accept", "product_pages,documents"]).await;
    assert!(matches!(partly, Err(Failure::Refused(_))), "the rest is not accepted");
    operator.does(&["views", "verify", "--accept", "product_pages,documents,listing,tenants"]).await;
    let done = operator.does(&["views", "promote"]).await;
    assert_eq!(done["documents"], 1, "{done}");
    until_quiet(&stack).await;
    assert_eq!(digest::take(&stack).await, before, "as if nothing had been spoilt");
    let page = shop.read("/v1/products/by-external-id/v-5", None).await.body;
    assert_eq!(page["title"], "Steady lamp number 5");
    let token = shop.bulk_all("prices", &[price_line("v-5", 4_242)]).await;
    let hit = shop.search("steady+lamp+number+5", &token).await;
    assert!(hit.titles().contains(&"Steady lamp number 5".to_owned()), "{hit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_is_killed_goes_on_and_one_that_is_given_up_leaves_nothing() {
    let stack = TestStack::start(false).await;
    let shop = filled(&stack, "killed").await;
    let operator = Operator::of(&stack);
    operator.does(&["views", "build", "--rate", "100", "--no-wait"]).await;
    let position = || async {
        let sum = "SELECT coalesce(sum(next_offset), 0)::bigint FROM checkpoints WHERE projection = 'views:standby'";
        sqlx::query_scalar::<_, i64>(sum).fetch_one(&stack.read).await.map_err(|error| error.to_string())
    };
    let reached = |least: i64| {
        eventually("the build goes on", PATIENCE, move || async move {
            let reached = position().await?;
            if reached >= least { Ok(reached) } else { Err(format!("{reached} of {least}")) }
        })
    };
    let mut last = 0;
    for _ in 0..3 {
        last = reached(last + 1).await;
        stack.crash(Service::Projector).await;
        assert!(position().await.expect("a position") >= last, "nothing is built twice");
    }
    let token = shop.bulk_all("products", &[product_line("meanwhile", "Meanwhile lamp")]).await;
    assert_eq!(shop.search("meanwhile", &token).await.titles(), ["Meanwhile lamp"]);
    // The same command again goes on with the build, now without a limit.
    let built = operator.does(&["views", "build"]).await;
    assert_eq!(built["caught_up"], true, "{built}");
    verified(&operator, &["views", "verify"]).await;
    let cancelled = operator.does(&["views", "cancel"]).await;
    assert_eq!(cancelled["state"], "cancelled");
    eventually("its tables are gone", PATIENCE, || async {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname = 'standby'")
            .fetch_one(&stack.read)
            .await
            .map_err(|error| error.to_string())?;
        if left == 0 { Ok(()) } else { Err(format!("{left} tables")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_reads_again_and_changes_nothing() {
    let stack = TestStack::start(false).await;
    let shop = filled(&stack, "again").await;
    let operator = Operator::of(&stack);
    let before = digest::take(&stack).await;
    let (brokers, prefix) = (stack.stack.settings.brokers(), stack.stack.settings.topic_prefix.clone());
    let proof = stack.kafka_flags();
    let replay = |projection: &'static str, from: &'static str| {
        let line = ["replay", "--projection", projection, "--from", from, "--kafka-brokers", &brokers];
        let prefix = format!("--topic-prefix={prefix}");
        let line: Vec<String> =
            line.iter().map(|word| (*word).to_owned()).chain([prefix]).chain(proof.clone()).collect();
        let operator = operator.clone();
        async move { operator.run(&line.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };
    let views = replay("views", "beginning").await.expect("read again");
    assert!(views["records"].as_i64() > Some(3 * PRODUCTS), "{views}");
    until_quiet(&stack).await;
    let last = replay("views", "-2").await.expect("read again");
    assert!(last["records"].as_i64() < Some(50), "{last}");
    let index = replay("index", "beginning").await.expect("published again");
    assert!(index["records"].as_i64() >= Some(PRODUCTS - 1), "{index}");
    let ahead = replay("views", "souk.catalog.v1:0:999999").await;
    assert!(matches!(&ahead, Err(Failure::Refused(refusal)) if refusal.code == "unknown_place"), "{ahead:?}");
    until_quiet(&stack).await;
    assert_eq!(digest::take(&stack).await, before);
    let token = shop.bulk_all("products", &[product_line("next", "Next lamp")]).await;
    assert_eq!(shop.search("next+lamp", &token).await.titles()[0], "Next lamp");
}
