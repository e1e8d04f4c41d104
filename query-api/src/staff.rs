//! Routes for staff alone.

use crate::{app::App, problem::Refusal};
use axum::{extract::FromRequestParts, http::request::Parts};
use schemas::problem::{Code, Problem};

/// Proof that the request carries the staff key.
#[derive(Debug, Clone, Copy)]
pub struct Staff;

impl FromRequestParts<App> for Staff {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        match &app.operations.key {
            None => Err(Refusal(
                Problem::new(Code::Unauthorized).detail("staff's routes are off: query-api runs without --staff-key"),
            )),
            Some(_) if app.operations.is_staff(&parts.headers) => Ok(Self),
            Some(_) => Err(Refusal(
                Problem::new(Code::Unauthorized).detail("send the staff key as `Authorization: Bearer <key>`"),
            )),
        }
    }
}
