//! The two layers between a request and its route: who calls, and whether the route lets them.

use crate::{caller::Caller, key, key::AdminKey, rule::Rule};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Middleware of a process: finds out who calls (`middleware::from_fn_with_state(admin_key, guard::identify)`).
pub async fn identify(State(admin): State<AdminKey>, mut request: Request, next: Next) -> Response {
    let caller = match key::sent(request.headers()) {
        None => Caller::Anonymous,
        Some(sent) if admin.is(sent) => Caller::Admin,
        Some(_) => Caller::Unknown,
    };
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Middleware of a route, put there by [`crate::Routes`]. A process that does not say who calls lets nobody in.
pub(crate) async fn admit(State(rule): State<Rule>, request: Request, next: Next) -> Response {
    let checked = rule.check(request.extensions().get().unwrap_or(&Caller::Unknown));
    match checked {
        Ok(()) => next.run(request).await,
        Err(denied) => denied.into_response(),
    }
}
