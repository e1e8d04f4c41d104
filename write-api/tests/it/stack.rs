//! A write API on a port of its own, with a database of its own.

use clap::Parser;
use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use schemas::{Timestamp, Uuid};
use serde_json::{Value, json};
use service::shutdown::Shutdown;
use sqlx::PgPool;
use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicI64, Ordering},
};
use test_databases::{Side, TestDatabase};
use tokio::task::JoinHandle;
use write_api::clock::{Clock, SystemClock};

/// The machine's clock, ahead by as many hours as it is set to.
#[derive(Debug, Default)]
pub(crate) struct Ahead(pub(crate) AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now()
            + std::time::Duration::from_secs(3_600) * u32::try_from(self.0.load(Ordering::Relaxed)).unwrap()
    }

    fn id(&self) -> Uuid {
        SystemClock.id()
    }

    fn secret(&self) -> [u8; 32] {
        SystemClock.secret()
    }
}

pub(crate) struct Stack {
    pub(crate) base: String,
    pub(crate) http: Client,
    pub(crate) pool: PgPool,
    shutdown: Shutdown,
    server: JoinHandle<()>,
    _database: TestDatabase,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn id(&self) -> String {
        self.body["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn pointers(&self) -> Vec<&str> {
        self.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect()
    }
}

impl Stack {
    /// With the tenant `demo`.
    pub(crate) async fn start() -> Self {
        Self::by(Arc::new(SystemClock)).await
    }

    /// The same, by the time of this clock.
    pub(crate) async fn by(clock: Arc<dyn Clock>) -> Self {
        Self::set_up(clock, &[]).await
    }

    /// The same, with these flags.
    pub(crate) async fn with(flags: &[&str]) -> Self {
        Self::set_up(Arc::new(SystemClock), flags).await
    }

    /// The same, by the time of this clock, with these flags.
    pub(crate) async fn at_time(clock: Arc<dyn Clock>, flags: &[&str]) -> Self {
        Self::set_up(clock, flags).await
    }

    async fn set_up(clock: Arc<dyn Clock>, flags: &[&str]) -> Self {
        let admin_url = std::env::var("SOUK_TEST_DATABASE_URL")
            .unwrap_or_else(|_| "postgres://souk@127.0.0.1:54329/postgres".to_owned());
        let database = TestDatabase::create(&admin_url, Side::Write).await.unwrap_or_else(|error| {
            unreachable!("no database: {error}. Start a PostgreSQL, or set SOUK_TEST_DATABASE_URL")
        });
        let url = database.url();
        let pool = PgPool::connect(&url).await.unwrap();

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let args = ["write-api", "--write-database-url", &url, "--admin-key", KEY];
        let config = write_api::config::Config::parse_from(args.iter().chain(flags));
        let shutdown = Shutdown::default();
        let serving = write_api::serve(listener, config, clock, shutdown.clone());
        let server = tokio::spawn(async move { serving.await.unwrap() });
        let stack = Self { base, http: client(), pool, shutdown, server, _database: database };
        let opened = stack.put("/v1/tenants/demo", json!({"name": "Demo"})).await;
        assert_eq!(opened.status, 201);
        stack
    }

    /// Stops the service; the database is dropped with it.
    pub(crate) async fn stop(self) {
        drop(self.http);
        self.shutdown.trigger();
        self.server.await.unwrap();
        self.pool.close().await;
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).header("x-tenant-slug", "demo")
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        sent(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        sent(self.request(Method::PUT, path).json(&body)).await
    }

    /// Opens another tenant.
    pub(crate) async fn open(&self, slug: &str) -> Answer {
        let url = format!("{}/v1/tenants/{slug}", self.base);
        sent(self.http.put(url).json(&json!({"name": slug}))).await
    }

    /// A command for a version.
    pub(crate) async fn at(&self, method: Method, path: &str, version: u64, body: Value) -> Answer {
        sent(self.request(method, path).header("if-match", format!("\"{version}\"")).json(&body)).await
    }

    /// The answer lines and the summary.
    pub(crate) async fn bulk(&self, path: &str, lines: &[Value]) -> (Vec<Value>, Value) {
        let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
        answers(self.request(Method::POST, path).body(body)).await
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }
}

/// The answer; a problem must be one that the OpenAPI document lists for the route.
pub(crate) async fn sent(request: RequestBuilder) -> Answer {
    let (http, request) = request.build_split();
    let request = request.unwrap();
    let (method, path) = (request.method().as_str().to_lowercase(), request.url().path().to_owned());
    let response = http.execute(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let answer = Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) };
    if status >= 400 && problems(&method, &path, status).is_some_and(|codes| !codes.contains(&answer.code())) {
        unreachable!("the OpenAPI document does not list for {method} {path}: {answer:?}");
    }
    answer
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi/write-api.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
});

/// The codes that the document lists for a status of a route; nothing if there is no such route.
fn problems(method: &str, path: &str, status: u16) -> Option<Vec<&'static str>> {
    let fits = |template: &str| {
        let (wanted, asked) = (template.split('/'), path.split('/'));
        template.matches('/').count() == path.matches('/').count()
            && wanted.zip(asked).all(|(wanted, asked)| wanted == asked || wanted.starts_with('{'))
    };
    // A route without parameters goes before one with.
    let mut routes: Vec<&String> = DOCUMENT["paths"].as_object()?.keys().filter(|template| fits(template)).collect();
    routes.sort_by_key(|template| template.matches('{').count());
    let responses = &DOCUMENT["paths"].get(routes.first()?)?.get(method)?["responses"];
    let examples = &responses[status.to_string()]["content"]["application/problem+json"]["examples"];
    Some(examples.as_object().into_iter().flatten().map(|(code, _)| code.as_str()).collect())
}

/// The answer lines of a bulk write and its summary.
pub(crate) async fn answers(request: RequestBuilder) -> (Vec<Value>, Value) {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let text = response.text().await.unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = lines.pop().unwrap();
    assert!(summary["summary"].is_object(), "{summary}");
    (lines, summary["summary"].clone())
}

pub(crate) fn product(external_id: &str) -> Value {
    json!({"external_id": external_id, "title": format!("Product {external_id}"), "variants": [{"sku": format!("sku-{external_id}")}]})
}

/// The key of the administrator that the tests are.
const KEY: &str = "the-administrator-of-a-test";

fn client() -> Client {
    Client::builder().default_headers(access::key::header(Some(KEY))).build().unwrap()
}
