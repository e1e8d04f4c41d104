//! query-api, as write-api reaches it: it is asked whether reads see what a command wrote. Nothing is decided by what it says.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use reqwest::{Client, Url, redirect::Policy};
use schemas::{
    contexts::Context,
    token::{CONSISTENCY_HEADER, Reach, SERVED_HEADER, TOKEN_HEADER, Token, WAIT_HEADER},
};
use service::{
    Metrics,
    http::forwarded,
    metrics::prometheus_client::{
        encoding::EncodeLabelSet,
        metrics::{counter::Counter, family::Family},
    },
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// Commands that may wait at the same time; what comes then is answered at once.
const MOST_WAITING: usize = 512;
/// How much longer than asked for the answer may be on its way.
const SLACK: Duration = Duration::from_secs(2);
/// The headers that say who asks and of which shop, beside the host.
const WHO: [HeaderName; 4] = [
    header::AUTHORIZATION,
    HeaderName::from_static("x-correlation-id"),
    HeaderName::from_static("x-tenant-id"),
    HeaderName::from_static(TENANT_SLUG),
];
const TENANT_ID: &str = "x-tenant-id";
const TENANT_SLUG: &str = "x-tenant-slug";

/// What is said of a command that was waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Reads see it, or what they have instead: the headers that a read says it by.
    Told(Vec<(HeaderName, HeaderValue)>),
    /// It is not known: query-api can't be asked, or too many wait.
    Unknown,
}

impl Sight {
    /// In a word: what the header `souk-consistency` says.
    pub(crate) fn as_str(&self) -> &'static str {
        let is_fresh = |(name, value): &(HeaderName, HeaderValue)| name == CONSISTENCY_HEADER && value == "fresh";
        match self {
            Self::Told(headers) if headers.iter().any(is_fresh) => "fresh",
            Self::Told(_) => "stale",
            Self::Unknown => "unknown",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// query-api, as this process asks it.
#[derive(Debug, Clone)]
pub(crate) struct Reads {
    at: Option<(Client, Url)>,
    places: Arc<Semaphore>,
    waits: Family<Outcome, Counter>,
}

impl Reads {
    /// At an address, if there is one.
    ///
    /// # Errors
    /// No client can be made.
    pub(crate) fn new(url: Option<Url>, metrics: &Metrics) -> Result<Self, reqwest::Error> {
        let client = || Client::builder().http1_only().no_proxy().redirect(Policy::none()).build();
        let at = url.map(|url| Ok::<_, reqwest::Error>((client()?, url))).transpose()?;
        let waits = Family::default();
        metrics.register(|registry| {
            let help = "Commands that were answered when reads had seen them, or the time was over, by outcome";
            registry.register("command_waits", help, waits.clone());
        });
        Ok(Self { at, places: Arc::new(Semaphore::new(MOST_WAITING)), waits })
    }

    /// Waits until reads see what a token names, or the time is over. `who` is the request that the token answers.
    pub(crate) async fn wait(&self, who: &Parts, token: &Token, reach: Reach, most: Duration) -> Sight {
        let sight = match (&self.at, self.places.try_acquire()) {
            (Some((client, url)), Ok(_permit)) => {
                ask(client, url, headers(who, token, most), reach, most).await.unwrap_or(Sight::Unknown)
            }
            _ => Sight::Unknown,
        };
        self.waits.get_or_create(&Outcome { outcome: sight.as_str() }).inc();
        sight
    }
}

/// Asks query-api. None where it does not say.
async fn ask(client: &Client, url: &Url, headers: HeaderMap, reach: Reach, most: Duration) -> Option<Sight> {
    let mut url = url.clone();
    url.set_path(&format!("{}/v1/seen", url.path().trim_end_matches('/')));
    url.set_query(Some(&format!("in={}", reach.as_str())));
    let answer = client.get(url).headers(headers).timeout(most + SLACK).send().await;
    let answer = answer.and_then(reqwest::Response::error_for_status);
    let answer = answer.inspect_err(|error| tracing::warn!(%error, "whether reads see a command is not known"));
    let told = answer.ok()?.headers().clone();
    let name = |name| HeaderName::from_static(name);
    let said = [CONSISTENCY_HEADER, SERVED_HEADER].into_iter();
    let said: Vec<_> = said.filter_map(|header| Some((name(header), told.get(header)?.clone()))).collect();
    (!said.is_empty()).then_some(Sight::Told(said))
}

/// What query-api is told: who asks as it came, what is to be seen, and for how long to wait.
fn headers(who: &Parts, token: &Token, most: Duration) -> HeaderMap {
    let mut headers = forwarded(who, &WHO);
    // What happens to a shop itself is read in that shop, whatever the request names.
    if let Some((_, shop, _)) = token.entries().find(|(context, ..)| *context == Context::Tenants) {
        headers.remove(TENANT_SLUG);
        insert(&mut headers, TENANT_ID, &shop.to_string());
    }
    insert(&mut headers, TOKEN_HEADER, &token.to_string());
    insert(&mut headers, WAIT_HEADER, &most.as_millis().to_string());
    headers
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;
    use schemas::Uuid;

    fn told(request: axum::http::request::Builder, token: &Token) -> HeaderMap {
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        headers(&parts, token, Duration::from_secs(5))
    }

    #[test]
    fn query_api_is_told_who_asks_and_for_what() {
        let token = Token::of(Context::Catalog, Uuid::from_u128(7), 3);
        let request = Request::get("/")
            .header("authorization", "Bearer key")
            .header("cookie", "no")
            .header("host", "shop.example");
        let told = told(request.header("x-tenant-slug", "lamps"), &token);
        let mut names: Vec<&str> = told.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["authorization", "host", TOKEN_HEADER, WAIT_HEADER, TENANT_SLUG]);
        assert_eq!(
            (&told[WAIT_HEADER], &told[TOKEN_HEADER]),
            (&HeaderValue::from(5_000), &HeaderValue::try_from(token.to_string()).expect("text"))
        );
    }

    #[test]
    fn a_shop_that_was_just_opened_is_named_by_its_token() {
        let shop = Uuid::from_u128(9);
        let token = Token::of(Context::Tenants, shop, 1);
        let named = told(Request::get("/").header("x-tenant-slug", "lamps"), &token);
        assert_eq!(named[TENANT_ID], shop.to_string());
        assert!(!named.contains_key(TENANT_SLUG), "both would contradict");
    }
}
