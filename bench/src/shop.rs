//! One shop over HTTP: products written, and searched for.

use crate::BenchError;
use launcher::key::KeyArgs;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, Response};
use schemas::{
    Uuid,
    problem::Problem,
    token::{CONSISTENCY_HEADER, TOKEN_HEADER, WAIT_HEADER},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Where a shop is.
#[derive(Debug, Clone, clap::Args)]
pub struct ShopArgs {
    /// Slug of the tenant to write into; created if it does not exist
    #[arg(long, default_value = "bench")]
    pub tenant: String,
    /// Address of write-api
    #[arg(long, env = "SOUK_WRITE_URL", default_value = "http://127.0.0.1:8080")]
    pub write_url: String,
    /// Address of query-api
    #[arg(long, env = "SOUK_QUERY_URL", default_value = "http://127.0.0.1:8081")]
    pub query_url: String,
    /// Who asks
    #[command(flatten)]
    pub key: KeyArgs,
}

impl ShopArgs {
    /// The headers of every request.
    pub(crate) fn headers(&self) -> HeaderMap {
        self.key.headers(&[&self.write_url, &self.query_url])
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Shop {
    http: reqwest::Client,
    args: ShopArgs,
}

/// The answer of a command.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Written {
    pub(crate) id: Uuid,
    pub(crate) version: u64,
    pub(crate) token: String,
}

/// The answer of a search.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Whether it says that it has seen the token; always true without one.
    pub(crate) fresh: bool,
    pub(crate) hits: Vec<Hit>,
}

/// The answer of a read.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Whether it says that it has seen the token.
    pub(crate) fresh: bool,
    pub(crate) body: Value,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Hit {
    pub(crate) id: Uuid,
    pub(crate) title: String,
}

#[derive(Deserialize)]
struct Page {
    hits: Vec<Hit>,
}

impl Shop {
    /// Opens the shop on both sides.
    pub(crate) async fn open(args: &ShopArgs) -> Result<Self, BenchError> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .tcp_nodelay(true)
            .default_headers(args.headers())
            .build()
            .map_err(|error| BenchError::Broken(error.to_string()))?;
        let shop = Self { http, args: args.clone() };
        let slug = &shop.args.tenant;
        let put = shop.write(Method::PUT, &format!("tenants/{slug}")).json(&json!({ "name": slug }));
        shop.answer("opening the shop", put).await?;
        shop.until_known().await?;
        Ok(shop)
    }

    /// A shop that was just opened is on its way to the read side.
    async fn until_known(&self) -> Result<(), BenchError> {
        let began = Instant::now();
        loop {
            match self.search("anything", 1, None).await {
                Err(error) if began.elapsed() > Duration::from_secs(30) => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                Ok(_) => return Ok(()),
            }
        }
    }

    /// Creates and publishes a product; the answer is that of publishing.
    pub(crate) async fn create(&self, sku: &str, title: &str) -> Result<Written, BenchError> {
        let created = self.command(self.write(Method::POST, "products").json(&content(sku, title))).await?;
        self.publish(&created).await
    }

    pub(crate) async fn publish(&self, product: &Written) -> Result<Written, BenchError> {
        self.moved(product, "publish").await
    }

    pub(crate) async fn archive(&self, product: &Written) -> Result<Written, BenchError> {
        self.moved(product, "archive").await
    }

    async fn moved(&self, product: &Written, how: &str) -> Result<Written, BenchError> {
        let request = self.write(Method::POST, &format!("products/{}/{how}", product.id));
        self.command(request.header("if-match", etag(product.version))).await
    }

    /// Gives a product another title.
    pub(crate) async fn retitle(&self, product: &Written, sku: &str, title: &str) -> Result<Written, BenchError> {
        let request = self.write(Method::PUT, &format!("products/{}", product.id)).json(&content(sku, title));
        self.command(request.header("if-match", etag(product.version))).await
    }

    /// Searches for a word, and waits for what the token names if there is one.
    pub(crate) async fn search(&self, word: &str, limit: u32, token: Option<&str>) -> Result<Found, BenchError> {
        let limit = limit.to_string();
        let request = self.http.get(format!("{}/v1/search", self.args.query_url.trim_end_matches('/')));
        let request = request.query(&[("q", word), ("limit", limit.as_str()), ("mode", "lexical")]);
        let mut request = request.header("x-tenant-slug", &self.args.tenant);
        if let Some(token) = token {
            request = request.header(TOKEN_HEADER, token).header(WAIT_HEADER, "10000");
        }
        let response = self.answer("a search", request).await?;
        let header = response.headers().get(CONSISTENCY_HEADER);
        let fresh = token.is_none() || header.is_some_and(|value| value == "fresh");
        let page: Page = self.body("a search", response).await?;
        Ok(Found { fresh, hits: page.hits })
    }

    /// How many products can be found.
    pub(crate) async fn count(&self) -> Result<u64, BenchError> {
        let request = self.http.get(format!("{}/v1/search", self.args.query_url.trim_end_matches('/')));
        let request = request.query(&[("limit", "0")]).header("x-tenant-slug", &self.args.tenant);
        let response = self.answer("a search", request).await?;
        let body: Value = self.body("a search", response).await?;
        Ok(body["total"].as_u64().unwrap_or_default())
    }

    /// A read of the path below `/v1/`, and waits for what the token names if there is one.
    pub(crate) async fn read(&self, path: &str, token: Option<&str>) -> Result<Answer, BenchError> {
        let request = self.http.get(format!("{}/v1/{path}", self.args.query_url.trim_end_matches('/')));
        let mut request = request.header("x-tenant-slug", &self.args.tenant);
        if let Some(token) = token {
            request = request.header(TOKEN_HEADER, token).header(WAIT_HEADER, "10000");
        }
        let response = self.answer("a read", request).await?;
        let fresh = response.headers().get(CONSISTENCY_HEADER).is_some_and(|value| value == "fresh");
        Ok(Answer { fresh, body: self.body("a read", response).await? })
    }

    /// A search that is asked in JSON.
    pub(crate) async fn ask(&self, body: &Value) -> Result<Value, BenchError> {
        let request = self.http.post(format!("{}/v1/search", self.args.query_url.trim_end_matches('/')));
        let response = self.answer("a search", request.header("x-tenant-slug", &self.args.tenant).json(body)).await?;
        self.body("a search", response).await
    }

    /// Writes products, prices or categories, one on each line; gives the token of all of them.
    pub(crate) async fn bulk(&self, what: &str, lines: String) -> Result<String, BenchError> {
        let request = self.write(Method::POST, &format!("{what}/bulk?on_error=skip"));
        let request = request.header("content-type", "application/x-ndjson").body(lines);
        let response = self.answer("a bulk write", request).await?;
        let url = response.url().to_string();
        let failed = |reason: String| BenchError::Service { what: "a bulk write", url: url.clone(), reason };
        let text = response.text().await.map_err(|error| failed(error.to_string()))?;
        let last: Value =
            serde_json::from_str(text.lines().last().unwrap_or_default()).map_err(|error| failed(error.to_string()))?;
        last["summary"]["token"].as_str().map(str::to_owned).ok_or_else(|| failed("no token".to_owned()))
    }

    /// A command under a key, whatever it is answered; gives the status.
    pub(crate) async fn try_command(&self, path: &str, key: &str, body: &Value) -> Result<u16, BenchError> {
        let request = self.write(Method::POST, path).header("idempotency-key", key).json(body);
        let response = request.send().await.map_err(|error| BenchError::Service {
            what: "a command",
            url: error.url().map(ToString::to_string).unwrap_or_default(),
            reason: error.to_string(),
        })?;
        let status = response.status().as_u16();
        // Read to its end, so that the connection is used again.
        let _ = response.bytes().await;
        Ok(status)
    }

    fn write(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/v1/{path}", self.args.write_url.trim_end_matches('/'));
        self.http.request(method, url).header("x-tenant-slug", &self.args.tenant)
    }

    async fn command(&self, request: RequestBuilder) -> Result<Written, BenchError> {
        let response = self.answer("a command", request).await?;
        self.body("a command", response).await
    }

    async fn answer(&self, what: &'static str, request: RequestBuilder) -> Result<Response, BenchError> {
        let response = request.send().await.map_err(|error| BenchError::Service {
            what,
            url: error.url().map(ToString::to_string).unwrap_or_default(),
            reason: format!("{error}. Is souk running? See `./souk status`"),
        })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (url, status) = (response.url().to_string(), response.status());
        let body = response.bytes().await.unwrap_or_default();
        let reason = match serde_json::from_slice::<Problem>(&body) {
            Ok(Problem { status, code, title, detail, .. }) => format!("{status} {code}: {}", detail.unwrap_or(title)),
            Err(_) => status.to_string(),
        };
        Err(BenchError::Service { what, url, reason })
    }

    async fn body<T: serde::de::DeserializeOwned>(
        &self,
        what: &'static str,
        response: Response,
    ) -> Result<T, BenchError> {
        let url = response.url().to_string();
        response.json().await.map_err(|error| BenchError::Service { what, url, reason: error.to_string() })
    }
}

fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

fn content(sku: &str, title: &str) -> Value {
    json!({ "slug": sku, "external_id": sku, "title": title, "variants": [{ "sku": sku }] })
}
