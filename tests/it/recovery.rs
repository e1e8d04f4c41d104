//! The recovery guides (docs/guides/recovery.md), each done on a running stack: writes before, the disaster, what the
//! guide says, and then a read side that equals one built from nothing, and that answers the next write.

use acceptance::{
    builders::{price_line, product_line, stock_line},
    digest,
    eventually::eventually,
    quiet::{epoch, until_quiet},
    scratch,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use launcher::stack::Service;
use rdkafka::{
    Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
};
use reqwest::{Method, StatusCode};
use schemas::{
    Utc,
    topics::{self, Context},
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

const PRODUCTS: i64 = 200;

/// A shop with products, prices, stock, a category and synonyms, all of it arrived.
async fn filled(stack: &TestStack, slug: &str) -> Shop {
    let shop = Shop::open(stack, slug).await;
    let id = |n: i64| format!("{slug}-{n}");
    let lines = |line: &dyn Fn(i64) -> Value| (0..PRODUCTS).map(line).collect::<Vec<_>>();
    let category = json!({"name": "Kettles", "slug": "kettles"});
    let category = shop.command(Method::POST, "/v1/categories", None, &category).await;
    let in_category = |n| {
        let mut line = product_line(&id(n), &format!("Sturdy thing number {n}"));
        line["category_ids"] = json!([category["id"]]);
        line
    };
    shop.bulk_all("products", &lines(&in_category)).await;
    shop.bulk_all("prices", &lines(&|n| price_line(&id(n), 1_000 + n))).await;
    shop.bulk_all("stock", &lines(&|n| stock_line(&id(n), n % 5))).await;
    shop.command(Method::PUT, "/v1/merchandising/synonyms/robust", None, &synonyms("robust")).await;
    shop.command(Method::POST, "/v1/insights", None, &json!([searched("q-1"), searched("q-2")])).await;
    until_quiet(stack).await;
    shop
}

/// What a client reports of one search.
fn searched(query_id: &str) -> Value {
    json!({
        "type": "query", "query_id": query_id, "client_id": "client-1", "user_query": "sturdy",
        "query_response_hit_ids": [], "timestamp": Utc::now(),
    })
}

fn synonyms(other: &str) -> Value {
    json!({"kind": "multi_way", "terms": ["sturdy", other]})
}

/// The read side answers the next write, and equals one that is built from nothing out of what Kafka holds now.
async fn is_whole_again(stack: &TestStack, shop: &Shop) {
    let token = shop.bulk_all("products", &[product_line("after-it", "Phoenix lamp")]).await;
    assert_eq!(shop.search("phoenix", &token).await.titles(), ["Phoenix lamp"]);
    until_quiet(stack).await;
    let now = digest::take(stack).await;
    scratch::rebuild(stack).await;
    assert_eq!(digest::take(stack).await, now, "a rebuild from scratch gives the same");
    let parked: i64 = sqlx::query_scalar("SELECT count(*) FROM dead_letters WHERE state <> 'discarded'")
        .fetch_one(&stack.read)
        .await
        .expect("counted");
    assert_eq!(parked, 0, "every event could be applied");
}

async fn reason_of_epoch(stack: &TestStack) -> String {
    eventually("a new epoch of the log has begun", PATIENCE, || async {
        let reason = sqlx::query_scalar(
            "SELECT reason FROM log_epochs WHERE begun_at IS NOT NULL AND epoch <> '' ORDER BY epoch DESC",
        );
        let reason: Option<String> = reason.fetch_optional(&stack.write).await.map_err(|error| error.to_string())?;
        reason.ok_or_else(|| "none".to_owned())
    })
    .await
}

fn admin(stack: &TestStack) -> AdminClient<DefaultClientContext> {
    stack.kafka().create().expect("a Kafka client")
}

/// The broker's folder is gone; where the suite shares a broker, this stack's topics are.
async fn lose_the_broker(stack: &TestStack) {
    if stack.stack.settings.starts_broker() {
        stack.stack.kill(Service::Broker).expect("killed");
        std::fs::remove_dir_all(stack.stack.settings.data_dir.join("broker")).expect("deleted");
        stack.stack.start(Service::Broker).expect("started");
        return stack.stack.wait_ready(Service::Broker).await.expect("ready");
    }
    let prefix = &stack.stack.settings.topic_prefix;
    let names: Vec<String> = topics::all().iter().map(|topic| topic.on_cluster(prefix, "")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    admin(stack).delete_topics(&names, &AdminOptions::new()).await.expect("deleted");
}

/// The times that the guide tells; shown with `--nocapture`.
fn took(what: &str, began: Instant) {
    println!("{what}: {:.1} s", began.elapsed().as_secs_f64());
}

/// A shopper who searches all the time.
struct Shopper {
    stop: Arc<AtomicBool>,
    searches: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<Vec<String>>,
}

impl Shopper {
    /// One who expects at least so many hits.
    fn start(shop: &Shop, at_least: i64) -> Self {
        let (shop, stop, searches) = (shop.clone(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counted) = (stop.clone(), searches.clone());
        let task = tokio::spawn(async move {
            let mut failed = Vec::new();
            while !stopped.load(Ordering::SeqCst) {
                let read = shop.read("/v1/search?q=sturdy", None).await;
                counted.fetch_add(1, Ordering::SeqCst);
                if read.status != StatusCode::OK || read.body["total"].as_i64() < Some(at_least) {
                    failed.push(format!("{} {}", read.status, read.body["total"]));
                }
            }
            failed
        });
        Self { stop, searches, task }
    }

    async fn saw_nothing(self) {
        self.stop.store(true, Ordering::SeqCst);
        let failed = self.task.await.expect("the shopper's task");
        assert!(failed.is_empty(), "{failed:?}");
        assert!(self.searches.load(Ordering::SeqCst) > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_is_lost_with_everything_in_it() {
    let stack = TestStack::start(false).await;
    let shop = filled(&stack, "lost").await;
    let before = digest::take(&stack).await;
    let shopper = Shopper::start(&shop, PRODUCTS - 1);
    let began = Instant::now();
    lose_the_broker(&stack).await;
    let reason = reason_of_epoch(&stack).await;
    assert!(reason.contains("gone or empty"), "{reason}");
    until_quiet(&stack).await;
    took("the broker lost", began);
    assert_eq!(digest::take(&stack).await, before, "nothing has changed");
    shopper.saw_nothing().await;
    is_whole_again(&stack, &shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_backup_of_the_write_database_is_restored() {
    let stack = TestStack::start(false).await;
    let shop = filled(&stack, "restored").await;
    let before = digest::take(&stack).await;
    let backup = stack.stack.settings.data_dir.join("backups/one.tar");
    let backup = backup.to_str().expect("a path");
    let made = stack.souk("backup", &["--to", backup, "--json"]).await.expect("backed up");
    let made: Value = serde_json::from_str(&made).expect("JSON");
    assert_eq!(made["manifest"]["databases"]["write"]["tables"]["catalog.products"], PRODUCTS);
    let again = stack.souk("backup", &["--to", backup]).await.expect_err("never overwritten");
    assert!(again.contains("overwrites nothing"), "{again}");
    let page = shop.read("/v1/products/by-external-id/restored-7", None).await.body;
    let id = page["id"].as_str().expect("an id").to_owned();
    lost_writes(&stack, &shop, &id).await;

    let refused = stack.souk("restore", &["--from", backup]).await.expect_err("there is data");
    assert!(refused.contains("--replace"), "{refused}");
    // Of the 200, one has another title by now and one is gone; the latecomer may go before the two are back.
    let shopper = Shopper::start(&shop, PRODUCTS - 2);
    let done = stack.souk("restore", &["--from", backup, "--replace", "--yes", "--json"]).await.expect("restored");
    let done: Value = serde_json::from_str(&done).expect("JSON");
    assert_eq!(done["read_side"]["state"], "in_line", "{done}");
    println!("a backup restored: {done}");
    shopper.saw_nothing().await;
    until_quiet(&stack).await;
    assert_eq!(digest::take(&stack).await, before, "as it was when the backup was taken");

    // The version that a lost write had is given once more, to another content.
    let version = shop.read(&format!("/v1/products/{id}"), None).await.body["version"].as_u64();
    let changed = json!({"external_id": "restored-7", "title": "Second life", "variants": [{"sku": "SKU-restored-7"}]});
    let changed = shop.command(Method::PUT, &format!("/v1/products/{id}"), version.or(Some(2)), &changed).await;
    let token = changed["token"].as_str().expect("a token").to_owned();
    assert_eq!(shop.search("second+life", &token).await.titles(), ["Second life"]);
    is_whole_again(&stack, &shop).await;
}

/// What is written after the backup: a change, a deletion, new things of every kind.
async fn lost_writes(stack: &TestStack, shop: &Shop, id: &str) {
    let changed = json!({"external_id": "restored-7", "title": "First life", "variants": [{"sku": "SKU-restored-7"}]});
    shop.command(Method::PUT, &format!("/v1/products/{id}"), Some(2), &changed).await;
    let gone = shop.read("/v1/products/by-external-id/restored-9", None).await.body;
    let gone = gone["id"].as_str().expect("an id");
    shop.command(Method::DELETE, &format!("/v1/products/{gone}"), Some(2), &json!({})).await;
    shop.bulk_all("products", &[product_line("too-late", "Sturdy latecomer")]).await;
    shop.bulk_all("prices", &[price_line("restored-3", 1), price_line("too-late", 2)]).await;
    shop.bulk_all("stock", &[stock_line("restored-4", 99)]).await;
    shop.command(Method::POST, "/v1/categories", None, &json!({"name": "Later", "slug": "later"})).await;
    shop.command(Method::PUT, "/v1/merchandising/synonyms/robust", Some(1), &synonyms("solid")).await;
    shop.command(Method::POST, "/v1/insights", None, &json!([searched("q-3")])).await;
    Shop::open(stack, "latecomer").await;
    until_quiet(stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_moves_to_an_empty_installation() {
    let stack = TestStack::start(false).await;
    let shop = filled(&stack, "moved").await;
    let folder = stack.stack.settings.data_dir.join("backup");
    let backup = folder.to_str().expect("a path");
    // Writes go on while the backup is taken.
    let busy = tokio::spawn({
        let shop = shop.clone();
        async move {
            for n in 0..20 {
                shop.bulk_all("products", &[product_line(&format!("busy-{n}"), "Busy thing")]).await;
            }
        }
    });
    stack.souk("backup", &["--to", backup, "--with-read"]).await.expect("backed up");
    busy.await.expect("written");
    let other = TestStack::start(false).await;
    let done = other.souk("restore", &["--from", backup, "--json"]).await.expect("restored");
    let done: Value = serde_json::from_str(&done).expect("JSON");
    assert_eq!(done["read_side"]["state"], "in_line", "{done}");
    let there = Shop::open(&other, "moved").await;
    let total = there.read("/v1/search?q=sturdy", None).await.body["total"].clone();
    assert_eq!(total, PRODUCTS);
    is_whole_again(&other, &there).await;

    std::fs::write(folder.join("write.dump"), b"something else").expect("damaged");
    let refused = other.souk("restore", &["--from", backup, "--replace", "--yes"]).await.expect_err("it is damaged");
    assert!(refused.contains("is damaged"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_of_the_index_is_deleted() {
    let stack = TestStack::start(false).await;
    let shop = filled(&stack, "folder").await;
    let before = digest::take(&stack).await;
    let shopper = Shopper::start(&shop, PRODUCTS - 1);
    let began = Instant::now();
    // A merge may be writing into it.
    eventually("the folder is deleted", PATIENCE, || async {
        std::fs::remove_dir_all(stack.stack.index_dir()).map_err(|error| error.to_string())
    })
    .await;
    // The next write meets no folder, and the index is built anew from the document topic.
    let token = shop.bulk_all("products", &[product_line("next", "Sturdy newcomer")]).await;
    assert_eq!(shop.search("newcomer", &token).await.titles(), ["Sturdy newcomer"]);
    took("the index deleted", began);
    until_quiet(&stack).await;
    let after = digest::take(&stack).await;
    assert_eq!(after.index.0, before.index.0 + 1);
    shopper.saw_nothing().await;
    is_whole_again(&stack, &shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_gets_more_partitions_under_writes() {
    let mut stack = TestStack::start_with(false, |settings| settings.topic_partitions = Some(4)).await;
    let shop = filled(&stack, "wider").await;
    assert_eq!(epoch(&stack).await, (String::new(), 4));
    let shopper = Shopper::start(&shop, PRODUCTS);
    let stop = Arc::new(AtomicBool::new(false));
    let busy = tokio::spawn({
        let (shop, stop) = (shop.clone(), stop.clone());
        async move {
            let mut written = 0;
            while !stop.load(Ordering::SeqCst) {
                shop.bulk_all("products", &[product_line(&format!("during-{written}"), "Meanwhile written")]).await;
                written += 1;
            }
            written
        }
    });
    let done = stack.souk("recover", &["--partitions", "12", "--reason", "wider", "--json"]).await;
    stop.store(true, Ordering::SeqCst);
    let written: i64 = busy.await.expect("written");
    let done: Value = serde_json::from_str(&done.expect("recovered")).expect("JSON");
    assert_eq!(done["partitions"], 12, "{done}");
    assert_eq!(done["read_side"]["state"], "in_line", "{done}");
    println!("from 4 to 12 partitions, {written} writes meanwhile: {done}");
    shopper.saw_nothing().await;
    until_quiet(&stack).await;
    let (name, partitions) = epoch(&stack).await;
    assert_eq!((done["epoch"].as_str(), partitions), (Some(name.as_str()), 12));
    let found = shop.read("/v1/search?q=meanwhile&limit=0", None).await.body["total"].clone();
    assert_eq!(found, written, "every write is found");
    is_spread(&stack, &name, 12).await;
    refuses_the_number_before(&stack).await;
    stack.stack.settings.topic_partitions = Some(12);
    stack.crash(Service::Projector).await;
    is_whole_again(&stack, &shop).await;
}

/// The setting of the first start is another by now: `souk up` and the projector refuse it, and say what to do.
async fn refuses_the_number_before(stack: &TestStack) {
    let brokers = stack.stack.settings.brokers();
    let args = ["--topic-partitions", "4", "--without-vectors", "--kafka-brokers", &brokers];
    let refused = stack.souk("up", &args).await.expect_err("another number");
    assert!(refused.contains("has 12 partitions"), "{refused}");
    stack.stack.kill(Service::Projector).expect("killed");
    stack.stack.start(Service::Projector).expect("started");
    eventually("the projector says why it does not relay", PATIENCE, || async {
        let says_why = stack.log(Service::Projector).contains("but the log of this installation has 12 partitions");
        if says_why { Ok(()) } else { Err("not yet".to_owned()) }
    })
    .await;
}

/// Each partition of an epoch has had records of products.
async fn is_spread(stack: &TestStack, epoch: &str, partitions: i32) {
    let name = Context::Catalog.topic().on_cluster(&stack.stack.settings.topic_prefix, epoch);
    let used: Vec<i32> = sqlx::query_scalar(
        "SELECT DISTINCT partition FROM catalog.outbox WHERE topic = $1 AND partition IS NOT NULL ORDER BY partition",
    )
    .bind(&name)
    .fetch_all(&stack.write)
    .await
    .expect("read");
    assert_eq!(used, (0..partitions).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_refuses_the_partitions_keeps_its_log() {
    let stack = TestStack::start(false).await;
    if !stack.stack.settings.starts_broker() {
        // Only the embedded broker has a bound; Apache Kafka would make them all.
        return;
    }
    let shop = filled(&stack, "refused").await;
    let before = epoch(&stack).await;
    let refused = stack.souk("recover", &["--partitions", "9999"]).await.expect_err("too many");
    assert!(refused.contains("goes on as it was"), "{refused}");
    assert_eq!(epoch(&stack).await, before);
    let token = shop.bulk_all("products", &[product_line("after-it", "Phoenix lamp")]).await;
    assert_eq!(shop.search("phoenix", &token).await.titles(), ["Phoenix lamp"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_has_passed_before_a_rebuild() {
    let stack = TestStack::start(false).await;
    let shop = filled(&stack, "retention").await;
    let before = digest::take(&stack).await;
    let (prefix, (_, partitions)) = (&stack.stack.settings.topic_prefix, epoch(&stack).await);
    let mut ends = TopicPartitionList::new();
    for topic in Context::ALL.map(Context::topic) {
        for partition in 0..partitions {
            ends.add_partition_offset(&topic.on_cluster(prefix, ""), partition, Offset::End).expect("added");
        }
    }
    admin(&stack).delete_records(&ends, &AdminOptions::new()).await.expect("trimmed");
    // Nobody needs what is gone, until the read side has to be built anew.
    let token = shop.bulk_all("products", &[product_line("between", "Between two logs")]).await;
    assert_eq!(shop.search("between", &token).await.titles(), ["Between two logs"]);
    let epochs: i64 = sqlx::query_scalar("SELECT count(*) FROM log_epochs WHERE epoch <> ''")
        .fetch_one(&stack.write)
        .await
        .expect("counted");
    assert_eq!(epochs, 0);
    until_quiet(&stack).await;
    let with_it = digest::take(&stack).await;
    assert_ne!(with_it, before);
    scratch::empty(&stack).await;
    let began = Instant::now();
    stack.stack.start_all().await.expect("started again");
    let reason = reason_of_epoch(&stack).await;
    assert!(reason.contains("begins at"), "{reason}");
    until_quiet(&stack).await;
    took("retention passed", began);
    assert_eq!(digest::take(&stack).await, with_it, "the outboxes brought everything back");
    is_whole_again(&stack, &shop).await;
}
