//! Asks the query API for the top 200 of a query.

use super::{EvalError, Mode};
use reqwest::header::HeaderMap;
use schemas::problem::Problem;
use serde::Deserialize;
use std::time::{Duration, Instant};

/// Hits on one page; the top 200 are two.
const PAGE: usize = 100;

pub(super) struct SearchClient {
    http: reqwest::Client,
    base: String,
    tenant: String,
    mode: Mode,
}

/// The top 200 of a query.
pub(super) struct Answer {
    pub(super) hits: Vec<Hit>,
    /// Hits in all.
    pub(super) total: u64,
    /// Latency of the first page.
    pub(super) ms: f64,
}

#[derive(Deserialize)]
pub(super) struct Hit {
    pub(super) external_id: Option<String>,
    pub(super) title: String,
}

#[derive(Deserialize)]
struct Page {
    total: u64,
    hits: Vec<Hit>,
    /// Set when the search was not done as asked.
    #[serde(default)]
    degraded: Option<String>,
}

impl SearchClient {
    pub(super) fn new(base: &str, tenant: &str, mode: Mode, headers: HeaderMap) -> Result<Self, EvalError> {
        let base = base.trim_end_matches('/').to_owned();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).default_headers(headers).build();
        let http = http.map_err(|error| EvalError::Search { url: base.clone(), reason: error.to_string() })?;
        Ok(Self { http, base, tenant: tenant.to_owned(), mode })
    }

    /// Searches with the shop's ranking, or with some settings of it changed.
    pub(super) async fn search(&self, query: &str, settings: &[(&str, f64)]) -> Result<Answer, EvalError> {
        let began = Instant::now();
        let first = self.page(query, 0, settings).await?;
        let ms = began.elapsed().as_secs_f64() * 1_000.0;
        let mut hits = first.hits;
        if hits.len() == PAGE {
            hits.extend(self.page(query, PAGE, settings).await?.hits);
        }
        Ok(Answer { hits, total: first.total, ms })
    }

    async fn page(&self, query: &str, offset: usize, settings: &[(&str, f64)]) -> Result<Page, EvalError> {
        let failed = |reason: String| EvalError::Search { url: self.base.clone(), reason };
        let (limit, offset) = (PAGE.to_string(), offset.to_string());
        let parameters =
            [("q", query), ("mode", self.mode.name()), ("limit", limit.as_str()), ("offset", offset.as_str())];
        let settings: Vec<(String, f64)> =
            settings.iter().map(|(name, value)| (format!("ranking.{name}"), *value)).collect();
        let request = self.http.get(format!("{}/v1/search", self.base)).query(&parameters).query(&settings);
        let response = request.header("x-tenant-slug", &self.tenant).send().await;
        let response = response.map_err(|error| failed(format!("{error}. Is it running? See `./souk status`")))?;
        let status = response.status();
        let body = response.bytes().await.map_err(|error| failed(error.to_string()))?;
        if !status.is_success() {
            let problem = serde_json::from_slice::<Problem>(&body);
            let told = problem.map_or_else(|_| status.to_string(), |problem| problem.detail.unwrap_or(problem.title));
            return Err(failed(format!("`{query}`: {told}")));
        }
        let page: Page = serde_json::from_slice(&body).map_err(|error| failed(format!("`{query}`: {error}")))?;
        // A figure of one mode must never be taken for that of another.
        match page.degraded {
            Some(reason) => Err(EvalError::OtherMode { asked: self.mode.name(), reason }),
            None => Ok(page),
        }
    }
}
