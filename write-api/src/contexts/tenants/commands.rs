//! Opening tenants.

use super::{
    domain::{OpenTenant, Tenant},
    table,
};
use crate::pipeline::{Expected, Failure, Loaded, Rejection, Scope, UseCase};
use schemas::{Uuid, ids::TenantId};
use sqlx::PgConnection;
use std::collections::HashMap;

/// Opening a shop; one that is open already is left as it is.
pub(super) struct Open;

/// Tenants that are opened.
pub(super) type Tenants = Loaded<Open>;

impl UseCase for Open {
    type Aggregate = Tenant;
    type Input = OpenTenant;
    /// The tenants that have these slugs.
    type Facts = HashMap<String, TenantId>;

    fn name(_: &OpenTenant) -> &'static str {
        "open"
    }

    fn expected(_: &OpenTenant) -> Expected {
        Expected::Any
    }

    async fn facts(
        conn: &mut PgConnection,
        _: &Scope,
        inputs: &[&OpenTenant],
    ) -> Result<HashMap<String, TenantId>, Failure> {
        let mut open = HashMap::new();
        // They come one at a time.
        for input in inputs {
            let slug = input.slug.as_str();
            open.extend(table::find(&mut *conn, Some(slug), None).await?.map(|id| (slug.to_owned(), id)));
        }
        Ok(open)
    }

    fn target(open: &HashMap<String, TenantId>, input: &OpenTenant) -> Result<Uuid, Rejection> {
        Ok(open.get(input.slug.as_str()).copied().unwrap_or(input.id).uuid())
    }

    fn plan(_: &HashMap<String, TenantId>, input: &OpenTenant) -> Result<OpenTenant, Rejection> {
        Ok(input.clone())
    }
}
