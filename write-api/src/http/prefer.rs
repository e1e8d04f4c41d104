//! `Prefer: wait` (RFC 7240): a command is answered once reads see what it wrote. It is carried out whatever comes of the wait.

use super::problem::ApiError;
use crate::reads::{Reads, Sight};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use schemas::token::{CONSISTENCY_HEADER, Reach, TOKEN_HEADER, Token};
use std::{sync::Arc, time::Duration};

/// The longest wait, in seconds.
const MOST_WAIT: u64 = 30;
const PREFER: &str = "prefer";
/// Says which preference was kept to.
const APPLIED: &str = "preference-applied";

/// How long an answer may wait, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) most: Duration,
    pub(crate) reach: Reach,
}

/// A route has kept to the preference in its own way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept;

/// The wait that a request prefers, if it prefers one; other preferences are left alone.
///
/// # Errors
/// It can't be understood.
pub(crate) fn wait(headers: &HeaderMap) -> Result<Option<Wait>, ApiError> {
    let texts = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let mut found = texts.flat_map(|text| text.split(',')).filter(|preference| name(preference) == "wait");
    found.next().map(read).transpose()
}

/// The name of a preference or of one of its parameters.
fn name(preference: &str) -> String {
    let end = preference.find(['=', ';']).unwrap_or(preference.len());
    preference.get(..end).unwrap_or_default().trim().to_ascii_lowercase()
}

/// What stands behind the first equals sign.
fn value(part: &str) -> &str {
    part.split_once('=').map_or("", |(_, value)| value.trim().trim_matches('"'))
}

fn read(preference: &str) -> Result<Wait, ApiError> {
    let refused = |detail: String| ApiError::unreadable("Prefer", detail);
    let mut parts = preference.split(';');
    let seconds = parts.next().map(value).and_then(|seconds| seconds.parse::<u64>().ok());
    let seconds = seconds
        .filter(|seconds| *seconds <= MOST_WAIT)
        .ok_or_else(|| refused(format!("wait is a whole number of seconds from 0 to {MOST_WAIT}")))?;
    let mut wait = Wait { most: Duration::from_secs(seconds), reach: Reach::Views };
    for parameter in parts.filter(|parameter| name(parameter) == "in") {
        let reach = Reach::parse(value(parameter));
        wait.reach = reach.ok_or_else(|| refused("in is one of views, search, vectors".to_owned()))?;
    }
    Ok(wait)
}

/// A wait, with all that it takes. A stream has it as an extension of its request: it knows what it wrote when its head is long gone.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    reads: Reads,
    who: Arc<Parts>,
    wait: Wait,
}

impl Waiting {
    /// Waits until reads see what a token names, or the time is over.
    pub(crate) async fn see(&self, token: &Token) -> Sight {
        self.reads.wait(&self.who, token, self.wait.reach, self.wait.most).await
    }
}

/// Waits, where a request prefers it, until reads see what its command wrote, or the time is over. The answer says which.
pub(crate) async fn keep(State(reads): State<Reads>, mut request: Request, next: Next) -> Response {
    let wait = match wait(request.headers()) {
        Ok(wait) => wait,
        // Before anything is done.
        Err(refused) => return refused.into_response(),
    };
    let Some(wait) = wait.filter(|wait| !wait.most.is_zero()) else { return next.run(request).await };
    let (parts, body) = request.into_parts();
    let waiting = Waiting { reads, who: Arc::new(parts.clone()), wait };
    request = Request::from_parts(parts, body);
    request.extensions_mut().insert(waiting.clone());
    let mut response = next.run(request).await;
    let token = response.headers().get(TOKEN_HEADER).and_then(|token| token.to_str().ok()?.parse::<Token>().ok());
    if let Some(token) = token.filter(|_| response.extensions().get::<Kept>().is_none()) {
        tell(response.headers_mut(), waiting.see(&token).await, wait);
    }
    response
}

/// Writes into an answer's head what came of the wait.
fn tell(headers: &mut HeaderMap, sight: Sight, Wait { most, reach }: Wait) {
    match sight {
        Sight::Told(said) => {
            headers.extend(said);
            let applied = HeaderValue::try_from(format!("wait={}; in={}", most.as_secs(), reach.as_str())).ok();
            headers.extend(applied.map(|applied| (HeaderName::from_static(APPLIED), applied)));
        }
        Sight::Unknown => {
            headers.insert(CONSISTENCY_HEADER, HeaderValue::from_static(sight.as_str()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preferred(texts: &[&str]) -> Result<Option<(u64, Reach)>, ApiError> {
        let mut headers = HeaderMap::new();
        for text in texts {
            headers.append(PREFER, HeaderValue::from_str(text).expect("visible"));
        }
        Ok(wait(&headers)?.map(|wait| (wait.most.as_secs(), wait.reach)))
    }

    #[test]
    fn a_wait_is_found_among_other_preferences() {
        let found = |texts: &[&str]| preferred(texts).expect("understood");
        assert_eq!(found(&[]), None);
        assert_eq!(found(&["return=minimal"]), None);
        assert_eq!(found(&["handling=lenient; wait=7"]), None, "a parameter of another preference");
        assert_eq!(found(&["wait=5"]), Some((5, Reach::Views)));
        assert_eq!(found(&["wait=5; other=search"]), Some((5, Reach::Views)));
        assert_eq!(found(&["return=minimal, Wait = 30 ; in = \"search\""]), Some((30, Reach::Search)));
        assert_eq!(found(&["respond-async", "wait=0;foo;in=vectors"]), Some((0, Reach::Vectors)));
        assert_eq!(found(&["wait=1, wait=2"]), Some((1, Reach::Views)));
    }

    #[test]
    fn a_wait_that_makes_no_sense_is_refused() {
        for text in
            ["wait", "wait=", "wait=31", "wait=-1", "wait=1.5", "wait=x; in=search", "wait=5; in=index", "wait=5; in"]
        {
            let problem = preferred(&[text]).expect_err(text).into_problem();
            assert_eq!((problem.status, problem.errors[0].pointer.as_str()), (400, "Prefer"), "{text}");
        }
    }
}
