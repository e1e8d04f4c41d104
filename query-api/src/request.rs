//! What every read takes: the tenant, and the token the answer should have seen.

use crate::{
    app::App,
    cursor::{Cursor, State},
    freshness::{Hop, Seen, Served, Verdict, WaitError, Wanted},
    metrics::Outcome,
    problem::Refusal,
    view::View,
};
use access::{
    Caller,
    scoped::Restriction,
    shop::{self, Named, TenantName},
};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Query, Request},
    http::{HeaderMap, HeaderValue, StatusCode, request::Parts},
    response::Response,
};
use schemas::{
    ids::TenantId,
    problem::{Code, Problem},
    token::{CONSISTENCY_HEADER, SERVED_HEADER, TOKEN_HEADER, Token, WAIT_HEADER},
    topics::Context,
};
use search::reader::{IndexHandle, Snapshot};
use serde::{Deserialize, de::DeserializeOwned};
use service::json;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

const DEFAULT_WAIT: Duration = Duration::from_millis(1_000);
const LONGEST_WAIT_MS: u64 = 30_000;
/// How long a read still waits for what its token names once the process was told to end. Most arrives within a second.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// What an answer says that could not be of the state that its cursor names.
const MOVED: &str = "the index of the page before is gone: this page is of the present one";

/// Headers of every read that shows a tenant's data, for the OpenAPI document.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the OpenAPI macros only")]
pub struct ReadHeaders {
    /// The tenant by id, for administrators; with a key or at a shop's host it may only agree
    #[param(rename = "X-Tenant-Id")]
    id: Option<schemas::Uuid>,
    /// The tenant by slug, as X-Tenant-Id; not both
    #[param(rename = "X-Tenant-Slug")]
    slug: Option<String>,
    /// The token of a write that the answer should have seen
    #[param(rename = "souk-consistency-token")]
    token: Option<String>,
    /// Milliseconds to wait for that write at most, up to 30000, default 1000
    #[param(rename = "souk-wait-ms", maximum = 30000)]
    wait_ms: Option<u64>,
    /// Ties logs and traces of this request together; drawn if absent
    #[param(rename = "X-Correlation-Id")]
    correlation_id: Option<String>,
}

/// The same as parameters, for addresses that are passed on.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReadParameters {
    /// The tenant by slug, as X-Tenant-Slug; both have to be the same
    tenant: Option<String>,
    /// As souk-consistency-token; both count
    token: Option<String>,
    /// As souk-wait-ms, which goes before it
    #[param(maximum = 30000)]
    wait_ms: Option<u64>,
}

/// The tenant of a request, and the token with its budget.
#[derive(Debug)]
pub struct ReadContext {
    /// Whose data.
    pub tenant: TenantId,
    /// Whether an administrator of the installation asks.
    pub is_admin: bool,
    /// What the caller sees less of the shop than others.
    pub restriction: Option<Arc<Restriction>>,
    token: Token,
    deadline: Instant,
}

impl FromRequestParts<App> for ReadContext {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let Query(parameters) = Query::<ReadParameters>::try_from_uri(&parts.uri)?;
        let mut token = Token::default();
        for text in [header(&parts.headers, TOKEN_HEADER)?, parameters.token].into_iter().flatten() {
            token.merge(
                &text.parse().map_err(|error: schemas::token::InvalidToken| {
                    Refusal::parameter(TOKEN_HEADER, error.to_string())
                })?,
            );
        }
        let deadline = Instant::now() + wait(header(&parts.headers, WAIT_HEADER)?, parameters.wait_ms)?;
        let named = Named::of(&parts.headers, parameters.tenant)?;
        let caller = parts.extensions.get().unwrap_or(&Caller::Unknown);
        let find = || shop::of(&app.tenants, &app.rates, caller, &named);
        let found = match find().await {
            // A shop that was created a moment ago is on its way like any other write.
            Err(refusal) if !token.is_empty() && refusal.is(Code::TenantNotFound) => {
                while_serving(app, app.freshness.of_tenants(wanted(caller, &named), deadline)).await?;
                find().await?
            }
            outcome => outcome?,
        };
        Ok(Self { tenant: found.id, is_admin: caller.is_admin(), restriction: caller.restriction(), token, deadline })
    }
}

/// Waits for what a token names, but not long after this process was told to end: its last reads would be cut off.
async fn while_serving<T>(app: &App, arrival: impl Future<Output = Result<T, WaitError>>) -> Result<T, WaitError> {
    tokio::select! {
        biased;
        arrived = arrival => arrived,
        () = async {
            app.shutdown.wait().await;
            tokio::time::sleep(LAST_WAIT).await;
        } => Err(WaitError::Ending),
    }
}

impl ReadContext {
    /// Whether the client has written something of a context that it wants to see.
    #[must_use]
    pub fn names(&self, context: Context) -> bool {
        self.token.entries().any(|(named, ..)| named == context)
    }

    /// Waits until the views have what the token names.
    ///
    /// # Errors
    /// The database's, or that too many wait already.
    pub async fn wait(&self, app: &App) -> Result<Verdict, Refusal> {
        let _place = app.freshness.enter(self.tenant, self.token.len())?;
        let views = app.freshness.of_views(self.tenant, &self.token, self.deadline);
        let verdict = while_serving(app, views).await?;
        self.count(app, &verdict);
        Ok(verdict)
    }

    /// Waits until the index has what the token names, and gives the state of it to answer from: of the active
    /// generation, unless another is to answer.
    ///
    /// # Errors
    /// The database's, that too many wait already, or that no index is loaded.
    pub async fn see(&self, app: &App, hop: Hop, index: Option<&IndexHandle>) -> Result<Seen, Refusal> {
        let _place = app.freshness.enter(self.tenant, self.token.len())?;
        let seen = app.freshness.of_index(self.tenant, &self.token, self.deadline, hop, index);
        let seen = while_serving(app, seen).await?;
        let seen = seen.ok_or_else(Refusal::no_index)?;
        self.count(app, &seen.verdict);
        Ok(seen)
    }

    /// The cursor of the page after so many hits; that state of the index is kept for whoever holds it.
    pub fn cursor(&self, app: &App, snapshot: Snapshot, offset: usize) -> Cursor {
        let state = State::of(&snapshot);
        app.cursors.keep(self.tenant, state.clone(), snapshot);
        Cursor { state, offset }
    }

    /// The state that the page of a cursor is to be made of, if this node has it: kept, or open. Else the present one,
    /// and what the answer has to say of that.
    ///
    /// # Errors
    /// The database's.
    pub async fn resume(&self, app: &App, seen: Seen, cursor: &Cursor) -> Result<(Seen, Option<String>), Refusal> {
        let is_it = |snapshot: &Snapshot| State::of(snapshot) == cursor.state;
        if let Some(kept) = app.cursors.get(self.tenant, &cursor.state) {
            return Ok((self.seen_in(app, seen, kept).await?, None));
        }
        if is_it(&seen.snapshot) {
            return Ok((seen, None));
        }
        let other = app.index.named(cursor.state.generation()).map(|handle| handle.snapshot());
        match other.filter(is_it) {
            Some(other) => Ok((self.seen_in(app, seen, other).await?, None)),
            None => Ok((seen, Some(MOVED.to_owned()))),
        }
    }

    /// What has been seen in another state of the index than the present one. Pages of a cursor don't move: where that
    /// state lacks what the token names, the answer says that it is stale.
    async fn seen_in(&self, app: &App, seen: Seen, kept: Snapshot) -> Result<Seen, Refusal> {
        let mut verdict = seen.verdict;
        let is_older = kept.data_version != seen.snapshot.data_version;
        if verdict == Verdict::Fresh && is_older && !app.freshness.is_in(self.tenant, &self.token, &kept).await? {
            verdict = Verdict::Stale(Vec::new());
        }
        Ok(Seen { snapshot: kept, verdict })
    }

    fn count(&self, app: &App, verdict: &Verdict) {
        if !self.token.is_empty() {
            let outcome = if *verdict == Verdict::Fresh { "fresh" } else { "stale" };
            app.metrics.tokens.get_or_create(&Outcome { outcome }).inc();
        }
    }

    /// Answers from a view once it has what the token names: from the cache if no signal has come that the views
    /// changed, else by reading anew. A signal comes after the change that it tells of, so that an answer to a token
    /// is always read anew. `request` tells one answer of the tenant from another.
    ///
    /// # Errors
    /// The database's, and those of `read`.
    pub async fn view(
        &self,
        app: &App,
        request: String,
        read: impl AsyncFnOnce() -> Result<View, Refusal>,
    ) -> Result<Response, Refusal> {
        let verdict = self.wait(app).await?;
        let key = app.views.view_key(self.tenant, request);
        if let Some(key) = key.as_ref().filter(|_| self.token.is_empty())
            && let Some(kept) = app.views.get(key)
        {
            return Ok(mark(kept.response(), &verdict));
        }
        let view = Arc::new(read().await?);
        if let Some(key) = key {
            app.views.put(key, Arc::clone(&view));
        }
        Ok(mark(view.response(), &verdict))
    }
}

/// Milliseconds since a moment, for people.
pub fn took_ms(began: std::time::Instant) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
    let took_ms = began.elapsed().as_micros() as f64 / 1e3;
    took_ms
}

/// Says in the headers whether the answer is fresh, and what it has seen if it is not.
pub fn mark(mut response: Response, verdict: &Verdict) -> Response {
    let word = if *verdict == Verdict::Fresh { "fresh" } else { "stale" };
    response.headers_mut().insert(CONSISTENCY_HEADER, HeaderValue::from_static(word));
    if let Verdict::Stale(served) = verdict {
        let text: Vec<String> = served.iter().take(20).map(show).collect();
        if let Ok(value) = HeaderValue::from_str(&text.join(", ")) {
            response.headers_mut().insert(SERVED_HEADER, value);
        }
    }
    response
}

fn show(served: &Served) -> String {
    format!("{}/{}={}", served.context, served.aggregate_id, served.served)
}

fn header(headers: &HeaderMap, name: &str) -> Result<Option<String>, Refusal> {
    let value = headers.get(name).map(|value| value.to_str().map(str::to_owned)).transpose();
    value.map_err(|_| Refusal::parameter(name, "it holds characters that are not visible ASCII"))
}

/// How long a read waits: as the header says, otherwise as the address does. Both have to be right.
fn wait(header: Option<String>, address: Option<u64>) -> Result<Duration, Refusal> {
    let header = header.map(|text| milliseconds(WAIT_HEADER, text.parse().ok())).transpose()?;
    let address = address.map(|asked| milliseconds("wait_ms", Some(asked))).transpose()?;
    Ok(header.or(address).unwrap_or(DEFAULT_WAIT))
}

fn milliseconds(parameter: &str, asked: Option<u64>) -> Result<Duration, Refusal> {
    let wait = asked.filter(|wait| *wait <= LONGEST_WAIT_MS).map(Duration::from_millis);
    wait.ok_or_else(|| {
        Refusal::parameter(parameter, format!("a whole number of milliseconds up to {LONGEST_WAIT_MS} is expected"))
    })
}

/// The shops that a request names, as what may be waited for.
fn wanted(caller: &Caller, named: &Named) -> Vec<Wanted> {
    let host = caller.shop().map(TenantName::from).into_iter();
    let wanted = |name| match name {
        TenantName::Id(id) => Wanted::Tenant(id),
        TenantName::Slug(slug) => Wanted::Slug(slug),
    };
    host.chain(named.names()).map(wanted).collect()
}

/// A body in JSON.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for JsonBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, app).await.map_err(|error| {
            let is_large = error.status() == StatusCode::PAYLOAD_TOO_LARGE;
            let (code, detail) = if is_large {
                (Code::TooLarge, "a question has at most 2 MiB")
            } else {
                (Code::InvalidRequest, "the body broke off")
            };
            Refusal(Problem::new(code).detail(detail))
        })?;
        let read = json::read(&bytes).map_err(|error| Problem::new(Code::InvalidRequest).errors(vec![error]));
        read.map(Self).map_err(Refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_time_to_wait_is_refused_wherever_it_stands() {
        let ms = |header: Option<&str>, address| wait(header.map(str::to_owned), address).map(|wait| wait.as_millis());
        assert_eq!(ms(Some("50"), Some(70)).ok(), Some(50));
        assert_eq!(ms(None, Some(70)).ok(), Some(70));
        assert_eq!(ms(None, None).ok(), Some(DEFAULT_WAIT.as_millis()));
        for (header, address) in
            [(Some("x"), None), (Some("30001"), Some(1)), (None, Some(30_001)), (Some("1"), Some(30_001))]
        {
            assert!(ms(header, address).is_err(), "{header:?} {address:?}");
        }
    }
}
