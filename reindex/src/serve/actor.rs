//! Who acts.

use crate::context::CommandContext;
use axum::{extract::FromRequestParts, http::request::Parts};

/// Who asks, by the header `souk-actor`.
pub struct Actor(pub CommandContext);

impl FromRequestParts<CommandContext> for Actor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, context: &CommandContext) -> Result<Self, Self::Rejection> {
        let named = parts.headers.get("souk-actor").and_then(|value| value.to_str().ok()).map(str::trim);
        let actor = named.filter(|name| !name.is_empty()).unwrap_or("console");
        Ok(Self(context.acting(&actor.chars().take(64).collect::<String>())))
    }
}
