//! `/v1/merchandising/{synonyms|rules|facets|experiments}/{name}`.

mod experiments;
mod facets;
mod rules;
mod synonyms;

use super::commands::Definitions;
use crate::{
    domain::definition::Checked,
    http::{
        extract::{BareCommand, Command},
        named::PathName,
        problem::ApiError,
    },
    pipeline::{
        App, Rejection,
        command::CarriedOut,
        definition::{DefinitionRequest, Kept},
    },
};
use access::{Permission, Routes, Rule};
use schemas::{Timestamp, events::merchandising::Window};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

const STAFF: Rule = Rule::Staff(Permission::MerchandisingWrite);

/// The routes of this slice.
pub(super) fn routes() -> Routes<App> {
    Routes::default()
        .allow(STAFF, routes!(synonyms::define, synonyms::remove))
        .allow(STAFF, routes!(rules::define, rules::remove))
        .allow(STAFF, routes!(facets::define, facets::remove))
        .allow(STAFF, routes!(experiments::define, experiments::remove))
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

async fn define<C: Kept>(app: &App, name: PathName, command: Command<impl Into<C>>) -> Result<CarriedOut, ApiError> {
    let content = Checked::parse(command.body.into()).map_err(Rejection::invalid)?;
    let request = DefinitionRequest::<C>::new(command.scope.tenant, name.0, command.expected, Some(content));
    Ok(app.command::<Definitions<C>>(&command.scope, command.key.as_ref(), request).await?)
}

async fn remove<C: Kept>(app: &App, name: PathName, command: BareCommand) -> Result<CarriedOut, ApiError> {
    let request = DefinitionRequest::<C>::new(command.scope.tenant, name.0, command.expected, None);
    Ok(app.command::<Definitions<C>>(&command.scope, command.key.as_ref(), request).await?)
}
