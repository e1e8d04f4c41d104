//! What the head of a request may be, and what the head of every answer says.

use super::options::HttpOptions;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use schemas::{
    problem::{Code, Problem},
    token::TOKEN_HEADER,
};

/// The most bytes of path and query.
const MAX_URI_BYTES: usize = 8 << 10;
/// The most bytes of all headers, names and values, but for tokens.
const MAX_HEADER_BYTES: usize = 32 << 10;
/// The most bytes of consistency tokens: one that names as many aggregates as it may (`schemas::token::MAX_ENTRIES`).
const MAX_TOKEN_BYTES: usize = 256 << 10;
/// The most headers.
const MAX_HEADERS: usize = 100;

/// What is held of a head before it is refused unread. It is more than may come, so that most of what is too large is
/// told so by this module, which knows by how much.
pub(super) const HELD_BYTES: u32 = 384 << 10;

/// Why a request is not passed on to its route.
pub(super) fn refusal(parts: &Parts, options: &HttpOptions) -> Option<Problem> {
    let uri = parts.uri.path_and_query().map_or(0, |text| text.as_str().len());
    if uri > MAX_URI_BYTES {
        let detail = format!("path and query have at most {MAX_URI_BYTES} bytes, and these {uri}");
        return Some(Problem::new(Code::UriTooLong).detail(detail));
    }
    let (count, tokens, others) = sizes(&parts.headers);
    if count > MAX_HEADERS || others > MAX_HEADER_BYTES {
        let detail = format!(
            "at most {MAX_HEADERS} headers of {MAX_HEADER_BYTES} bytes in all are read, and these are {count} of {others}"
        );
        return Some(Problem::new(Code::HeadersTooLarge).detail(detail));
    }
    if tokens > MAX_TOKEN_BYTES {
        let detail = format!("consistency tokens have at most {MAX_TOKEN_BYTES} bytes, and these {tokens}");
        return Some(Problem::new(Code::HeadersTooLarge).detail(detail));
    }
    if !options.hosts.serve(parts) {
        let detail = "the host that the request names is none of those that this server answers to";
        return Some(Problem::new(Code::Misdirected).detail(detail));
    }
    None
}

/// How many headers there are, the bytes of tokens, and those of the others.
fn sizes(headers: &HeaderMap) -> (usize, usize, usize) {
    headers.iter().fold((headers.len(), 0, 0), |(count, tokens, others), (name, value)| {
        let bytes = name.as_str().len() + value.len();
        if name == TOKEN_HEADER { (count, tokens + bytes, others) } else { (count, tokens, others + bytes) }
    })
}

/// What every answer says, unless its route has said something else: nobody guesses its type, shows it in a frame, loads
/// anything for it, is told where it came from, or takes it into a page of another origin without asking.
const PROTECTION: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Adds to an answer what protects those who get it.
pub(super) fn protect(headers: &mut HeaderMap, options: &HttpOptions) {
    for (name, value) in PROTECTION {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if options.hsts_seconds > 0 {
        let age = format!("max-age={}", options.hsts_seconds);
        headers.extend(HeaderValue::from_str(&age).ok().map(|value| (header::STRICT_TRANSPORT_SECURITY, value)));
    }
}
