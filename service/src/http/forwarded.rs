//! What a process tells another of the request that it has in hand.

use super::Peer;
use crate::RequestContext;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};

/// The headers of a request that goes on: those of `names` as they came, its host, from which the shop follows, its trace, and
/// the address of whoever made it.
#[must_use]
pub fn forwarded(parts: &Parts, names: &[HeaderName]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in names {
        headers.extend(parts.headers.get(name).map(|value| (name.clone(), value.clone())));
    }
    // Over HTTP/2 the host is a part of the address.
    let host = match parts.uri.authority() {
        Some(authority) => HeaderValue::try_from(authority.as_str()).ok(),
        None => parts.headers.get(header::HOST).cloned(),
    };
    headers.extend(host.map(|host| (header::HOST, host)));
    let context = parts.extensions.get::<RequestContext>();
    let trace = context.and_then(|context| HeaderValue::try_from(context.traceparent.as_deref()?).ok());
    headers.extend(trace.map(|trace| (HeaderName::from_static("traceparent"), trace)));
    let peer = parts.extensions.get().and_then(|Peer(address)| HeaderValue::try_from(address.to_string()).ok());
    headers.extend(peer.map(|peer| (HeaderName::from_static("x-forwarded-for"), peer)));
    headers
}
