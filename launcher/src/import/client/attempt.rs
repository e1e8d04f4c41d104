//! One request to the write API and whatever came back of it.

use super::answer::LineAnswer;
use reqwest::{RequestBuilder, Response, StatusCode};
use schemas::problem::Problem;
use serde_json::Value;

/// Why a request did not end well.
#[derive(Debug)]
pub(super) enum Failure {
    /// It may go well in a moment.
    Temporary(String),
    /// The write API is at a loss; tried again a few times.
    Defect(String),
    /// It will not go well however often it is tried.
    Refused(String),
}

/// The answers that came, and why not all did.
pub(super) struct Attempt {
    pub(super) answers: Vec<LineAnswer>,
    pub(super) failure: Option<Failure>,
}

/// Sends a bulk request and reads its answer line by line, so that a connection that breaks in the
/// middle still leaves the answers before.
pub(super) async fn bulk(request: RequestBuilder) -> Attempt {
    let mut answers = Vec::new();
    let failure = match request.send().await {
        Ok(response) if response.status().is_success() => read_answers(response, &mut answers).await.err(),
        Ok(response) => Some(refusal(response).await),
        Err(error) => Some(Failure::Temporary(cause(&error))),
    };
    Attempt { answers, failure }
}

/// An answer of which only the success matters.
pub(super) async fn whole_answer(sent: reqwest::Result<Response>) -> Result<(), Failure> {
    match sent {
        Ok(response) if response.status().is_success() => Ok(()),
        Ok(response) => Err(refusal(response).await),
        Err(error) => Err(Failure::Temporary(cause(&error))),
    }
}

async fn read_answers(mut response: Response, answers: &mut Vec<LineAnswer>) -> Result<(), Failure> {
    let mut rest: Vec<u8> = Vec::new();
    let mut complete = false;
    loop {
        let chunk = response.chunk().await.map_err(|error| Failure::Temporary(cause(&error)))?;
        let ended = chunk.is_none();
        rest.extend_from_slice(&chunk.unwrap_or_default());
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            complete |= read_line(&line, answers)?;
        }
        if ended {
            complete |= read_line(&rest, answers)?;
            break;
        }
    }
    if complete { Ok(()) } else { Err(Failure::Temporary("the answer broke off".to_owned())) }
}

/// Takes in one line; true if it is the summary, which comes last.
fn read_line(line: &[u8], answers: &mut Vec<LineAnswer>) -> Result<bool, Failure> {
    if line.trim_ascii().is_empty() {
        return Ok(false);
    }
    if let Ok(answer) = serde_json::from_slice(line) {
        answers.push(answer);
        return Ok(false);
    }
    match serde_json::from_slice::<Value>(line) {
        Ok(value) if value.get("summary").is_some() => Ok(true),
        Ok(value) => match value.get("problem").cloned().map(serde_json::from_value::<Problem>) {
            Some(Ok(problem)) => Err(judged(problem.status, told(&problem))),
            _ => Err(Failure::Defect(format!("its answer can't be understood: {value}"))),
        },
        // The last line of a connection that broke.
        Err(_) => Err(Failure::Temporary("the answer broke off".to_owned())),
    }
}

async fn refusal(response: Response) -> Failure {
    let status = response.status();
    let body = response.bytes().await.unwrap_or_default();
    let reason = match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => told(&problem),
        Err(_) => format!("it answered {status}"),
    };
    judged(status.as_u16(), reason)
}

fn judged(status: u16, reason: String) -> Failure {
    let temporary = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ];
    match status {
        status if temporary.iter().any(|code| code.as_u16() == status) => Failure::Temporary(reason),
        500.. => Failure::Defect(reason),
        _ => Failure::Refused(reason),
    }
}

/// A problem as one sentence.
pub(crate) fn told(problem: &Problem) -> String {
    let mut text = problem.detail.clone().unwrap_or_else(|| problem.title.clone());
    // A problem of one field often says the same in both places.
    for error in problem.errors.iter().filter(|error| problem.detail.as_ref() != Some(&error.detail)) {
        text.push_str(&format!("; {}: {}", error.pointer, error.detail));
    }
    text
}

/// The innermost cause: the outer ones only repeat the address.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
