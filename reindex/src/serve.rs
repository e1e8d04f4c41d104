//! `reindex serve`: the same operations over HTTP, for the console, and the background jobs. query-api passes staff's
//! requests on to it; it is the only process that executes them.

use crate::{context::CommandContext, failure::Failure, reconcile};
use access::{AdminKey, Callers, guard};
use axum::middleware;
use service::{Health, Metrics, Refusals, Supervisor, http::in_own_time, request, shutdown::Shutdown};

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
/// If there is no admin key, or the address can't be served.
pub async fn run(context: CommandContext, args: Args) -> Result<(), Failure> {
    let Some(key) = context.admin_key.clone() else {
        return Err(Failure::Other(
            "operations are for administrators: give --admin-key, the same as query-api's".to_owned(),
        ));
    };
    let shutdown = Shutdown::on_signals();
    let (health, registry) = (Health::default(), Metrics::default());
    let listener =
        service::http::bind(args.operations_listen).await.map_err(|error| Failure::Other(error.to_string()))?;
    let write = args.reconcile.write_database_url.as_deref().map(reconcile::write_pool).transpose()?;
    let supervisor = Supervisor::new(health.clone(), &registry);
    background::start(&context, write.as_ref(), &args, &registry, &supervisor, &shutdown);
    let routes = dead_letters::routes(context.clone())
        .merge(history::routes(context.clone(), write))
        .merge(operations::routes(context));
    let router = routes
        .split()
        .0
        // A rebuild takes as long as it takes.
        .layer(middleware::from_fn(in_own_time))
        .layer(middleware::from_fn_with_state(Callers::administrators(AdminKey::new(Some(&key))), guard::identify))
        .layer(middleware::from_fn(request::accompany))
        .merge(health.routes())
        .merge(registry.routes());
    let refusals = Refusals::new(&registry);
    service::http::serve(listener, router, args.http, refusals, shutdown)
        .await
        .map_err(|error| Failure::Other(error.to_string()))
}
