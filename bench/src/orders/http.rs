//! Requests to both sides that come again until somebody answers.

use crate::BenchError;
use reqwest::Method;
use schemas::{
    Uuid,
    token::{TOKEN_HEADER, WAIT_HEADER},
};
use serde_json::Value;
use std::time::{Duration, Instant};

/// From one try to the next.
const AGAIN: Duration = Duration::from_millis(200);
/// How long a request comes again for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Which side is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Write,
    Query,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// The code of a problem.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn is_done(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Somebody who asks a shop.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    http: reqwest::Client,
    urls: [String; 2],
    tenant: String,
    key: String,
}

impl Http {
    pub(crate) fn new(urls: [String; 2], tenant: &str, key: &str) -> Result<Self, BenchError> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(40)).tcp_nodelay(true).build();
        let http = http.map_err(|error| BenchError::Broken(error.to_string()))?;
        Ok(Self { http, urls, tenant: tenant.to_owned(), key: key.to_owned() })
    }

    /// The same by somebody else.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// Sends a command under one key until it is answered.
    pub(crate) async fn command(&self, method: Method, path: &str, body: &Value) -> Result<Answer, BenchError> {
        self.send(Side::Write, method, path, Some(body), &[("idempotency-key", &Uuid::now_v7().to_string())]).await
    }

    /// A command that has to be done.
    pub(crate) async fn done(&self, method: Method, path: &str, body: &Value) -> Result<Value, BenchError> {
        let answer = self.command(method, path, body).await?;
        if answer.is_done() { Ok(answer.body) } else { Err(self.refused(Side::Write, path, &answer)) }
    }

    /// The shop.
    pub(crate) fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Writes many lines, all of which have to be taken.
    pub(crate) async fn bulk(&self, what: &str, lines: &[Value]) -> Result<(), BenchError> {
        let path = format!("/v1/{what}/bulk");
        let url = format!("{}{path}", self.urls[0]);
        let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let request = self.http.post(&url).bearer_auth(&self.key).header("x-tenant-slug", &self.tenant);
        let request = request.header("content-type", "application/x-ndjson").body(body);
        let failed = |reason: String| BenchError::Service { what: "a bulk write", url: url.clone(), reason };
        let response = request.send().await.map_err(|error| failed(error.to_string()))?;
        let text = response.text().await.map_err(|error| failed(error.to_string()))?;
        let last: Value = serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap_or_default();
        if last["summary"]["rejected"] == 0 { Ok(()) } else { Err(failed(text)) }
    }

    /// Reads, and waits for what the token names.
    pub(crate) async fn read(&self, path: &str, token: Option<&str>) -> Result<Answer, BenchError> {
        let headers: Vec<(&str, &str)> =
            token.iter().flat_map(|token| [(TOKEN_HEADER, *token), (WAIT_HEADER, "10000")]).collect();
        self.send(Side::Query, Method::GET, path, None, &headers).await
    }

    pub(crate) fn refused(&self, side: Side, path: &str, answer: &Answer) -> BenchError {
        BenchError::Service {
            what: "an order",
            url: format!("{}{path}", self.urls[usize::from(side == Side::Query)]),
            reason: format!("{} {}", answer.status, answer.body),
        }
    }

    /// Sends until there is an answer that is no failure of the server's.
    pub(crate) async fn send(
        &self,
        side: Side,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Result<Answer, BenchError> {
        let url = format!("{}{path}", self.urls[usize::from(side == Side::Query)]);
        let began = Instant::now();
        loop {
            let mut request = self.http.request(method.clone(), &url).bearer_auth(&self.key);
            request = request.header("x-tenant-slug", &self.tenant);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            let reason = match request.send().await {
                Ok(response) => {
                    let status = response.status().as_u16();
                    match response.json::<Value>().await {
                        Ok(body) if status < 500 && status != 429 => return Ok(Answer { status, body }),
                        Ok(body) => format!("{status} {body}"),
                        Err(_) if status == 204 => return Ok(Answer { status, body: Value::Null }),
                        Err(error) => error.to_string(),
                    }
                }
                Err(error) => error.to_string(),
            };
            if began.elapsed() > PATIENCE {
                return Err(BenchError::Service { what: "an order", url, reason });
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}
