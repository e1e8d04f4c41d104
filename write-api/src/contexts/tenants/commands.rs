//! Opening, suspending and resuming tenants.

use super::{
    domain::{OpenTenant, Tenant, TenantCommand},
    table,
};
use crate::pipeline::{Expected, Failure, Loaded, Rejection, Scope, UseCase};
use schemas::{Uuid, ids::TenantId};
use sqlx::PgConnection;
use std::collections::HashMap;

/// What is asked for, of the shop that has a slug.
#[derive(Debug, Clone)]
pub(super) struct TenantRequest {
    pub(super) slug: String,
    pub(super) command: TenantCommand,
}

/// Opening a shop, and closing it for a time; one that is so already is left as it is.
pub(super) struct Manage;

/// Tenants that are opened, suspended or resumed.
pub(super) type Tenants = Loaded<Manage>;

impl UseCase for Manage {
    type Aggregate = Tenant;
    type Input = TenantRequest;
    /// The tenants that have these slugs.
    type Facts = HashMap<String, TenantId>;

    fn name(request: &TenantRequest) -> &'static str {
        match request.command {
            TenantCommand::Open(_) => "open",
            TenantCommand::Suspend(_) => "suspend",
            TenantCommand::Resume => "resume",
        }
    }

    fn expected(_: &TenantRequest) -> Expected {
        Expected::Any
    }

    async fn facts(
        conn: &mut PgConnection,
        _: &Scope,
        requests: &[&TenantRequest],
    ) -> Result<HashMap<String, TenantId>, Failure> {
        let mut known = HashMap::new();
        // They come one at a time.
        for TenantRequest { slug, .. } in requests {
            let found = table::find(&mut *conn, Some(slug), None).await?;
            known.extend(found.map(|(id, _)| (slug.clone(), id)));
        }
        Ok(known)
    }

    fn target(known: &HashMap<String, TenantId>, request: &TenantRequest) -> Result<Uuid, Rejection> {
        let TenantRequest { slug, command } = request;
        match (known.get(slug), command) {
            (Some(id), _) => Ok(id.uuid()),
            (None, TenantCommand::Open(OpenTenant { id, .. })) => Ok(id.uuid()),
            (None, TenantCommand::Suspend(_) | TenantCommand::Resume) => Err(super::domain::Rejection::Missing.into()),
        }
    }

    fn plan(_: &HashMap<String, TenantId>, request: &TenantRequest) -> Result<TenantCommand, Rejection> {
        Ok(request.command.clone())
    }
}
