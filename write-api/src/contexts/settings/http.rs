//! `/v1/settings/{tax-zones|shipping-methods|locations|channels}/{name}`, and `/v1/settings/policy`.

mod channels;
mod locations;
mod policy;
mod shipping_methods;
mod tax_zones;

use super::{commands::Settings, domain::Setting};
use crate::{
    domain::{Name, definition::Checked},
    http::{
        extract::{BareCommand, Command},
        problem::ApiError,
    },
    pipeline::{
        App, Rejection,
        command::CarriedOut,
        definition::{DefinitionRequest, Kept},
    },
};
use access::{Permission, Routes, Rule};
use utoipa_axum::routes;

const STAFF: Rule = Rule::Staff(Permission::SettingsWrite);

/// The routes of this slice.
pub(super) fn routes() -> Routes<App> {
    Routes::default()
        .allow(STAFF, routes!(tax_zones::define, tax_zones::remove))
        .allow(STAFF, routes!(shipping_methods::define, shipping_methods::remove))
        .allow(STAFF, routes!(locations::define, locations::remove))
        .allow(STAFF, routes!(channels::define, channels::remove))
        .allow(STAFF, routes!(policy::define, policy::remove))
}

async fn define<C: Setting + Kept>(app: &App, name: Name, command: Command<C>) -> Result<CarriedOut, ApiError> {
    let content = Checked::parse(command.body).map_err(Rejection::invalid)?;
    let request = DefinitionRequest::<C>::new(command.scope.tenant, name, command.expected, Some(content));
    Ok(app.command::<Settings<C>>(&command.scope, command.key.as_ref(), request).await?)
}

async fn remove<C: Setting + Kept>(app: &App, name: Name, command: BareCommand) -> Result<CarriedOut, ApiError> {
    let request = DefinitionRequest::<C>::new(command.scope.tenant, name, command.expected, None);
    Ok(app.command::<Settings<C>>(&command.scope, command.key.as_ref(), request).await?)
}
