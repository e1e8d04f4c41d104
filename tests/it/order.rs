//! What is lost on the way, too large for it, given up, or held by a leader that hangs: it stops nobody else, and nothing
//! is applied out of turn.

use acceptance::{
    builders::{price_line, product_line, stock_line},
    eventually::eventually,
    operator::Operator,
    quiet::until_quiet,
    shop::{PATIENCE, Shop},
    stack::{TestStack, programs},
};
use launcher::{passwords::Role, stack::Service, suite};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::process::{Child, Command, Stdio};

/// Adds an event to an outbox that is a copy of the newest one, with a later version and a part of its payload replaced.
async fn copy(stack: &TestStack, context: &str, later: i64, replaced: (&str, &str), is_lost: bool) {
    let sql = format!(
        "INSERT INTO {context}.outbox (event_id, tenant_id, event_type, aggregate, aggregate_id, version, partition_id, payload,
                                       occurred_at, correlation_id, published_at)
         SELECT gen_random_uuid(), tenant_id, event_type, aggregate, aggregate_id, version + $1, partition_id,
                replace(payload, $2, $3), now(), 'copy', CASE WHEN $4 THEN now() END
         FROM {context}.outbox ORDER BY id DESC LIMIT 1"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(later)
        .bind(replaced.0)
        .bind(replaced.1)
        .bind(is_lost)
        .execute(&stack.write)
        .await
        .expect("copied");
}

async fn stock(stack: &TestStack) -> Value {
    let body: String = sqlx::query_scalar("SELECT body FROM sources WHERE context = 'inventory'")
        .fetch_one(&stack.read)
        .await
        .expect("a level");
    serde_json::from_str(&body).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_never_came_is_taken_from_the_outbox() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "gaps").await;
    shop.bulk_all("products", &[product_line("lamp", "Lamp")]).await;
    shop.bulk_all("stock", &[stock_line("lamp", 3)]).await;
    until_quiet(&stack).await;
    // The broker acknowledged the stock of one location and lost it; another location's comes after it.
    copy(&stack, "inventory", 1, ("\"main\"", "\"berlin\""), true).await;
    copy(&stack, "inventory", 1, ("\"berlin\"", "\"paris\""), false).await;
    eventually("every location is known", PATIENCE, || async {
        let known = stock(&stack).await;
        if known == json!({"main": 3, "berlin": 3, "paris": 3}) { Ok(()) } else { Err(known.to_string()) }
    })
    .await;
    let letters: i64 =
        sqlx::query_scalar("SELECT count(*) FROM dead_letters").fetch_one(&stack.read).await.expect("counted");
    assert_eq!(letters, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_event_of_a_product_can_be_given_up() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "given-up").await;
    shop.bulk_all("products", &[product_line("lamp", "Lamp")]).await;
    shop.bulk_all("prices", &[price_line("lamp", 900)]).await;
    until_quiet(&stack).await;
    copy(&stack, "pricing", 1, ("\"entries\"", "\"nonsense\""), false).await;
    let letter = eventually("it is parked", PATIENCE, || async {
        let found: Option<i64> = sqlx::query_scalar("SELECT id FROM dead_letters WHERE state = 'parked'")
            .fetch_optional(&stack.read)
            .await
            .map_err(|error| error.to_string())?;
        found.ok_or_else(|| "nothing".to_owned())
    })
    .await;
    let operator = Operator::of(&stack);
    operator.does(&["dead-letters", "discard", &letter.to_string(), "--reason", "of a test"]).await;
    let write = stack.stack.settings.write_url_as(Role::Reindex);
    eventually("the views have gone past it", PATIENCE, || async {
        let version: i64 = sqlx::query_scalar("SELECT version FROM sources WHERE context = 'pricing'")
            .fetch_one(&stack.read)
            .await
            .map_err(|error| error.to_string())?;
        if version == 2 { Ok(()) } else { Err(format!("version {version}")) }
    })
    .await;
    let looked = operator.does(&["reconcile", "--all", "--settle", "0", "--write-database-url", write.as_str()]).await;
    assert_eq!(looked["hops"]["views"]["wrong"], 0, "{looked}");
    // The next price is applied as usual.
    copy(&stack, "pricing", 1, ("\"nonsense\"", "\"entries\""), false).await;
    until_quiet(&stack).await;
    let letters: Vec<String> =
        sqlx::query_scalar("SELECT state FROM dead_letters").fetch_all(&stack.read).await.expect("letters");
    assert_eq!(letters, ["discarded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_the_log_never_takes_is_refused() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "sizes").await;
    let attributes: Vec<(String, Value)> =
        (0..120).map(|number| (format!("a{number}"), Value::String("x".repeat(9_500)))).collect();
    let product = json!({
        "external_id": "huge", "title": "Huge", "attributes": Value::Object(attributes.into_iter().collect()),
        "variants": [{"sku": "SKU-huge"}],
    });
    let answer = shop.request(Method::POST, "/v1/products").json(&product).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let problem: Value = answer.json().await.expect("a problem");
    assert_eq!(problem["code"], "too_large");
    let detail = problem["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("its largest part is /content/attributes"), "{detail}");
    let token = shop.bulk_all("products", &[product_line("lamp", "Lamp")]).await;
    assert_eq!(shop.search("lamp", &token).await.titles(), ["Lamp"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_kafka_never_takes_holds_up_no_other() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "records").await;
    shop.bulk_all("products", &[product_line("lamp", "Lamp")]).await;
    until_quiet(&stack).await;
    let huge = format!("\"{}", "x".repeat(6 << 20));
    copy(&stack, "catalog", 1, ("\"", &huge), false).await;
    let token = shop.bulk_all("products", &[product_line("chair", "Chair")]).await;
    assert_eq!(shop.search("chair", &token).await.titles(), ["Chair"]);
    let (projection, state, partition): (String, String, i32) =
        sqlx::query_as("SELECT projection, state, partition FROM dead_letters")
            .fetch_one(&stack.read)
            .await
            .expect("one dead letter");
    assert_eq!((projection.as_str(), state.as_str(), partition), ("relay:catalog", "parked", -1));
}

/// Another projector of the same stack, which ends with it.
struct Standby(Child, String);

impl Standby {
    fn start(stack: &TestStack) -> Self {
        let listen = format!("127.0.0.1:{}", suite::free_port().expect("a port"));
        let settings = &stack.stack.settings;
        let mut projector = Command::new(programs().join("projector"));
        projector.args(["--roles", "relay,views", "--node", "standby", "--projector-listen", &listen]);
        projector.env("SOUK_READ_DATABASE_URL", settings.read_url_as(Role::Projector));
        projector.env("SOUK_WRITE_DATABASE_URL", settings.write_url_as(Role::Projector));
        projector.args(["--kafka-brokers", &settings.brokers()]);
        projector.arg(format!("--topic-prefix={}", settings.topic_prefix));
        projector.arg("--archive-dir").arg(settings.data_dir.join("archive"));
        projector.envs(stack.kafka_security().environment());
        let child = projector.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        Self(child, format!("http://{listen}/health/ready"))
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        // One that has ended can't be killed any more.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn signal(pid: i32, name: &str) {
    let sent = Command::new("kill").args([name, &pid.to_string()]).status().expect("sent");
    assert!(sent.success(), "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_hangs_is_replaced() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "hang").await;
    let standby = Standby::start(&stack);
    eventually("the standby is ready, though it leads nothing", PATIENCE, || async {
        let answer = reqwest::get(&standby.1).await.map_err(|error| error.to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(answer.text().await.unwrap_or_default()) }
    })
    .await;
    let leader = stack.stack.processes.running(Service::Projector.name()).expect("it runs").pid;
    signal(leader, "-STOP");
    let page = |shop: Shop, token: String, id: &'static str| async move {
        shop.read(&format!("/v1/products/by-external-id/{id}"), Some(&token)).await
    };
    let token = shop.bulk_all("products", &[product_line("lamp", "Lamp")]).await;
    let read = page(shop.clone(), token, "lamp").await;
    assert!(read.fresh && read.status == StatusCode::OK, "another projector has taken over: {read:?}");
    signal(leader, "-CONT");
    let token = shop.bulk_all("products", &[product_line("chair", "Chair")]).await;
    let read = page(shop.clone(), token, "chair").await;
    assert!(read.fresh && read.status == StatusCode::OK, "{read:?}");
    until_quiet(&stack).await;
    let letters: i64 =
        sqlx::query_scalar("SELECT count(*) FROM dead_letters").fetch_one(&stack.read).await.expect("counted");
    assert_eq!(letters, 0);
}
