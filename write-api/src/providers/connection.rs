//! Requests to providers: to public addresses alone, within a time, with answers that are bounded, and repeated with the same
//! key and body where it is not known what came of them.

use super::breaker::Breakers;
use crate::oidc::reach::Reach;
use reqwest::{Client, Method, StatusCode, header};
use std::{fmt, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::Instant};
use url::Url;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(2);
/// How long a request may take in all.
const REQUEST: Duration = Duration::from_secs(8);
/// The longest answer, in bytes.
const MOST_BYTES: usize = 4 << 20;
/// How often a request is made.
const TRIES: u32 = 2;
/// The pause before a request is made again; twice as long before the one after that.
const PAUSE: Duration = Duration::from_millis(200);
/// Requests that a process makes at once.
const PLACES: usize = 64;

/// Asks providers.
#[derive(Debug, Clone)]
pub struct Connection {
    client: Client,
    reach: Reach,
    breakers: Breakers,
    places: Arc<Semaphore>,
}

/// A request.
#[derive(Clone)]
pub struct Ask {
    /// The method.
    pub method: Method,
    /// Where.
    pub url: Url,
    /// Opens the provider's interface.
    pub bearer: String,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
    /// As forms are encoded; none for a request without a body.
    pub form: Option<String>,
}

/// What opens the interface stands in no log.
impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask").field("method", &self.method).field("path", &self.url.path()).finish_non_exhaustive()
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answered {
    /// The status.
    pub status: StatusCode,
    /// As it came.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// Nothing was sent.
    #[error("{0}")]
    NotSent(String),
    /// Something was sent, and what came of it is not known.
    #[error("{0}")]
    Lost(String),
}

/// What came of one try.
enum Tried {
    Answered(Answered),
    /// The server could not, or not now; it may have done it.
    Again(Answered),
    Failed(Unanswered),
}

impl Connection {
    /// Asks within this reach.
    ///
    /// # Errors
    /// TLS can't be used.
    pub fn new(reach: Reach) -> Result<Self, reqwest::Error> {
        let places = Arc::new(Semaphore::new(PLACES));
        Ok(Self { client: reach.client(CONNECT, REQUEST)?, reach, breakers: Breakers::default(), places })
    }

    /// Asks, several times where that may help, and reads the answer whole.
    ///
    /// # Errors
    /// [`Unanswered`]
    pub async fn send(&self, ask: &Ask) -> Result<Answered, Unanswered> {
        let host = ask.url.host_str().unwrap_or_default();
        let not_sent = |reason: &str| Unanswered::NotSent(reason.to_owned());
        self.reach.check(&ask.url).map_err(not_sent)?;
        if !self.breakers.lets(host, Instant::now()) {
            return Err(not_sent("it has not answered several times, and is not asked for half a minute"));
        }
        let _place = self.places.try_acquire().map_err(|_| not_sent("many are asking at this moment"))?;
        let (mut was_lost, mut pause) = (None, PAUSE);
        let mut number = 1;
        loop {
            let tried = self.once(ask).await;
            self.breakers.note(host, matches!(tried, Tried::Answered(_)), Instant::now());
            let last = match tried {
                Tried::Answered(answered) => return Ok(answered),
                Tried::Again(answered) => {
                    if answered.status.is_server_error() {
                        was_lost = Some(format!("it answers {}", answered.status.as_u16()));
                    }
                    Ok(answered)
                }
                Tried::Failed(unanswered) => {
                    if let Unanswered::Lost(reason) = &unanswered {
                        was_lost = Some(reason.clone());
                    }
                    Err(unanswered)
                }
            };
            if number == TRIES {
                // An earlier try may have been carried out.
                return was_lost.map_or(last, |reason| Err(Unanswered::Lost(reason)));
            }
            number += 1;
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn once(&self, ask: &Ask) -> Tried {
        let mut request = self.client.request(ask.method.clone(), ask.url.clone()).bearer_auth(&ask.bearer);
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        if let Some(form) = &ask.form {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.clone());
        }
        let mut answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Tried::Failed(failed(error)),
        };
        let (status, mut body) = (answer.status(), Vec::new());
        loop {
            match answer.chunk().await {
                Ok(Some(part)) if body.len() + part.len() > MOST_BYTES => {
                    return Tried::Failed(Unanswered::Lost(format!("its answer has more than {MOST_BYTES} bytes")));
                }
                Ok(Some(part)) => body.extend_from_slice(&part),
                Ok(None) => break,
                Err(error) => return Tried::Failed(failed(error)),
            }
        }
        let answered = Answered { status, body };
        // 409: a request with the same key is at work.
        let is_again = status.is_server_error()
            || matches!(status, StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
        if is_again { Tried::Again(answered) } else { Tried::Answered(answered) }
    }
}

fn failed(error: reqwest::Error) -> Unanswered {
    let error = error.without_url();
    if error.is_connect() || error.is_builder() {
        return Unanswered::NotSent(format!("it can't be reached: {error}"));
    }
    Unanswered::Lost(if error.is_timeout() { "it does not answer in time".to_owned() } else { error.to_string() })
}
