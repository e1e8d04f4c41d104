//! Staff who write until they are told that it is done, each command under an idempotency key of its own.

use super::{
    client::told,
    ledger::{Fact, Ledger, Shown},
    seen::Seen,
};
use crate::{BenchError, words::Words};
use launcher::key::KeyArgs;
use reqwest::{Method, StatusCode};
use schemas::{Uuid, topics::Context};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How long an answer may take before the command is sent again under the same key.
const PATIENCE: Duration = Duration::from_secs(4);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(200);
/// After this long without an acknowledgement something is broken for good.
const GIVES_UP: Duration = Duration::from_secs(300);
/// The price of revision 0, in cents: with as many digits as no other number of an event has.
const PRICE: u64 = 7_100_000_000;

/// Who writes.
#[derive(Debug, Clone)]
pub struct BackOffice {
    http: reqwest::Client,
    url: String,
    tenant: String,
    ledger: Arc<Ledger>,
    seen: Arc<Seen>,
    words: Words,
    commands: Arc<AtomicU64>,
}

/// A product that one writer changes.
#[derive(Debug, Clone)]
pub struct Product {
    /// The product.
    pub id: Uuid,
    /// What is to be seen of it.
    pub shown: Shown,
    version: u64,
    variant: Uuid,
}

/// The answer of a command.
#[derive(Debug, Deserialize)]
pub(super) struct Acknowledged {
    /// The aggregate.
    pub(super) id: Uuid,
    /// Its version after the command.
    pub(super) version: u64,
    token: String,
    #[serde(default)]
    variants: Vec<Variant>,
}

#[derive(Debug, Deserialize)]
struct Variant {
    id: Uuid,
}

impl BackOffice {
    /// Opens the shop at write-api.
    ///
    /// # Errors
    /// If write-api refuses.
    pub async fn open(
        url: &str,
        key: &KeyArgs,
        tenant: &str,
        ledger: &Arc<Ledger>,
        seen: &Arc<Seen>,
    ) -> Result<Self, BenchError> {
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .default_headers(key.headers(&[url]))
            .tcp_nodelay(true)
            .build()
            .map_err(|error| BenchError::Broken(error.to_string()))?;
        let (ledger, seen) = (Arc::clone(ledger), Arc::clone(seen));
        let office = Self {
            http,
            url: url.to_owned(),
            tenant: tenant.to_owned(),
            ledger,
            seen,
            words: Words::new(),
            commands: Arc::default(),
        };
        office.until_acknowledged(Method::PUT, &format!("tenants/{tenant}"), None, &json!({ "name": tenant })).await?;
        Ok(office)
    }

    /// Creates and publishes a product.
    ///
    /// # Errors
    /// If write-api refuses for good.
    pub async fn create(&self) -> Result<Product, BenchError> {
        let word = self.word();
        let done = self.until_acknowledged(Method::POST, "products", None, &content(&word, 0)).await?;
        let variant = done.variants.first().map(|variant| variant.id);
        let variant =
            variant.ok_or_else(|| BenchError::Failed("a product was created without a variant".to_owned()))?;
        // It is published by an event of its own, without the title.
        self.note(Context::Catalog, &done, String::new());
        let shown = Shown { word, title: 0, title_token: done.token, price: None };
        self.ledger.show(done.id, shown.clone());
        Ok(Product { id: done.id, shown, version: done.version, variant })
    }

    /// Gives a product the next title.
    ///
    /// # Errors
    /// If write-api refuses for good.
    pub async fn retitle(&self, product: &mut Product) -> Result<(), BenchError> {
        let (path, revision) = (format!("products/{}", product.id), product.shown.title + 1);
        let (body, version) = (content(&product.shown.word, revision), format!("\"{}\"", product.version));
        let done = self.until_acknowledged(Method::PUT, &path, Some(&version), &body).await?;
        self.note(Context::Catalog, &done, title(&product.shown.word, revision));
        (product.version, product.shown.title, product.shown.title_token) = (done.version, revision, done.token);
        self.ledger.show(product.id, product.shown.clone());
        Ok(())
    }

    /// Gives a product the next price.
    ///
    /// # Errors
    /// If write-api refuses for good.
    pub async fn reprice(&self, product: &mut Product) -> Result<(), BenchError> {
        let price = product.shown.price.as_ref().map_or(PRICE, |(price, _)| price + 1);
        let body = json!({"entries": [{"currency": "USD", "list_amount": price}]});
        let path = format!("variants/{}/prices", product.variant);
        let done = self.until_acknowledged(Method::PUT, &path, Some("*"), &body).await?;
        self.note(Context::Pricing, &done, price.to_string());
        product.shown.price = Some((price, done.token));
        self.ledger.show(product.id, product.shown.clone());
        Ok(())
    }

    /// A word that no other product has.
    pub(super) fn word(&self) -> String {
        // Drawn, not looked at: two writers at once would create the same product.
        self.words.word(self.commands.fetch_add(1, Ordering::Relaxed))
    }

    /// Records a command that was acknowledged.
    pub(super) fn note(&self, context: Context, done: &Acknowledged, mark: String) {
        self.seen.acknowledged.fetch_add(1, Ordering::Relaxed);
        self.ledger.record(Fact { context, aggregate: done.id, version: done.version, mark });
    }

    /// Sends a command until it is acknowledged; what was not answered is sent again under the same key.
    ///
    /// # Errors
    /// If write-api refuses for good.
    pub(super) async fn until_acknowledged(
        &self,
        method: Method,
        path: &str,
        if_match: Option<&str>,
        body: &Value,
    ) -> Result<Acknowledged, BenchError> {
        let (began, url) = (Instant::now(), format!("{}/v1/{path}", self.url));
        let key = format!("chaos-{}", self.word());
        loop {
            let mut request = self.http.request(method.clone(), &url).header("x-tenant-slug", &self.tenant);
            request = request.header("idempotency-key", &key).json(body);
            if let Some(version) = if_match {
                request = request.header("if-match", version);
            }
            match self.attempt(request).await {
                Ok(done) => return Ok(done),
                Err((true, _)) if began.elapsed() < GIVES_UP => tokio::time::sleep(PAUSE).await,
                Err((_, reason)) => return Err(BenchError::Service { what: "a command", url, reason }),
            }
        }
    }

    /// One attempt; an error says whether another may help.
    async fn attempt(&self, request: reqwest::RequestBuilder) -> Result<Acknowledged, (bool, String)> {
        let response = request.send().await.map_err(|error| (true, told(&error)))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(|error| (true, told(&error)))?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| (false, error.to_string()));
        }
        // With the same key: the attempt before this one may be under way still.
        let is_under_way =
            || serde_json::from_slice::<Value>(&body).is_ok_and(|problem| problem["code"] == "idempotency_in_progress");
        let for_now = status.is_server_error()
            || status == StatusCode::TOO_MANY_REQUESTS
            || (status == StatusCode::CONFLICT && is_under_way());
        if for_now {
            self.seen.refused(status.as_u16(), &headers, &body);
        }
        Err((for_now, format!("{status} {}", String::from_utf8_lossy(&body))))
    }
}

/// The title of a revision.
pub fn title(word: &str, revision: u64) -> String {
    format!("Chaos {word} r{revision}")
}

/// The revision that a title names.
pub fn revision(title: &Value) -> Option<u64> {
    title.as_str()?.rsplit_once(" r")?.1.parse().ok()
}

fn content(word: &str, revision: u64) -> Value {
    json!({
        "slug": word, "external_id": word, "title": title(word, revision), "variants": [{ "sku": word }], "publish": true,
        "description": "a thing that is renamed and given another price while all around it breaks",
    })
}
