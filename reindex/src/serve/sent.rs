//! What a request says, or a problem that says what is wrong with it in words of JSON.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use schemas::problem::{Code, Problem};
use serde::de::DeserializeOwned;
use service::{http::ProblemResponse, json};

/// The JSON body, whatever media type it is sent as: one that is ignored for its type would do more than was asked. An
/// empty one is read as `null`.
pub(crate) struct Sent<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let body = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        read(&body).map(Self).map_err(|problem| ProblemResponse(problem).into_response())
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let text = if body.trim_ascii().is_empty() { b"null" } else { body };
    json::read(text)
        .map_err(|error| Problem::new(Code::InvalidRequest).detail("the body can't be read").errors(vec![error]))
}

/// The number of a dead letter in the path.
pub(crate) struct DeadLetterId(pub i64);

impl<S: Send + Sync> FromRequestParts<S> for DeadLetterId {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        text.parse().map(Self).map_err(|_| {
            let detail = format!("`{text}`: the number of a dead letter is expected");
            ProblemResponse(Problem::new(Code::InvalidRequest).detail(detail)).into_response()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Prune {
        keep: Option<u32>,
        dry_run: bool,
    }

    #[test]
    fn what_is_wrong_is_said_in_words_of_json() {
        assert_eq!(read::<Option<Prune>>(b" ").expect("nothing"), None);
        let prune = read::<Option<Prune>>(br#"{"keep": 2, "dry_run": true}"#).expect("a body");
        assert_eq!(prune, Some(Prune { keep: Some(2), dry_run: true }));
        for body in [r#"{"keep": "two"}"#, r#"{"kept": 2}"#, r#"{"dry_run": 1}"#, "[1, 2", "7"] {
            let problem = read::<Option<Prune>>(body.as_bytes()).expect_err(body);
            let told = serde_json::to_string(&problem).expect("JSON");
            assert!(problem.status == 400 && !told.contains("Prune") && !told.contains("u32"), "{told}");
        }
        assert!(read::<Prune>(b"").is_err(), "a body that has to be there");
    }
}
