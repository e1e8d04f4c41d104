//! Requests to providers: to where they may go, within a time, and with answers that are bounded.

use super::reach::Reach;
use openidconnect::{HttpRequest, HttpResponse, http::Response};
use std::time::Duration;
use url::Url;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(2);
/// How long a request may take in all.
const REQUEST: Duration = Duration::from_secs(4);
/// The longest answer, in bytes.
const MOST_BYTES: usize = 1024 * 1024;

/// Asks providers.
#[derive(Debug, Clone)]
pub(super) struct Fetch {
    client: reqwest::Client,
    reach: Reach,
}

/// A provider did not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// It is not asked.
    #[error("{0} is not asked: {1}")]
    OutOfReach(String, &'static str),
    /// It can't be reached, or not in time.
    #[error("it can't be reached: {0}")]
    Failed(String),
    /// The answer is too long.
    #[error("its answer has more than {MOST_BYTES} bytes")]
    TooLong,
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let why = if error.is_timeout() { "not in time".to_owned() } else { chain(&error) };
        Self::Failed(why)
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl Fetch {
    /// Asks within this reach.
    pub(super) fn new(reach: Reach) -> Result<Self, reqwest::Error> {
        Ok(Self { client: reach.client(CONNECT, REQUEST)?, reach })
    }

    /// Whether an address may be asked.
    pub(super) fn check(&self, url: &Url) -> Result<(), &'static str> {
        self.reach.check(url)
    }

    /// Asks, and reads the answer whole.
    pub(super) async fn send(self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        let request = reqwest::Request::try_from(request)?;
        let host = || request.url().host_str().unwrap_or_default().to_owned();
        self.check(request.url()).map_err(|reason| FetchError::OutOfReach(host(), reason))?;
        let mut answer = self.client.execute(request).await?;
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await? {
            if bytes.len() + part.len() > MOST_BYTES {
                return Err(FetchError::TooLong);
            }
            bytes.extend_from_slice(&part);
        }
        let mut response = Response::new(bytes);
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        Ok(response)
    }
}
