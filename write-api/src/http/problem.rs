//! The only place where an error becomes a status.

use crate::{
    app::{Error, Rejected},
    domain::{catalog::category, catalog::product, inventory},
    store::Failure,
};
use axum::{
    body::Body,
    extract::Request,
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use schemas::problem::{Code, FieldError, Problem};
use service::{RequestContext, http::ProblemResponse};
use std::any::Any;

/// A problem as an answer.
#[derive(Debug)]
pub(super) struct ApiError(Box<Problem>);

impl ApiError {
    /// A problem to answer with.
    pub(super) fn new(problem: Problem) -> Self {
        Self(Box::new(problem))
    }

    /// A header or parameter that can't be understood.
    pub(super) fn unreadable(pointer: &str, detail: impl Into<String>) -> Self {
        Self::new(Problem::new(Code::InvalidRequest).errors(vec![FieldError::new(pointer, detail)]))
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self::new(of_error(&error))
    }
}

impl From<Rejected> for ApiError {
    fn from(rejected: Rejected) -> Self {
        Self::new(of_rejected(&rejected))
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        Self::new(of_failure(&failure))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = ProblemResponse(Problem::clone(&self.0)).into_response();
        // For `sign`, which knows the id of the request.
        response.extensions_mut().insert(*self.0);
        response
    }
}

/// The problem of an error.
pub(super) fn of_error(error: &Error) -> Problem {
    match error {
        Error::Rejected(rejected) => of_rejected(rejected),
        Error::Failed(failure) => of_failure(failure),
        Error::KeyReused => Problem::new(Code::IdempotencyKeyReused)
            .detail("this idempotency key came with another request before; use a new one for each request"),
    }
}

/// The problem of a refused command.
pub(super) fn of_rejected(rejected: &Rejected) -> Problem {
    match rejected {
        Rejected::Unreadable(errors) => Problem::new(Code::InvalidRequest).errors(errors.clone()),
        Rejected::Invalid(errors) => Problem::new(Code::ValidationFailed).errors(errors.clone()),
        Rejected::TooLarge(detail) => Problem::new(Code::TooLarge).detail(detail),
        Rejected::NotFound(detail) => Problem::new(Code::NotFound).detail(detail),
        Rejected::VersionRequired { current } => Problem::new(Code::VersionRequired)
            .detail(format!("send If-Match with the version you saw; the current one is \"{current}\"")),
        Rejected::VersionStale { expected, current } => {
            let current = current.map_or("there is none now".to_owned(), |at| format!("the current one is \"{at}\""));
            Problem::new(Code::VersionConflict).detail(format!("If-Match says \"{expected}\", but {current}"))
        }
        Rejected::Contended => {
            Problem::new(Code::VersionConflict).detail("others were faster, several times; try again")
        }
        Rejected::Product(rejection) => of_product(rejection),
        Rejected::Category(rejection) => of_category(rejection),
        Rejected::Price(rejection) => Problem::new(Code::NotFound).detail(rejection.to_string()),
        Rejected::Definition(rejection) => Problem::new(Code::NotFound).detail(rejection.to_string()),
        Rejected::Stock(rejection) => match rejection {
            inventory::Rejection::Insufficient { .. } => {
                Problem::new(Code::InsufficientStock).detail(rejection.to_string())
            }
            inventory::Rejection::TooMany { .. } => invalid("/quantity", rejection),
        },
    }
}

fn invalid(pointer: impl Into<String>, rejection: &impl ToString) -> Problem {
    Problem::new(Code::ValidationFailed).errors(vec![FieldError::new(pointer, rejection.to_string())])
}

fn taken(code: Code, pointer: impl Into<String>, rejection: &impl ToString) -> Problem {
    let detail = rejection.to_string();
    Problem::new(code).detail(detail.clone()).errors(vec![FieldError::new(pointer, detail)])
}

fn of_product(rejection: &product::Rejection) -> Problem {
    match rejection {
        product::Rejection::Missing => Problem::new(Code::NotFound).detail(rejection.to_string()),
        product::Rejection::Exists(_) => taken(Code::ExternalIdTaken, "/external_id", rejection),
        product::Rejection::SlugTaken { .. } => taken(Code::SlugTaken, "/slug", rejection),
        product::Rejection::ExternalIdTaken { .. } => taken(Code::ExternalIdTaken, "/external_id", rejection),
        product::Rejection::SkuTaken { index, .. } => {
            taken(Code::SkuTaken, format!("/variants/{index}/sku"), rejection)
        }
        product::Rejection::UnknownVariant { index } => invalid(format!("/variants/{index}/id"), rejection),
        product::Rejection::UnknownCategory { index } => invalid(format!("/category_ids/{index}"), rejection),
        product::Rejection::NeverPublished => Problem::new(Code::StatusConflict).detail(rejection.to_string()),
    }
}

fn of_category(rejection: &category::Rejection) -> Problem {
    match rejection {
        category::Rejection::Missing => Problem::new(Code::NotFound).detail(rejection.to_string()),
        category::Rejection::Exists(_) => taken(Code::ExternalIdTaken, "/external_id", rejection),
        category::Rejection::UnknownParent => invalid("/parent_id", rejection),
        category::Rejection::SlugTaken { .. } => taken(Code::SlugTaken, "/slug", rejection),
        category::Rejection::ExternalIdTaken { .. } => taken(Code::ExternalIdTaken, "/external_id", rejection),
        category::Rejection::BelowItself | category::Rejection::TooDeep(_) | category::Rejection::HasChildren => {
            Problem::new(Code::CategoryTree).detail(rejection.to_string())
        }
    }
}

/// The problem of a failure; what the database said goes to the log only.
fn of_failure(failure: &Failure) -> Problem {
    match failure {
        Failure::Conflict => of_rejected(&Rejected::Contended),
        Failure::Locked => Problem::new(Code::IdempotencyInProgress)
            .detail("a request with this idempotency key, or one to the same things, is still running; try again"),
        Failure::Unavailable(_) => {
            tracing::warn!(error = %failure, "a command could not be carried out");
            Problem::new(Code::Unavailable).detail("the write database does not answer")
        }
        Failure::Unreadable(..) | Failure::Unwritable(_) | Failure::Database(_) => {
            tracing::error!(error = %failure, "a command could not be carried out");
            internal()
        }
    }
}

/// A defect of ours.
pub(super) fn internal() -> Problem {
    Problem::new(Code::Internal).detail("the log has more under the request's correlation id")
}

/// A line that was not tried because of another.
pub(super) fn not_tried() -> Problem {
    Problem::new(Code::NotTried)
}

/// No route has that path.
pub(super) fn no_route() -> ApiError {
    ApiError::new(Problem::new(Code::NotFound).detail("no route has this path; see /openapi.json"))
}

/// The path has a route, but not for that method.
pub(super) fn no_method() -> ApiError {
    ApiError::new(Problem::new(Code::MethodNotAllowed).detail("see /openapi.json for what is offered"))
}

/// A panic was caught.
#[expect(clippy::needless_pass_by_value, reason = "the shape that tower-http's CatchPanicLayer asks for")]
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    tracing::error!(panic = panic_text(panic.as_ref()), "a request panicked");
    ApiError::new(internal()).into_response()
}

/// What a panic said.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("?")
}

/// Middleware: puts the correlation id on every problem.
pub(super) async fn sign(request: Request, next: Next) -> Response {
    let context = request.extensions().get::<RequestContext>().cloned();
    let mut response = next.run(request).await;
    if let (Some(context), Some(mut problem)) = (context, response.extensions_mut().remove::<Problem>()) {
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        problem.instance = Some(context.correlation_id);
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = Body::from(serde_json::to_vec(&problem).unwrap_or_default());
    }
    response
}
