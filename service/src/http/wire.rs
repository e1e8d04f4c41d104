//! Problems as they go over the wire where no route and no request is there to answer: when there is no place for a
//! connection, and when hyper can't read a head.

use super::{head, options::HttpOptions, problem_json, signed};
use axum::http::header;
use schemas::problem::{Code, Problem};

/// What hyper answers to a head that it does not take: an empty answer that begins so.
const OF_HYPER: [(&[u8], Code, &str); 3] = [
    (b"HTTP/1.1 400 Bad Request\r\n", Code::InvalidRequest, "this is no request of HTTP"),
    (b"HTTP/1.1 414 URI Too Long\r\n", Code::UriTooLong, "path and query of the address are far too long"),
    (
        b"HTTP/1.1 431 Request Header Fields Too Large\r\n",
        Code::HeadersTooLarge,
        "the headers are too many, or far too large",
    ),
];

/// An empty answer, and no more than that.
const EMPTY: &[u8] = b"\r\ncontent-length: 0\r\n";
const MOST_BYTES: usize = 200;

/// The problem that hyper should have answered with, if this is its own answer to a head. Answers of routes that look the
/// same have a body.
pub(super) fn of_hyper(written: &[u8]) -> Option<Problem> {
    if written.len() > MOST_BYTES || !written.starts_with(b"HTTP/1.1 4") || !written.ends_with(b"\r\n\r\n") {
        return None;
    }
    let (_, code, detail) = OF_HYPER.iter().find(|(start, ..)| written.starts_with(start))?;
    let is_empty = written.windows(EMPTY.len()).any(|part| part == EMPTY);
    is_empty.then(|| Problem::new(*code).detail(*detail))
}

/// A problem as the last answer of a connection.
pub(super) fn farewell(problem: Problem, options: &HttpOptions) -> Vec<u8> {
    let id = schemas::Uuid::now_v7().to_string();
    let json = problem_json(&Problem { instance: Some(id.clone()), ..problem.clone() });
    let mut response = signed(problem, &id);
    head::protect(response.headers_mut(), options);
    let mut text = format!(
        "HTTP/1.1 {}\r\nconnection: close\r\n{}: {}\r\n",
        response.status(),
        header::CONTENT_LENGTH,
        json.len()
    );
    for (name, value) in response.headers() {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap_or_default()));
    }
    text.push_str("\r\n");
    let mut text = text.into_bytes();
    text.extend(json);
    text
}
