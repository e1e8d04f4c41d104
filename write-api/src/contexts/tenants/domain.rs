//! Shops on this installation.

use crate::domain::{Aggregate, Slug, validation::Findings};
use schemas::{
    events::tenants::{TenantCreated, TenantsEvent},
    ids::TenantId,
    problem::FieldError,
};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// A shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// The name in addresses.
    pub slug: String,
    /// The name people read.
    pub name: String,
}

/// Opens a shop, unless it is open already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTenant {
    /// The id it gets if it is new.
    pub id: TenantId,
    /// The name in addresses.
    pub slug: Slug,
    /// The name people read.
    pub name: String,
}

impl OpenTenant {
    /// Reads what was given.
    ///
    /// # Errors
    /// What is wrong with slug or name.
    pub fn parse(id: TenantId, slug: &str, name: String) -> Result<Self, Vec<FieldError>> {
        let mut findings = Findings::default();
        let parsed = Slug::parse(slug).map_err(|reason| findings.add("slug", reason)).ok();
        if slug.len() > 63 {
            findings.add("slug", "a tenant's slug has at most 63 characters");
        }
        findings.line(|| "/name".to_owned(), &name, 200);
        findings.done()?;
        let slug = parsed.ok_or_else(Vec::new)?;
        Ok(Self { id, slug, name })
    }
}

impl Aggregate for Tenant {
    const NAME: &'static str = "tenant";
    type Command = OpenTenant;
    type Event = TenantsEvent;
    type Rejection = Infallible;

    fn decide(state: Option<&Self>, command: OpenTenant) -> Result<Vec<TenantsEvent>, Infallible> {
        let OpenTenant { id, slug, name } = command;
        Ok(match state {
            Some(_) => vec![],
            None => {
                vec![TenantsEvent::Created(TenantCreated { tenant_id: id, slug: slug.as_str().to_owned(), name })]
            }
        })
    }

    fn apply(_: Option<Self>, event: &TenantsEvent) -> Option<Self> {
        let TenantsEvent::Created(TenantCreated { tenant_id, slug, name }) = event.clone();
        Some(Self { id: tenant_id, slug, name })
    }
}
