//! `reindex serve`: the same operations over HTTP, for the console, and the background jobs. query-api passes staff's
//! requests on to it; it is the only process that executes them.

use crate::{context::CommandContext, failure::Failure, probe, reconcile};
use axum::{
    Router,
    extract::Request,
    http::header,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use schemas::problem::{Code, FieldError, Problem};
use service::{Health, Metrics, http::ProblemResponse, request, shutdown::Shutdown};
use sha2::{Digest, Sha256};
use std::{net::SocketAddr, time::Duration};

mod background;
mod dead_letters;
mod history;
mod operations;

/// Serve operations to the console, and run the reconciler and the probe
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Example:\n  reindex serve --staff-key $(cat staff.key)")]
pub struct Args {
    /// Address to serve
    #[arg(long, env = "SOUK_OPERATIONS_LISTEN", default_value = "127.0.0.1:8084")]
    pub operations_listen: SocketAddr,
    /// Seconds between two reconciliations; 0 for none
    #[arg(long, env = "SOUK_RECONCILE_SECONDS", default_value_t = 60)]
    pub reconcile_seconds: u64,
    /// What a reconciliation compares
    #[command(flatten)]
    pub reconcile: reconcile::Args,
    /// The synthetic probe
    #[command(flatten)]
    pub probe: probe::Background,
}

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
    background::start(&context, &args, &registry, &shutdown);
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
        .layer(middleware::from_fn(guard))
        .layer(middleware::from_fn(request::accompany))
        .merge(health.routes())
        .merge(registry.routes());
    service::http::serve(listener, router, shutdown).await.map_err(|error| Failure::Other(error.to_string()))
}

/// A failure as an answer.
pub(crate) struct Answered(pub Failure);

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        let problem = match self.0 {
            Failure::Refused(refusal) => {
                let findings = refusal.findings.iter().map(|finding| FieldError::new(refusal.code, finding.clone()));
                Problem::new(Code::OperationRefused).detail(refusal.detail.clone()).errors(findings.collect())
            }
            Failure::TimedOut(detail) => Problem::new(Code::Timeout).detail(detail),
            Failure::Unwritable(error) => Problem::new(Code::InvalidRequest).detail(error.to_string()),
            failure @ (Failure::Query(..) | Failure::File(..) | Failure::Other(_)) => {
                Problem::new(Code::InvalidRequest).detail(failure.to_string())
            }
            failure @ (Failure::Database(_) | Failure::Index(_)) => {
                tracing::error!(error = %failure, "an operation failed");
                Problem::new(Code::Unavailable).detail(failure.to_string())
            }
        };
        ProblemResponse(problem).into_response()
    }
}

impl From<Failure> for Answered {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

/// The pause between two looks of a background job, at least.
pub(crate) const fn pause(seconds: u64) -> Duration {
    Duration::from_secs(if seconds == 0 { 1 } else { seconds })
}
