//! What people with accounts, carts and checkouts want, and staff of processes, passed on to write-api: a page speaks to its own
//! origin alone. Who may is decided there; query-api writes nothing.

use crate::{accounts::WriteApi, app::App, problem::Refusal, tenants::Tenants};
use access::{
    Routes, Rule,
    origins::{self, Otherwise},
};
use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Method, Uri, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use reqwest::Url;
use schemas::{
    problem::{Code, Problem},
    token::{CONSISTENCY_HEADER, SERVED_HEADER, TOKEN_HEADER},
};
use service::http::{ProblemResponse, forwarded, in_own_time};
use std::time::Duration;

/// Everything that is passed on; nothing else of write-api is reached from here.
const PATHS: [&str; 26] = [
    "/v1/accounts",
    "/v1/accounts/verify",
    "/v1/sessions",
    "/v1/sessions/refresh",
    "/v1/sessions/current",
    "/v1/sessions/oidc",
    "/v1/sessions/oidc/complete",
    "/v1/password-resets",
    "/v1/password-resets/finish",
    "/v1/invitations/accept",
    "/v1/me",
    "/v1/me/{*rest}",
    "/v1/guests",
    "/v1/carts",
    "/v1/carts/{id}/items",
    "/v1/carts/{id}/items/{line}",
    "/v1/carts/{id}/coupons/{code}",
    "/v1/carts/{id}/destination",
    "/v1/carts/{id}/merge",
    "/v1/checkouts",
    "/v1/checkouts/{id}/payment",
    "/v1/checkouts/{id}/payment/action",
    "/v1/checkouts/{id}/abort",
    "/v1/processes/{id}/retry",
    "/v1/processes/{id}/skip",
    "/v1/processes/{id}/abort",
];
/// Largest body that is passed on, in bytes.
const MAX_BODY: usize = 65_536;
/// How long write-api may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much longer, where a request says with `Prefer: wait` that it waits for what comes of it.
const WAITING: Duration = Duration::from_secs(30);
/// What goes on of a request, beside whom and where it comes from.
const SENT: [HeaderName; 11] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::USER_AGENT,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("prefer"),
    HeaderName::from_static("souk-reason"),
    HeaderName::from_static("x-correlation-id"),
    HeaderName::from_static("x-tenant-id"),
    HeaderName::from_static("x-tenant-slug"),
];
/// What comes back of an answer, beside status and body.
const RETURNED: [HeaderName; 10] = [
    header::CACHE_CONTROL,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LOCATION,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("preference-applied"),
    HeaderName::from_static(CONSISTENCY_HEADER),
    HeaderName::from_static(SERVED_HEADER),
    HeaderName::from_static(TOKEN_HEADER),
];

/// The routes, each for anybody: write-api has their rules.
pub fn routes(tenants: Tenants) -> Router<App> {
    let methods = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
    let all = PATHS.iter().fold(Routes::default(), |routes, path| {
        routes.allow_unlisted(Rule::Anybody, path, get(pass_on).post(pass_on).put(pass_on).delete(pass_on))
    });
    all.split()
        .0
        .method_not_allowed_fallback(|| async {
            ProblemResponse(
                Problem::new(Code::MethodNotAllowed)
                    .detail("accounts, carts and checkouts take GET, POST, PUT and DELETE"),
            )
        })
        .layer(middleware::from_fn(in_own_time))
        .layer(origins::layer(tenants, Otherwise::Nobody, methods))
}

/// Passes a request on, if this process knows where to.
async fn pass_on(State(app): State<App>, request: Request) -> Result<Response, Refusal> {
    let Some(write_api) = &app.write_api else {
        return Err(Refusal::not_found(
            "accounts, carts and checkouts are served by write-api; query-api passes them on with --write-url",
        ));
    };
    passed_on(write_api, request).await
}

/// Passes a request on and its answer back.
async fn passed_on(write_api: &WriteApi, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let url = address(&write_api.url, &parts.uri)
        .ok_or_else(|| Refusal(Problem::new(Code::InvalidRequest).detail("this path leads to no account")))?;
    let body: Bytes = axum::body::to_bytes(body, MAX_BODY)
        .await
        .map_err(|_| Refusal(Problem::new(Code::TooLarge).detail(format!("at most {MAX_BODY} bytes are passed on"))))?;
    let headers = forwarded(&parts, &SENT);
    let patience = if headers.contains_key("prefer") { PATIENCE + WAITING } else { PATIENCE };
    let unanswered = |error: reqwest::Error| unanswered(&error, patience);
    let passed = write_api.http.request(parts.method, url).timeout(patience).headers(headers).body(body);
    let answer = passed.send().await.map_err(unanswered)?;
    let status = answer.status();
    let mut headers = HeaderMap::new();
    for name in RETURNED {
        headers.extend(answer.headers().get(&name).map(|value| (name, value.clone())));
    }
    let body = answer.bytes().await.map_err(unanswered)?;
    Ok((status, headers, body).into_response())
}

/// The address at write-api: the path as it came, which keeps its parts. None where a part leads elsewhere.
fn address(base: &Url, uri: &Uri) -> Option<Url> {
    let is_step = |part: &str| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if uri.path().split('/').any(is_step) || uri.path().contains('\\') {
        return None;
    }
    let mut url = base.clone();
    url.set_path(&format!("{}{}", base.path().trim_end_matches('/'), uri.path()));
    url.set_query(uri.query());
    Some(url)
}

fn unanswered(error: &reqwest::Error, patience: Duration) -> Refusal {
    tracing::warn!(%error, "write-api does not answer");
    Refusal(if error.is_timeout() {
        Problem::new(Code::Timeout).detail(format!(
            "write-api has not answered within {} s; whether it did what was asked is not known",
            patience.as_secs()
        ))
    } else {
        Problem::new(Code::Unavailable)
            .detail("accounts, carts and checkouts can't be reached at the moment: write-api does not answer")
    })
}

#[cfg(test)]
mod tests;
