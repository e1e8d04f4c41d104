//! `reindex serve`: the same operations over HTTP, for the console, and the background jobs. query-api passes staff's
//! requests on to it; it is the only process that executes them.

use crate::{context::CommandContext, failure::Failure, reconcile};
use axum::{
    Router,
    extract::Request,
    http::header,
    middleware::{self, Next},
    response::IntoResponse,
};
use schemas::problem::{Code, Problem};
use service::{
    Health, Metrics, Refusals, Supervisor,
    http::{ProblemResponse, in_own_time},
    request,
    shutdown::Shutdown,
};
use sha2::{Digest, Sha256};

mod actor;
mod answer;
mod background;
mod dead_letters;
mod history;
mod operations;
mod options;
mod sent;
mod watches;

pub use options::Args;

/// Serves until shutdown.
///
/// # Errors
/// If there is no staff key, or the address can't be served.
pub async fn run(context: CommandContext, args: Args) -> Result<(), Failure> {
    let Some(key) = context.staff_key.clone() else {
        return Err(Failure::Other("operations are for staff: give --staff-key, the same as query-api's".to_owned()));
    };
    let shutdown = Shutdown::on_signals();
    let (health, registry) = (Health::default(), Metrics::default());
    let listener =
        service::http::bind(args.operations_listen).await.map_err(|error| Failure::Other(error.to_string()))?;
    let write = args.reconcile.write_database_url.as_deref().map(reconcile::write_pool).transpose()?;
    background::start(&context, &args, &registry, &Supervisor::new(health.clone(), &registry), &shutdown);
    let expected = Sha256::digest(key);
    let guard = move |request: Request, next: Next| async move {
        let sent = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        // The hashes are compared, so that the time tells nothing of the key.
        if sent
            .and_then(|text| text.strip_prefix("Bearer "))
            .is_some_and(|sent| Sha256::digest(sent.trim()) == expected)
        {
            return next.run(request).await;
        }
        let problem = Problem::new(Code::Unauthorized).detail("send the staff key as `Authorization: Bearer <key>`");
        ProblemResponse(problem).into_response()
    };
    let router = Router::new()
        .merge(dead_letters::router(context.clone()))
        .merge(history::router(context.clone(), write))
        .merge(operations::router(context))
        // A rebuild takes as long as it takes.
        .layer(middleware::from_fn(in_own_time))
        .layer(middleware::from_fn(guard))
        .layer(middleware::from_fn(request::accompany))
        .merge(health.routes())
        .merge(registry.routes());
    let refusals = Refusals::new(&registry);
    service::http::serve(listener, router, args.http, refusals, shutdown)
        .await
        .map_err(|error| Failure::Other(error.to_string()))
}
