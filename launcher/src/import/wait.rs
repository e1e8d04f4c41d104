//! Waits until the read side shows what was imported: the documents in search, then the vectors.

use super::{error::ImportError, progress::Progress, report};
use reqwest::header::HeaderMap;
use schemas::token::{CONSISTENCY_HEADER, TOKEN_HEADER, Token, WAIT_HEADER};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

/// Entries of a token sent in one header: about 8 KiB of it.
const ENTRIES_PER_REQUEST: usize = 300;
/// How long the read side may be away or stand still before it is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// What to wait for at the end of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum WaitFor {
    /// Every product is found by lexical search
    Searchable,
    /// Every product has its vector, too
    Vectors,
}

/// How long the read side took.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Waited {
    /// Milliseconds from the last write's answer until everything was searchable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub searchable_ms: Option<u64>,
    /// What the embedding writer did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vectors: Option<Vectors>,
}

/// The embedding writer's part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vectors {
    /// Seconds from the last write's answer until every product had its vector.
    pub vectors_seconds: f64,
    /// Documents that were still without one when the last write was answered.
    pub vectors_left: u64,
    /// Of these, per second.
    pub vectors_per_second: f64,
}

impl fmt::Display for Vectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "all vectors {} after the last write: {} documents were left then, {:.1} documents/s \
             (`souk bench embed` measures the model alone)",
            report::duration(Duration::from_secs_f64(self.vectors_seconds)),
            report::grouped(self.vectors_left),
            self.vectors_per_second
        )
    }
}

/// The query API as an import sees it.
pub(crate) struct ReadSide {
    http: reqwest::Client,
    base: String,
    tenant: String,
}

impl ReadSide {
    pub(crate) fn new(base: &str, tenant: &str, headers: HeaderMap) -> Result<Self, ImportError> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(30))
            .default_headers(headers)
            .build()
            .map_err(|error| ImportError::Broken(error.to_string()))?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), tenant: tenant.to_owned() })
    }

    /// Returns when a search has seen everything the tokens name, oldest first: what is there is checked
    /// while the rest is on its way.
    pub(crate) async fn until_searchable(&self, tokens: &[Token]) -> Result<(), ImportError> {
        let mut progress = Progress::begin("becoming searchable", tokens.len() as u64);
        for (done, token) in tokens.iter().enumerate() {
            // A few entries are waited for, so that waiting costs the read side little; then all are checked.
            for part in std::iter::once(probe(token)).chain(parts(token)) {
                self.until_fresh(&part.to_string()).await?;
            }
            progress.at(done as u64 + 1, tokens.len() as u64, done as u64 + 1, "batches");
        }
        progress.end();
        Ok(())
    }

    async fn until_fresh(&self, token: &str) -> Result<(), ImportError> {
        let began = Instant::now();
        loop {
            let request = self.http.get(format!("{}/v1/search", self.base));
            let request = request.query(&[("q", "anything"), ("limit", "1"), ("mode", "lexical")]);
            let request = request.header(TOKEN_HEADER, token).header(WAIT_HEADER, "2000");
            let sent = request.header("x-tenant-slug", &self.tenant).send().await;
            let reason = match sent {
                Ok(response) if response.headers().get(CONSISTENCY_HEADER).is_some_and(|value| value == "fresh") => {
                    return Ok(());
                }
                Ok(response) if response.status().is_success() => "it still answers without the last writes".to_owned(),
                // A tenant that was just created may not have arrived there yet, so this is no reason to stop.
                Ok(response) => format!("it answered {}", response.status()),
                Err(error) => error.to_string(),
            };
            if began.elapsed() > PATIENCE {
                return Err(ImportError::Query { url: self.base.clone(), reason });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Returns when the embedding writer has nothing left to do, with how it went.
    pub(crate) async fn until_embedded(&self, last_write: Instant) -> Result<Vectors, ImportError> {
        let (mut began, mut first, mut last, mut settled) = (Instant::now(), 0, 0, 0);
        let mut progress: Option<Progress> = None;
        let mut moved = Instant::now();
        loop {
            match self.embedding_lag().await {
                Ok(0) if settled >= 1 => break,
                // The lag is reported a moment late, so it has to be nothing twice.
                Ok(0) => settled += 1,
                Ok(left) => {
                    let progress = progress.get_or_insert_with(|| {
                        (began, first) = (Instant::now(), left);
                        Progress::begin("embedding", left)
                    });
                    settled = 0;
                    if left != last {
                        (last, moved) = (left, Instant::now());
                    }
                    let done = first.saturating_sub(left);
                    progress.at(done, first, done, "documents");
                }
                Err(reason) if moved.elapsed() > PATIENCE => {
                    return Err(ImportError::Query { url: self.base.clone(), reason });
                }
                Err(_) => {}
            }
            if moved.elapsed() > PATIENCE {
                let reason =
                    format!("the embedding writer stands still with {last} documents left; see /v1/status/lag");
                return Err(ImportError::Query { url: self.base.clone(), reason });
            }
            tokio::time::sleep(REPORT_INTERVAL).await;
        }
        if let Some(progress) = progress {
            progress.end();
        }
        let seconds = began.elapsed().as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "shown rounded")]
        let vectors_per_second = first as f64 / seconds;
        Ok(Vectors { vectors_seconds: last_write.elapsed().as_secs_f64(), vectors_left: first, vectors_per_second })
    }

    async fn embedding_lag(&self) -> Result<u64, String> {
        let response = self.http.get(format!("{}/v1/status/lag", self.base)).send().await;
        let response = response.and_then(reqwest::Response::error_for_status).map_err(|error| error.to_string())?;
        let status: LagStatus = response.json().await.map_err(|error| error.to_string())?;
        // Each set of vectors but the shipped one has a name behind it.
        let is_set = |name: &str| name.split(':').next() == Some("embed");
        let embed: Vec<_> = status.projections.iter().filter(|row| is_set(&row.projection)).collect();
        if embed.is_empty() {
            return Err("no embedding writer has reported there; is the projector's role `embed` running?".to_owned());
        }
        Ok(embed.iter().map(|row| row.lag_events.max(0).unsigned_abs()).sum())
    }
}

/// A little longer than the interval in which projections report.
const REPORT_INTERVAL: Duration = Duration::from_millis(1_100);

#[derive(Deserialize)]
struct LagStatus {
    projections: Vec<LagRow>,
}

#[derive(Deserialize)]
struct LagRow {
    projection: String,
    lag_events: i64,
}

/// The highest id of each context: the last product of the batch, since ids are drawn in order.
fn probe(token: &Token) -> Token {
    let mut last = BTreeMap::new();
    for (context, id, version) in token.entries() {
        last.insert(context, (id, version));
    }
    let mut probe = Token::default();
    last.into_iter().for_each(|(context, (id, version))| probe.add(context, id, version));
    probe
}

fn parts(token: &Token) -> Vec<Token> {
    let entries: Vec<_> = token.entries().collect();
    let part = |entries: &[(schemas::topics::Context, schemas::Uuid, u64)]| {
        let mut part = Token::default();
        entries.iter().for_each(|(context, id, version)| part.add(*context, *id, *version));
        part
    };
    entries.chunks(ENTRIES_PER_REQUEST).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::{Uuid, topics::Context};

    #[test]
    fn a_large_token_is_sent_in_parts_that_fit_a_header() {
        let mut token = Token::default();
        for id in 0..1_000_u128 {
            token.add(Context::Catalog, Uuid::from_u128(id << 64), 300);
        }
        assert_eq!(probe(&token).entries().map(|(_, id, _)| id.as_u128() >> 64).collect::<Vec<_>>(), [999]);
        let parts = parts(&token);
        assert!(parts.iter().all(|part| part.to_string().len() < 9_000));
        assert_eq!(parts.iter().map(Token::len).sum::<usize>(), 1_000);
    }
}
