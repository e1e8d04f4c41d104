//! By when a request is answered, unless its route says something else.

use axum::{extract::Request, middleware::Next, response::Response};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// By when a request that has come is answered: `--http-request-ms`, or 504; an extension of each request.
#[derive(Debug, Clone, Default)]
pub struct RequestDeadline(Arc<AtomicBool>);

impl RequestDeadline {
    /// Lifts the deadline: the route has one of its own, or takes as long as it takes.
    pub fn lift(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_lifted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Middleware (`axum::middleware::from_fn`) of routes that look after their time themselves.
pub async fn in_own_time(request: Request, next: Next) -> Response {
    if let Some(deadline) = request.extensions().get::<RequestDeadline>() {
        deadline.lift();
    }
    next.run(request).await
}
