//! What goes wrong, as an answer. Rejections bring their problem along; failures get theirs here.

use crate::pipeline::{Error, Failure, Rejection};
use axum::{
    body::Body,
    extract::Request,
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};
use schemas::problem::{Code, FieldError, Problem};
use service::{
    RequestContext,
    http::{ProblemResponse, problem_json},
};
use std::any::Any;

/// A problem as an answer.
#[derive(Debug)]
pub(crate) struct ApiError(Box<Problem>);

impl ApiError {
    /// A problem to answer with.
    pub(crate) fn new(problem: Problem) -> Self {
        Self(Box::new(problem))
    }

    /// The problem itself.
    pub(crate) fn into_problem(self) -> Problem {
        *self.0
    }

    /// A header or parameter that can't be understood.
    pub(crate) fn unreadable(pointer: &str, detail: impl Into<String>) -> Self {
        Self::new(Problem::new(Code::InvalidRequest).errors(vec![FieldError::new(pointer, detail)]))
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self::new(problem)
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self::new(of_error(&error))
    }
}

impl From<Rejection> for ApiError {
    fn from(rejection: Rejection) -> Self {
        Self::new(rejection.problem().clone())
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        Self::new(of_failure(&failure))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        ProblemResponse(*self.0).into_response()
    }
}

/// The problem of an error.
pub(crate) fn of_error(error: &Error) -> Problem {
    match error {
        Error::Rejected(rejection) => rejection.problem().clone(),
        Error::Failed(failure) => of_failure(failure),
        Error::KeyReused => Problem::new(Code::IdempotencyKeyReused)
            .detail("this idempotency key came with another request before; use a new one for each request"),
    }
}

/// The problem of a failure; what the database said goes to the log only.
fn of_failure(failure: &Failure) -> Problem {
    match failure {
        Failure::Conflict => Rejection::contended().problem().clone(),
        Failure::Locked => Problem::new(Code::IdempotencyInProgress)
            .detail("a request with this idempotency key is still running; try again"),
        Failure::Contended => Problem::new(Code::Contended).detail("nothing was done; try again"),
        Failure::Unavailable(_) => {
            tracing::warn!(error = %failure, "a command could not be carried out");
            Problem::new(Code::Unavailable).detail("the write database does not answer, or not in time")
        }
        Failure::Unreadable(..) | Failure::Unwritable(_) | Failure::NoJson(..) | Failure::Database(_) => {
            tracing::error!(error = %failure, "a command could not be carried out");
            internal()
        }
    }
}

/// A defect of ours.
pub(crate) fn internal() -> Problem {
    Problem::new(Code::Internal).detail("the log has more under the request's correlation id")
}

/// A line that was not tried because of another.
pub(crate) fn not_tried() -> Problem {
    Problem::new(Code::NotTried)
}

/// No route has that path.
pub(crate) fn no_route() -> ApiError {
    ApiError::new(Problem::new(Code::NotFound).detail("no route has this path; see /openapi.json"))
}

/// The path has a route, but not for that method.
pub(crate) fn no_method() -> ApiError {
    ApiError::new(Problem::new(Code::MethodNotAllowed).detail("see /openapi.json for what is offered"))
}

/// A panic was caught.
#[expect(clippy::needless_pass_by_value, reason = "the shape that tower-http's CatchPanicLayer asks for")]
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    tracing::error!(panic = panic_text(panic.as_ref()), "a request panicked");
    ApiError::new(internal()).into_response()
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("?")
}

/// Middleware: puts the correlation id on every problem.
pub(crate) async fn sign(request: Request, next: Next) -> Response {
    let context = request.extensions().get::<RequestContext>().cloned();
    let mut response = next.run(request).await;
    let problem = response.extensions_mut().get_mut::<Problem>();
    if let Some((context, problem)) = context.zip(problem) {
        problem.instance = Some(context.correlation_id);
        let body = Body::from(problem_json(problem));
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = body;
    }
    response
}
