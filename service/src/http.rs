//! Serving HTTP and HTTPS: binding with a sentence that helps, bounds on what clients may take, what protects them, draining
//! on shutdown, and problems as answers.

mod activity;
mod body;
mod connection;
mod forwarded;
mod head;
mod hosts;
mod options;
mod peers;
mod proxies;
mod request_deadline;
mod server;
mod socket;
mod tls;
mod wire;

pub use body::BodyDeadline;
pub use forwarded::forwarded;
pub use hosts::{Hosts, named_hosts};
pub use options::HttpOptions;
pub use proxies::TrustedProxies;
pub use request_deadline::{RequestDeadline, in_own_time};
pub use server::serve;

use crate::request::CORRELATION_HEADER;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemas::problem::{MEDIA_TYPE, Problem};
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpListener;

/// The address can't be listened on, or serving broke.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another process has the port.
    #[error("the address {0} is in use. Stop what listens there, or choose another with --listen HOST:PORT")]
    InUse(SocketAddr),
    /// Any other failure.
    #[error("the address {0} can't be served: {1}")]
    Failed(SocketAddr, std::io::Error),
    /// The certificate or its key can't be used.
    #[error("{0}. Give PEM files that belong together with --tls-certificate FILE --tls-key FILE")]
    Tls(String),
}

/// The address that a request came from; an extension of every request. Behind a proxy it is the proxy's, unless
/// `--trusted-proxies` names it: then it is the one that the proxy tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Binds an address.
///
/// # Errors
/// [`ServeError`] with what to do about it.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => ServeError::InUse(address),
        _ => ServeError::Failed(address, error),
    })
}

/// When a client may try again what was refused for a moment.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// What is sent where a problem has no JSON form, which would be a defect.
const NO_JSON: &[u8] =
    br#"{"type":"/problems/internal","title":"Something went wrong on our side","status":500,"code":"internal"}"#;

/// A problem as an HTTP answer with its status and media type, and with `Retry-After` where trying again may help, and with
/// `WWW-Authenticate` where a key is asked for. The problem
/// is an extension of the answer, too: for layers that add to it, and for the server, which counts refusals.
#[derive(Debug, Clone)]
pub struct ProblemResponse(pub Problem);

impl IntoResponse for ProblemResponse {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let content = [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
        let mut response = (status, content, problem_json(&self.0)).into_response();
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self.0);
        response
    }
}

/// Whether something was refused for want of room or time, or for the address it was sent to.
const fn is_refusal(problem: &Problem) -> bool {
    matches!(problem.status, 408 | 413 | 414 | 421 | 429 | 431 | 503 | 504)
}

/// A problem with the id of its request, which the answer names as well.
fn signed(mut problem: Problem, id: &str) -> Response {
    problem.instance = Some(id.to_owned());
    let mut response = ProblemResponse(problem).into_response();
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert(CORRELATION_HEADER, id);
    }
    response
}

/// A problem as JSON.
#[must_use]
pub fn problem_json(problem: &Problem) -> Vec<u8> {
    serde_json::to_vec(problem).unwrap_or_else(|error| {
        tracing::error!(%error, problem.code, "a problem has no JSON form");
        NO_JSON.to_vec()
    })
}
