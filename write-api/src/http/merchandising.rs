//! `/v1/merchandising/{synonyms|rules|facets|experiments}/{name}`.

pub(super) mod experiments;
pub(super) mod facets;
pub(super) mod rules;
pub(super) mod synonyms;

use super::{
    extract::{BareCommand, Command},
    problem::ApiError,
};
use crate::{
    app::{
        App, Rejected,
        command::Reply,
        merchandising::{DefinitionLine, Definitions},
    },
    domain::merchandising::{Checked, Content, Name},
};
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use schemas::{Timestamp, events::merchandising::Window, problem::FieldError};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// The name in the path, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "read by the OpenAPI macros only")]
pub(super) struct NameParameter {
    /// Lower-case letters, digits and single hyphens between, 1 to 64 characters
    name: String,
}

/// The name in the path.
pub(super) struct PathName(Name);

impl FromRequestParts<App> for PathName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let text = Path::<String>::from_request_parts(parts, app).await.map(|Path(text)| text).unwrap_or_default();
        let name = Name::parse(&text).map_err(|reason| Rejected::Invalid(vec![FieldError::new("name", reason)]))?;
        Ok(Self(name))
    }
}

/// A span of time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WindowInput {
    /// From when, inclusive; always, if absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Until when, exclusive; for ever, if absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl From<WindowInput> for Window {
    fn from(input: WindowInput) -> Self {
        Self { from: input.from, until: input.until }
    }
}

/// What is on unless it is said to be off.
const fn on() -> bool {
    true
}

async fn define<C: Content>(app: &App, name: PathName, command: Command<impl Into<C>>) -> Result<Reply, ApiError> {
    let content = Checked::parse(command.body.into()).map_err(Rejected::Invalid)?;
    let line = DefinitionLine::<C>::new(command.scope.tenant, name.0, command.expected, Some(content));
    Ok(app.command::<Definitions<C>>(&command.scope, command.key.as_ref(), line).await?)
}

async fn remove<C: Content>(app: &App, name: PathName, command: BareCommand) -> Result<Reply, ApiError> {
    let line = DefinitionLine::<C>::new(command.scope.tenant, name.0, command.expected, None);
    Ok(app.command::<Definitions<C>>(&command.scope, command.key.as_ref(), line).await?)
}
