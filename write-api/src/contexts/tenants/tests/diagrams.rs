//! The states of a shop.

use super::open;
use crate::{
    contexts::tenants::domain::{Tenant, TenantCommand},
    domain::diagram::{Diagram, Exploration},
};
use schemas::events::tenants::Quotas;

pub(in crate::contexts) fn all() -> Vec<Diagram> {
    let tenant = Exploration::<Tenant> {
        title: "Shop",
        given: vec![],
        commands: vec![
            open("Demo"),
            TenantCommand::Suspend("unpaid".into()),
            TenantCommand::Resume,
            TenantCommand::SetOrigins(vec!["https://shop.example".into()]),
            TenantCommand::SetQuotas(Quotas { products: Some(9), ..Quotas::default() }),
            TenantCommand::Delete,
        ],
        name: |tenant| {
            Some(match (tenant.deleted, &tenant.suspended) {
                (true, _) => "deleted",
                (false, Some(_)) => "suspended",
                (false, None) => "open",
            })
        },
        without: &[],
    };
    vec![tenant.diagram()]
}
