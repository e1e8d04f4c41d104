//! Opening, suspending, resuming and deleting tenants, what their pages may read, and how much they may have.

use super::{
    domain::{OpenTenant, Tenant, TenantCommand},
    table,
};
use crate::pipeline::{Expected, Failure, Loaded, Rejection, Scope, UseCase};
use access::shop::TenantName;
use schemas::{Uuid, ids::TenantId};
use sqlx::PgConnection;
use std::collections::HashMap;

/// What is asked for, of the shop of that name.
#[derive(Debug, Clone)]
pub(super) struct TenantRequest {
    pub(super) shop: TenantName,
    pub(super) expected: Expected,
    pub(super) command: TenantCommand,
}

/// Changing a shop; one that is so already is left as it is.
pub(super) struct Manage;

/// Tenants that are changed.
pub(super) type Tenants = Loaded<Manage>;

impl UseCase for Manage {
    type Aggregate = Tenant;
    type Input = TenantRequest;
    /// The tenants that have these names.
    type Facts = HashMap<TenantName, TenantId>;

    fn name(request: &TenantRequest) -> &'static str {
        match request.command {
            TenantCommand::Open(_) => "open",
            TenantCommand::Suspend(_) => "suspend",
            TenantCommand::Resume => "resume",
            TenantCommand::SetOrigins(_) => "set_origins",
            TenantCommand::SetQuotas(_) => "set_quotas",
            TenantCommand::Delete => "delete",
        }
    }

    fn expected(request: &TenantRequest) -> Expected {
        request.expected
    }

    async fn facts(
        conn: &mut PgConnection,
        _: &Scope,
        requests: &[&TenantRequest],
    ) -> Result<HashMap<TenantName, TenantId>, Failure> {
        let mut known = HashMap::new();
        // They come one at a time.
        for TenantRequest { shop, .. } in requests {
            let found = table::id_of(&mut *conn, shop).await?;
            known.extend(found.map(|id| (shop.clone(), id)));
        }
        Ok(known)
    }

    fn target(known: &HashMap<TenantName, TenantId>, request: &TenantRequest) -> Result<Uuid, Rejection> {
        let TenantRequest { shop, command, .. } = request;
        match (known.get(shop), command) {
            (Some(id), _) => Ok(id.uuid()),
            (None, TenantCommand::Open(OpenTenant { id, .. })) => Ok(id.uuid()),
            (
                None,
                TenantCommand::Suspend(_)
                | TenantCommand::Resume
                | TenantCommand::SetOrigins(_)
                | TenantCommand::SetQuotas(_)
                | TenantCommand::Delete,
            ) => Err(super::domain::Rejection::Missing.into()),
        }
    }

    fn plan(_: &HashMap<TenantName, TenantId>, request: &TenantRequest) -> Result<TenantCommand, Rejection> {
        Ok(request.command.clone())
    }
}
