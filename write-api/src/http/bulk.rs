//! Bulk writes over HTTP: NDJSON in, an answer line per line out.
//!
//! A stream whose lines stand alone is carried out and answered in chunks while it still comes. One that is one
//! transaction is taken in whole first. So no transaction ever waits for a client.

mod answer;
mod driver;
mod frames;
mod spool;

pub(crate) use answer::BulkAnswer;

use super::{
    extract, idempotency,
    prefer::Waiting,
    problem::{self, ApiError},
};
use crate::{
    clock::Clock,
    pipeline::{App, BulkPlace, Error, Rejection, Scope, WorkingSet, bulk::OnError},
};
use axum::{
    body::Body,
    extract::{FromRequest, Query, Request},
    http::{header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use driver::Driver;
use futures::FutureExt;
use schemas::problem::{Code, Problem};
use service::http::BodyDeadline;
use std::{collections::HashMap, panic::AssertUnwindSafe};
use tokio::sync::mpsc;
use tracing::Instrument;
use utoipa::IntoParams;

/// Parameters of a bulk write.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the OpenAPI macros only")]
pub(crate) struct BulkParameters {
    /// What a rejected line means: `skip` (default; the others are written), `stop` (those after it
    /// are not tried), `all-or-nothing` (one transaction, begun when all of the body has come; at
    /// most 100,000 lines)
    on_error: Option<String>,
    /// Decide everything, write nothing; at most 100,000 lines
    dry_run: Option<bool>,
}

/// A bulk write that is about to start.
pub(crate) struct BulkCommand {
    app: App,
    scope: Scope,
    on_error: OnError,
    dry_run: bool,
    key: Option<(String, Parts)>,
    body: Body,
    place: BulkPlace,
    waiting: Option<Waiting>,
}

impl FromRequest<App> for BulkCommand {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let scope = extract::scope(&mut parts, app).await?;
        let (on_error, dry_run) = parameters(&parts)?;
        // The stream sees to its gaps itself.
        if let Some(deadline) = parts.extensions.get::<BodyDeadline>() {
            deadline.lift();
        }
        let waiting = parts.extensions.remove();
        let key = idempotency::key_of(&parts)?.filter(|_| !dry_run).map(|key| (key, parts));
        let place = app.bulk.place(scope.tenant).await.ok_or_else(no_place)?;
        Ok(Self { app: app.clone(), scope, on_error, dry_run, key, body, place, waiting })
    }
}

fn parameters(parts: &Parts) -> Result<(OnError, bool), ApiError> {
    let query = Query::<HashMap<String, String>>::try_from_uri(&parts.uri)
        .map_err(|error| ApiError::unreadable("query", error.to_string()))?;
    let (mut on_error, mut dry_run) = (OnError::Skip, false);
    for (name, value) in query.0 {
        match (name.as_str(), value.as_str()) {
            ("on_error", "skip") => on_error = OnError::Skip,
            ("on_error", "stop") => on_error = OnError::Stop,
            ("on_error", "all-or-nothing") => on_error = OnError::AllOrNothing,
            ("on_error", _) => {
                return Err(ApiError::unreadable("on_error", "skip, stop or all-or-nothing is expected"));
            }
            ("dry_run", "true" | "1" | "") => dry_run = true,
            ("dry_run", "false" | "0") => dry_run = false,
            ("dry_run", _) => return Err(ApiError::unreadable("dry_run", "true or false is expected")),
            _ => return Err(ApiError::unreadable(&name, "there is no such parameter")),
        }
    }
    Ok((on_error, dry_run))
}

fn no_place() -> ApiError {
    ApiError::new(Problem::new(Code::Overloaded).detail("as many bulk writes as this process takes are under way"))
}

/// How the lines of a use case are read.
pub(crate) type Parse<W> = fn(&[u8], &dyn Clock) -> Result<<W as WorkingSet>::Input, Rejection>;

impl BulkCommand {
    /// Carries it out in a task of its own, which ends when nobody reads its answers any more.
    pub(crate) fn start<W: WorkingSet>(self, parse: Parse<W>) -> Response {
        let (sender, receiver) = mpsc::channel::<Bytes>(4);
        let (gap, refusals) = (self.app.bulk.gap, self.app.refusals.clone());
        let task = async move {
            let driver = Driver::<W>::new(self, parse, sender.clone());
            let problem = match AssertUnwindSafe(driver.run()).catch_unwind().await {
                Ok(Ok(())) => return,
                Ok(Err(Stop::Gone)) => return,
                Ok(Err(Stop::Problem(problem))) => problem,
                Err(panic) => {
                    tracing::error!(panic = problem::panic_text(panic.as_ref()), "a bulk write panicked");
                    problem::internal()
                }
            };
            if matches!(problem.status, 408 | 413 | 503) {
                refusals.count(&problem.code);
            }
            // The last line of a stream that broke off: no summary comes. Who does not read does not read this either.
            let _ = sender.send_timeout(answer::broken(&problem), gap).await;
        };
        tokio::spawn(task.instrument(tracing::Span::current()));
        let answers = futures::stream::unfold(receiver, |mut receiver| async move {
            Some((Ok::<_, std::convert::Infallible>(receiver.recv().await?), receiver))
        });
        ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(answers)).into_response()
    }
}

/// Why a bulk write ends early.
enum Stop {
    /// Nobody reads the answers.
    Gone,
    Problem(Problem),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Problem(problem::of_error(&error))
    }
}

impl From<serde_json::Error> for Stop {
    fn from(error: serde_json::Error) -> Self {
        tracing::error!(error = %error, "an answer has no JSON form");
        Self::Problem(problem::internal())
    }
}
