//! What operators do: passed on to `reindex serve`, the only process that executes it. query-api writes nothing.

use crate::{app::App, problem::Refusal};
use access::{Caller, Routes, Rule};
use axum::{
    body::Bytes,
    extract::{Path, Request, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use reqwest::Url;
use schemas::problem::{Code, Problem};
use std::time::Duration;

/// Largest body that is passed on, in bytes.
const MAX_BODY: usize = 1_048_576;
/// How long an operation may take: a verification reads two indexes whole.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// The address of an operation: the parts of its path stay parts of it, below all operations. None where they lead out of
/// there.
fn address(base: &str, rest: &str, query: Option<&str>) -> Option<Url> {
    let mut url = Url::parse(base).ok()?;
    if rest.split('/').any(|part| matches!(part, "." | "..")) {
        return None;
    }
    url.path_segments_mut().ok()?.pop_if_empty().extend(["v1", "operations"]).extend(rest.split('/'));
    url.set_query(query);
    Some(url)
}

/// Everything below `/v1/operations/`.
pub fn routes() -> Routes<App> {
    Routes::default().allow_unlisted(Rule::Admin, "/v1/operations/{*rest}", get(pass_on).post(pass_on))
}

/// Passes a request on and its answer back.
async fn pass_on(State(app): State<App>, Path(rest): Path<String>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, MAX_BODY)
        .await
        .map_err(|_| Refusal(Problem::new(Code::TooLarge).detail(format!("at most {MAX_BODY} bytes are passed on"))))?;
    let url = address(&app.operations.url, &rest, parts.uri.query())
        .ok_or_else(|| Refusal(Problem::new(Code::InvalidRequest).detail("this path leads to no operation")))?;
    let mut passed = app.operations.http.request(parts.method, url).timeout(PATIENCE).body(body);
    for name in [header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT] {
        if let Some(value) = parts.headers.get(&name) {
            passed = passed.header(name, value.clone());
        }
    }
    // Who has signed in is vouched for, and known.
    if let Some(Caller::Member(member)) = parts.extensions.get() {
        let actor = format!("account {}", member.customer.user);
        passed = passed.headers(app.operations.key.clone()).header("souk-actor", actor);
    } else if let Some(actor) = parts.headers.get("souk-actor") {
        passed = passed.header("souk-actor", actor.clone());
    }
    let unreachable = |error: reqwest::Error| {
        tracing::warn!(%error, "the operator's process does not answer");
        Refusal(
            Problem::new(Code::Unavailable).detail("`reindex serve` does not answer; see `souk status` and its log"),
        )
    };
    let answer = passed.send().await.map_err(unreachable)?;
    let (status, kind) = (answer.status(), answer.headers().get(header::CONTENT_TYPE).cloned());
    let text = answer.bytes().await.map_err(unreachable)?;
    let kind = kind.unwrap_or(HeaderValue::from_static("application/json"));
    Ok((status, [(header::CONTENT_TYPE, kind)], text).into_response())
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn nothing_but_operations_is_reached() {
        let reached = |rest: &str, query| address("http://127.0.0.1:8084", rest, query).map(String::from);
        let expected = "http://127.0.0.1:8084/v1/operations/generations/g1/build?wait=1";
        assert_eq!(reached("generations/g1/build", Some("wait=1")).as_deref(), Some(expected));
        assert_eq!(reached("../../metrics", None), None);
        assert_eq!(reached("generations/./g1", None), None);
        assert_eq!(reached("a?b#c", None).as_deref(), Some("http://127.0.0.1:8084/v1/operations/a%3Fb%23c"));
    }
}
