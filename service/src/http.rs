//! Serving HTTP: binding with a sentence that helps, draining on shutdown, and problems as answers.

use crate::shutdown::Shutdown;
use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemas::problem::{MEDIA_TYPE, Problem};
use std::{net::SocketAddr, time::Duration};
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
}

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

/// Serves until shutdown, then lets requests in flight end, for ten seconds at most.
///
/// # Errors
/// [`ServeError::Failed`] if the listener breaks.
pub async fn serve(listener: TcpListener, router: Router, shutdown: Shutdown) -> Result<(), ServeError> {
    let address = listener.local_addr().unwrap_or_else(|_| SocketAddr::from(([0, 0, 0, 0], 0)));
    tracing::info!(listen = %address, "serving");
    let (begin, limit) = (shutdown.clone(), shutdown);
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move { begin.wait().await });
    tokio::select! {
        result = async { serving.await } => result.map_err(|error| ServeError::Failed(address, error)),
        () = async { limit.wait().await; tokio::time::sleep(Duration::from_secs(10)).await } => Ok(()),
    }
}

/// A problem as an HTTP answer with its status and media type.
#[derive(Debug, Clone)]
pub struct ProblemResponse(pub Problem);

impl IntoResponse for ProblemResponse {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        (status, [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], body).into_response()
    }
}
