//! A storefront's client that knows two addresses and never asks one of them twice for the same query.

use super::seen::Seen;
use crate::BenchError;
use launcher::key::KeyArgs;
use reqwest::StatusCode;
use schemas::token::{CONSISTENCY_HEADER, TOKEN_HEADER, WAIT_HEADER};
use serde_json::Value;
use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

/// How long the first address may take, and the other after it.
const PATIENCE: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(10)];
/// How long a read with a token may wait on the server; the client waits a little longer.
const WAIT: Duration = Duration::from_secs(20);
const LONGER: Duration = Duration::from_secs(2);
/// For how long an address is asked last after it did not answer.
const AVOIDED: Duration = Duration::from_secs(1);

/// An answer that is none of the server's failures.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Whether it says that it has seen the token.
    pub fresh: bool,
    /// The body.
    pub body: Value,
}

/// A client.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    addresses: [String; 2],
    tenant: String,
    seen: Arc<Seen>,
    /// The address that did not answer, and when.
    avoided: Mutex<Option<(usize, Instant)>>,
}

impl Client {
    /// A client that asks the first of the addresses first.
    ///
    /// # Errors
    /// If there can be no HTTP client.
    pub fn new(addresses: [String; 2], tenant: &str, key: &KeyArgs, seen: &Arc<Seen>) -> Result<Self, BenchError> {
        let headers = key.headers(&addresses.each_ref().map(String::as_str));
        let http = reqwest::Client::builder().default_headers(headers).tcp_nodelay(true).build();
        let http = http.map_err(|error| BenchError::Broken(error.to_string()))?;
        Ok(Self { http, addresses, tenant: tenant.to_owned(), seen: Arc::clone(seen), avoided: Mutex::default() })
    }

    /// Asks a query, with a token to wait for if there is one; none if neither address answers. An address whose answer has
    /// not seen the token is one that did not answer in time.
    pub async fn query(&self, path: &str, token: Option<&str>) -> Option<Answer> {
        self.seen.queries.fetch_add(1, Ordering::Relaxed);
        let mut reasons = Vec::new();
        let mut stale = None;
        for (turn, address) in self.order().into_iter().enumerate() {
            match self.ask(address, path, token, PATIENCE[turn]).await {
                Ok(answer) if answer.fresh => {
                    if turn == 1 {
                        self.seen.by_other.fetch_add(1, Ordering::Relaxed);
                    }
                    return Some(answer);
                }
                Ok(answer) => stale = Some(answer),
                Err(reason) => {
                    *self.avoided.lock().unwrap_or_else(PoisonError::into_inner) = Some((address, Instant::now()));
                    reasons.push(format!("{}: {reason}", self.addresses[address]));
                }
            }
        }
        match &stale {
            Some(answer) => self.seen.stale.add(|| format!("{path}: {} {}", reasons.join("; "), answer.body)),
            None => self.seen.failed.add(|| format!("{path}: {}", reasons.join("; "))),
        }
        stale
    }

    /// Asks one address until it has seen a token, or for so long; for witnesses, who want to know about that one.
    ///
    /// # Errors
    /// What it said last.
    pub async fn until_fresh(
        &self,
        address: usize,
        path: &str,
        token: &str,
        within: Duration,
    ) -> Result<Answer, BenchError> {
        let began = Instant::now();
        loop {
            let reason = match self.ask(address, path, Some(token), PATIENCE[0]).await {
                Ok(answer) if answer.fresh => return Ok(answer),
                Ok(answer) => format!("it is stale: {}", answer.body),
                Err(reason) => reason,
            };
            if began.elapsed() > within {
                let url = format!("{}{path}", self.addresses[address]);
                return Err(BenchError::Service { what: "a read with a token", url, reason });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn order(&self) -> [usize; 2] {
        let avoided = *self.avoided.lock().unwrap_or_else(PoisonError::into_inner);
        match avoided {
            Some((0, at)) if at.elapsed() < AVOIDED => [1, 0],
            _ => [0, 1],
        }
    }

    async fn ask(&self, address: usize, path: &str, token: Option<&str>, patience: Duration) -> Result<Answer, String> {
        let request = self.http.get(format!("{}{path}", self.addresses[address]));
        let mut request = request.header("x-tenant-slug", &self.tenant).timeout(patience);
        if let Some(token) = token {
            let wait = WAIT.as_millis().to_string();
            request = request.header(TOKEN_HEADER, token).header(WAIT_HEADER, wait).timeout(WAIT + LONGER);
        }
        let response = request.send().await.map_err(|error| told(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(|error| told(&error))?;
        // That a product is not there, or not yet, is an answer.
        if status.is_success() || status == StatusCode::NOT_FOUND {
            let fresh = token.is_none() || headers.get(CONSISTENCY_HEADER).is_some_and(|value| value == "fresh");
            return Ok(Answer { fresh, body: serde_json::from_slice(&body).unwrap_or_default() });
        }
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            self.seen.refused(status.as_u16(), &headers, &body);
        }
        Err(format!("{status} {}", String::from_utf8_lossy(&body)))
    }
}

/// An error with its causes, which name what the socket said.
pub fn told(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
