//! Sends lines to the write API's bulk endpoints until each has its answer.
//!
//! Every line is an upsert, so sending one again does no harm. When the connection breaks or the
//! write API is away for a while, only the lines without an answer are sent again.

mod answer;
mod attempt;

pub(crate) use answer::{LineAnswer, LineStatus};
pub(crate) use attempt::told;
use attempt::{Attempt, Failure};

use super::error::ImportError;
use reqwest::header::HeaderMap;
use schemas::{token::Token, topics::Context};
use std::time::{Duration, Instant};

/// How often a line is tried again whose answer was that it may be tried again.
const TRIES_PER_LINE: u32 = 5;

/// The bulk endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bulk {
    Categories,
    Products,
    Prices,
    Stock,
}

impl Bulk {
    const fn path(self) -> &'static str {
        match self {
            Self::Categories => "categories",
            Self::Products => "products",
            Self::Prices => "prices",
            Self::Stock => "stock",
        }
    }

    const fn context(self) -> Context {
        match self {
            Self::Categories | Self::Products => Context::Catalog,
            Self::Prices => Context::Pricing,
            Self::Stock => Context::Inventory,
        }
    }
}

/// What a rejected line means for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OnError {
    /// The others are imported
    Skip,
    /// The lines before it are imported, those after it are not tried
    Stop,
    /// None is imported; all products are written in one transaction
    AllOrNothing,
}

impl OnError {
    const fn parameter(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Stop => "stop",
            Self::AllOrNothing => "all-or-nothing",
        }
    }
}

/// The write API as an import sees it.
#[derive(Debug, Clone)]
pub(crate) struct WriteClient {
    http: reqwest::Client,
    base: String,
    tenant: String,
    retry_for: Duration,
}

/// The answers to lines sent, in their order, and the versions they produced.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) lines: Vec<LineAnswer>,
    pub(crate) token: Token,
}

impl WriteClient {
    pub(crate) fn new(base: &str, tenant: &str, headers: HeaderMap, retry_for: Duration) -> Result<Self, ImportError> {
        // A write API that works on a batch sends something within seconds; a silent one is gone.
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(Duration::from_secs(60))
            .default_headers(headers)
            .build()
            .map_err(|error| ImportError::Broken(error.to_string()))?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), tenant: tenant.to_owned(), retry_for })
    }

    /// Creates the tenant if there is none of that slug.
    pub(crate) async fn open_tenant(&self) -> Result<(), ImportError> {
        let name = self.tenant.replace('-', " ");
        let url = format!("{}/v1/tenants/{}", self.base, self.tenant);
        let mut patience = Patience::new(self);
        loop {
            let sent = self.http.put(&url).json(&serde_json::json!({ "name": name })).send().await;
            match attempt::whole_answer(sent).await {
                Ok(()) => return Ok(()),
                Err(failure) => patience.wait(failure, || format!("the tenant `{}`", self.tenant)).await?,
            }
        }
    }

    /// Sends lines and waits until each is settled.
    pub(crate) async fn send(
        &self,
        bulk: Bulk,
        lines: &[String],
        on_error: OnError,
        dry_run: bool,
    ) -> Result<Answers, ImportError> {
        let mut settled: Vec<Option<LineAnswer>> = vec![None; lines.len()];
        let mut tries = vec![0_u32; lines.len()];
        let mut patience = Patience::new(self);
        let url = format!("{}/v1/{}/bulk?on_error={}&dry_run={dry_run}", self.base, bulk.path(), on_error.parameter());
        loop {
            let open: Vec<usize> = (0..lines.len()).filter(|index| settled[*index].is_none()).collect();
            if open.is_empty() {
                return Ok(collected(bulk, settled));
            }
            let body = open.iter().flat_map(|index| [lines[*index].as_str(), "\n"]).collect::<String>();
            let request = self.http.post(&url).header("x-tenant-slug", &self.tenant);
            let Attempt { answers, failure } =
                attempt::bulk(request.header("content-type", "application/x-ndjson").body(body)).await;
            // One transaction answers for all of its lines or for none.
            if on_error != OnError::AllOrNothing || failure.is_none() {
                let mut moved = false;
                for answer in answers {
                    let Some(index) = answer.line.checked_sub(1).and_then(|at| open.get(at)).copied() else { continue };
                    tries[index] += 1;
                    if on_error == OnError::Skip && answer.is_temporary() && tries[index] < TRIES_PER_LINE {
                        continue;
                    }
                    settled[index] = Some(answer);
                    moved = true;
                }
                if moved {
                    patience = Patience::new(self);
                }
            }
            let open_still = settled.iter().any(Option::is_none);
            if let Some(failure) = failure {
                patience.wait(failure, || format!("a batch of {}", bulk.path())).await?;
            } else if open_still {
                let failure = Failure::Temporary("some lines were left for later".to_owned());
                patience.wait(failure, || format!("a batch of {}", bulk.path())).await?;
            }
        }
    }
}

fn collected(bulk: Bulk, settled: Vec<Option<LineAnswer>>) -> Answers {
    let mut answers = Answers::default();
    for answer in settled.into_iter().flatten() {
        if let (Some(id), Some(version)) = (answer.id, answer.version) {
            answers.token.add(bulk.context(), id, version);
        }
        answers.lines.push(answer);
    }
    answers
}

/// Waits between attempts, longer each time, until it has been too long.
struct Patience<'a> {
    client: &'a WriteClient,
    since: Instant,
    next: Duration,
    defects: u32,
}

impl<'a> Patience<'a> {
    fn new(client: &'a WriteClient) -> Self {
        Self { client, since: Instant::now(), next: Duration::from_millis(50), defects: 0 }
    }

    async fn wait(&mut self, failure: Failure, what: impl Fn() -> String) -> Result<(), ImportError> {
        let reason = match failure {
            Failure::Refused(reason) => return Err(ImportError::Refused { what: what(), reason }),
            Failure::Defect(reason) if self.defects == 3 => return Err(ImportError::Refused { what: what(), reason }),
            Failure::Defect(reason) => {
                self.defects += 1;
                reason
            }
            Failure::Temporary(reason) => reason,
        };
        if self.since.elapsed() + self.next > self.client.retry_for {
            let (url, seconds) = (self.client.base.clone(), self.client.retry_for.as_secs());
            return Err(ImportError::Unreachable { url, seconds, reason });
        }
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(Duration::from_secs(2));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
