//! What a read says of its freshness is so, whatever is cached and whatever signal is still on its way.

use acceptance::{
    builders::product_line,
    eventually::eventually,
    replica::Replica,
    shop::{PATIENCE, Read, Shop},
    stack::{TestStack, database},
};
use clap::Parser;
use query_api::{app::App, changes::Change, config::Cli, http};
use reqwest::Client;
use schemas::{
    Uuid,
    token::{TOKEN_HEADER, Token},
    topics::Context,
};
use serde_json::json;
use service::{Health, Metrics, Supervisor, shutdown::Shutdown};
use sqlx::PgPool;
use std::time::{Duration, Instant};
use test_databases::{Side, TestDatabase};
use tokio::{sync::watch, task::JoinHandle};

#[derive(Parser)]
struct Measured {
    #[command(flatten)]
    args: bench::freshness::Args,
}

const TENANT: Uuid = Uuid::from_u128(1);
const PRODUCT: Uuid = Uuid::from_u128(2);
const CATEGORY: Uuid = Uuid::from_u128(3);

/// A query-api whose signals come when the test says so, over views that the test writes.
struct Deaf {
    url: String,
    views: PgPool,
    http: Client,
    changes: watch::Sender<Change>,
    shutdown: Shutdown,
    _folder: tempfile::TempDir,
    _database: TestDatabase,
}

impl Deaf {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    async fn start_with(settings: &[&str]) -> Self {
        let database = database(Side::Read).await;
        let views = PgPool::connect(&database.url()).await.expect("the read database");
        let folder = tempfile::tempdir().expect("a folder");
        let index = folder.path().to_str().expect("a path");
        let own = ["query-api", "--index-dir", index, "--admin-key", "tester"];
        let cli = Cli::try_parse_from([&own, settings].concat()).expect("settings");
        let (changes, heard) = watch::channel(Change { version: 1, definitions: 1, heard: true });
        let supervisor = Supervisor::new(Health::default(), &Metrics::default());
        let shutdown = Shutdown::default();
        let app = App::new(&cli.config, views.clone(), heard, &supervisor, &Metrics::default(), shutdown.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, http::router(app)).await });
        let headers = access::key::header(Some("tester"));
        let http = Client::builder().default_headers(headers).build().expect("a client");
        let own = Self { url, views, http, changes, shutdown, _folder: folder, _database: database };
        own.sql("INSERT INTO tenants (id, slug, name, version) VALUES ($1, 'deaf', 'Deaf', 1)", TENANT).await;
        own
    }

    async fn sql(&self, statement: &'static str, id: Uuid) {
        sqlx::query(statement).bind(id).execute(&self.views).await.expect(statement);
    }

    /// A read of the tree that waits so long for a version of something.
    fn waits(&self, id: Uuid, version: u64, wait_ms: u64) -> JoinHandle<Read> {
        let request = self.http.get(format!("{}/v1/categories?wait_ms={wait_ms}", self.url));
        let token = Token::of(Context::Catalog, id, version).to_string();
        let request = request.header("x-tenant-slug", "deaf").header(TOKEN_HEADER, token);
        tokio::spawn(async move { Shop::answer(request.send().await.expect("an answer")).await })
    }

    /// So many of them, for what nobody has written.
    async fn wait_for_nothing(&self, many: u128, wait_ms: u64) -> Vec<Read> {
        let waits: Vec<_> = (0..many).map(|number| self.waits(Uuid::from_u128(1_000 + number), 1, wait_ms)).collect();
        let mut reads = Vec::new();
        for read in waits {
            reads.push(read.await.expect("read"));
        }
        reads
    }

    async fn read(&self, path: &str, token: Option<Token>) -> Read {
        let mut request = self.http.get(format!("{}{path}", self.url)).header("x-tenant-slug", "deaf");
        if let Some(token) = token {
            request = request.header(TOKEN_HEADER, token.to_string());
        }
        Shop::answer(request.send().await.expect("an answer")).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_that_wait_for_made_up_tokens_cost_the_database_no_more_than_one() {
    let deaf = Deaf::start().await;
    let made = "INSERT INTO sources (tenant_id, context, aggregate_id, aggregate, version, body, event_time)
                VALUES ('00000000-0000-0000-0000-000000000001', 'catalog', $1, 'category', 1, '{}', now())";
    deaf.sql(made, CATEGORY).await;
    let committed = async || {
        // What a connection has done is counted when it has been at rest for a second, at the latest.
        let count = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
        let count: i64 = sqlx::query_scalar(count).fetch_one(&deaf.views).await.expect("a count");
        count
    };
    let before = committed().await;
    let ordinary = async {
        let read = deaf.waits(CATEGORY, 2, 5_000);
        deaf.sql("UPDATE sources SET version = 2 WHERE aggregate_id = $1", CATEGORY).await;
        deaf.changes.send_modify(|change| change.version += 1);
        (read.await.expect("read").fresh, Instant::now())
    };
    let others = async { (deaf.wait_for_nothing(60, 5_000).await, Instant::now()) };
    let ((waited, gave_up), (is_fresh, answered)) = tokio::join!(others, ordinary);
    assert!(waited.iter().all(|read| read.status.is_success() && !read.fresh), "{waited:?}");
    assert!(is_fresh && answered < gave_up, "{:?}", answered.duration_since(gave_up));
    let cost = committed().await - before;
    // The generations are asked for ten times a second and the tokens twice, and each read is answered once.
    assert!(cost < 400, "{cost} transactions in 5 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tenant_can_not_take_all_the_places_of_those_that_wait() {
    let deaf = Deaf::start_with(&["--waiting-reads=8"]).await;
    let waited = deaf.wait_for_nothing(5, 1_000).await;
    let refused: Vec<&Read> = waited.iter().filter(|read| !read.status.is_success()).collect();
    assert_eq!(refused.len(), 3, "a quarter of eight may wait: {waited:?}");
    assert!(refused.iter().all(|read| read.status == 503 && read.body["code"] == "overloaded"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_waits_does_not_keep_a_process_that_is_to_end() {
    let deaf = Deaf::start().await;
    let waits = deaf.waits(CATEGORY, 7, 30_000);
    deaf.shutdown.trigger();
    let read = tokio::time::timeout(Duration::from_secs(10), waits).await.expect("an answer in time").expect("read");
    assert_eq!(read.status, reqwest::StatusCode::SERVICE_UNAVAILABLE, "{:?}", read.body);
    assert!(read.body["detail"].as_str().is_some_and(|detail| detail.contains("this process ends")), "{:?}", read.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_with_a_token_takes_nothing_from_a_cache_that_waits_for_a_signal() {
    let deaf = Deaf::start().await;
    for made in [
        "INSERT INTO product_pages (tenant_id, product_id, slug, status, doc_version, category_ids, page, updated_at)
         VALUES ('00000000-0000-0000-0000-000000000001', $1, 'lamp', 'published', 1, '{}', '{\"version\":1,\"title\":\"Lamp\"}', now())",
        "INSERT INTO sources (tenant_id, context, aggregate_id, aggregate, product_id, version, body, event_time)
         VALUES ('00000000-0000-0000-0000-000000000001', 'catalog', $1, 'product', $1, 1, '{}', now())",
    ] {
        deaf.sql(made, PRODUCT).await;
    }
    for made in [
        "INSERT INTO categories (tenant_id, category_id, slug, name, position, path_ids, path_slugs, path_names)
         VALUES ('00000000-0000-0000-0000-000000000001', $1, 'lamps', 'Lamps', 0, ARRAY[$1], '{lamps}', '{Lamps}')",
        "INSERT INTO sources (tenant_id, context, aggregate_id, aggregate, version, body, event_time)
         VALUES ('00000000-0000-0000-0000-000000000001', 'catalog', $1, 'category', 1, '{}', now())",
    ] {
        deaf.sql(made, CATEGORY).await;
    }
    let (pages, tree) = ([format!("/v1/products/{PRODUCT}"), "/v1/products/by-slug/lamp".to_owned()], "/v1/categories");
    for page in &pages {
        assert_eq!(deaf.read(page, None).await.body["title"], "Lamp");
    }
    assert_eq!(deaf.read(tree, None).await.body["categories"][0]["name"], "Lamps");
    // The views commit, and the signal of it is still on its way.
    for changed in [
        "UPDATE product_pages SET doc_version = 2, page = '{\"version\":2,\"title\":\"Light\"}' WHERE product_id = $1",
        "UPDATE sources SET version = 2 WHERE aggregate_id = $1",
    ] {
        deaf.sql(changed, PRODUCT).await;
    }
    for changed in [
        "UPDATE categories SET name = 'Lights' WHERE category_id = $1",
        "UPDATE sources SET version = 2 WHERE aggregate_id = $1",
    ] {
        deaf.sql(changed, CATEGORY).await;
    }
    for page in &pages {
        assert_eq!(deaf.read(page, None).await.body["title"], "Lamp", "who has no token may get what is kept");
        let read = deaf.read(page, Some(Token::of(Context::Catalog, PRODUCT, 2))).await;
        assert_eq!((read.fresh, &read.body["title"]), (true, &json!("Light")), "{page}");
    }
    let read = deaf.read(tree, Some(Token::of(Context::Catalog, CATEGORY, 2))).await;
    assert_eq!((read.fresh, &read.body["categories"][0]["name"]), (true, &json!("Lights")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_cursor_that_lacks_what_the_token_names_is_stale() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "paging").await;
    shop.bulk_all("categories", &[json!({"external_id": "c", "name": "Lamps", "slug": "lamps"})]).await;
    let line = |number: u32| {
        let mut line = product_line(&format!("l-{number}"), &format!("Lamp {number}"));
        line["categories"] = json!(["c"]);
        line
    };
    let before = shop.bulk_all("products", &(0..6).map(line).collect::<Vec<_>>()).await;
    let (search, listing) = ("/v1/search?q=lamp&limit=2&cursor=", "/v1/categories/lamps/products?limit=2");
    let first = shop.read(&format!("{search}*"), Some(&before)).await;
    let listed = shop.read(listing, Some(&before)).await;
    assert!(first.fresh && listed.fresh, "{first:?} {listed:?}");
    let after = shop.bulk_all("products", &[line(6)]).await;
    let next = |read: &Read| read.body["next"].as_str().expect("another page").to_owned();
    for path in [format!("{search}{}", next(&first)), format!("{listing}&cursor={}", next(&listed))] {
        let page = shop.read(&path, Some(&before)).await;
        assert_eq!((page.fresh, &page.body["total"]), (true, &json!(6)), "{page:?}");
        let page = shop.read(&path, Some(&after)).await;
        assert_eq!((page.fresh, &page.body["total"]), (false, &json!(6)), "{page:?}");
    }
}

/// Waits until two nodes have read as much of the document topic.
async fn same_state(one: &Shop, other: &Shop) {
    eventually("both nodes have read as much", PATIENCE, || async {
        let read =
            async |shop: &Shop| shop.read("/v1/search?limit=0&explain=true", None).await.body["index_offsets"].clone();
        let (one, other) = (read(one).await, read(other).await);
        if one == other && one.is_array() { Ok(()) } else { Err(format!("{one} and {other}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_goes_on_at_another_node_or_is_told_that_it_can_not() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "wandering").await;
    shop.bulk_all("categories", &[json!({"external_id": "c", "name": "Lamps", "slug": "lamps"})]).await;
    let line = |number: u32| {
        let mut line = product_line(&format!("l-{number}"), &format!("Lamp {number}"));
        line["categories"] = json!(["c"]);
        line
    };
    let before = shop.bulk_all("products", &(0..6).map(line).collect::<Vec<_>>()).await;
    // One on the same index, and one with a copy of its own: neither counts commits as the first one does.
    let (beside, away) = (Replica::beside(&stack).await, Replica::node(&stack, "away").await);
    let others = [shop.read_from(beside.url()), shop.read_from(away.url())];
    // Of ten at most, the second page is the last: so the other node keeps no state that a later cursor could go on with.
    let paths =
        [("/v1/search?q=lamp&limit=5&cursor=", "*", "hits"), ("/v1/categories/lamps/products?limit=5", "", "products")];
    let ids = |read: &Read, list: &str| {
        let all = read.body[list].as_array().expect("a list").iter();
        all.map(|one| one["external_id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    let page = |path: &str, next: &Read| {
        let separator = if path.ends_with('=') { "" } else { "&cursor=" };
        format!("{path}{separator}{}", next.body["next"].as_str().expect("another page"))
    };
    for other in &others {
        for (path, begin, list) in paths {
            same_state(&shop, other).await;
            let first = shop.read(&format!("{path}{begin}"), Some(&before)).await;
            let second = other.read(&page(path, &first), Some(&before)).await;
            let mut all = [ids(&first, list), ids(&second, list)].concat();
            all.sort_unstable();
            all.dedup();
            assert_eq!((all.len(), &second.body["degraded"]), (6, &json!(null)), "{first:?} {second:?}");
        }
    }
    let mut number = 6;
    for other in &others {
        for (path, begin, list) in paths {
            let first = shop.read(&format!("{path}{begin}"), Some(&before)).await;
            number += 1;
            let after = shop.bulk_all("products", &[line(number)]).await;
            assert!(other.read("/v1/search?limit=0", Some(&after)).await.fresh);
            let second = other.read(&page(path, &first), None).await;
            assert!(second.body["degraded"].is_string(), "{list} of another state: {second:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hot_pages_listings_and_the_tree_are_as_fresh_as_they_say() {
    let stack = TestStack::start(false).await;
    let measured = Measured::try_parse_from([
        "freshness",
        "--pairs=50",
        "--reads=500",
        &format!("--key={}", stack.stack.admin_key().expect("the admin key")),
        &format!("--write-url={}", stack.write_url()),
        &format!("--query-url={}", stack.query_url()),
    ])
    .expect("arguments");
    bench::freshness::run(measured.args).await.expect("nothing stale");
}
