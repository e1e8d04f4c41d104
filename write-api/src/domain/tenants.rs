//! Shops on this installation.

use super::{Aggregate, Slug, wording::Findings};
use schemas::{
    events::tenants::{TenantCreated, TenantsEvent},
    ids::TenantId,
    problem::FieldError,
};

/// A shop.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Nothing forbids opening a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {}

impl Aggregate for Tenant {
    type Command = OpenTenant;
    type Event = TenantsEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: OpenTenant) -> Result<Vec<TenantsEvent>, Rejection> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::scenario::Scenario;
    use schemas::Uuid;

    fn open(name: &str) -> OpenTenant {
        OpenTenant::parse(TenantId(Uuid::from_u128(1)), "demo", name.to_owned()).expect("allowed")
    }

    #[test]
    fn a_shop_is_opened_once_and_then_left_as_it_is() {
        let created = TenantsEvent::Created(TenantCreated {
            tenant_id: TenantId(Uuid::from_u128(1)),
            slug: "demo".into(),
            name: "Demo".into(),
        });
        Scenario::<Tenant>::given([]).when(open("Demo")).then([created.clone()]);
        Scenario::<Tenant>::given([created]).when(open("Other")).then_nothing();
    }

    #[test]
    fn slug_and_name_are_bounded() {
        for (slug, name) in [("", "x"), ("A", "x"), ("a", ""), ("a", " x"), ("a", "x\n"), (&*"a".repeat(64), "x")] {
            assert!(OpenTenant::parse(TenantId(Uuid::nil()), slug, name.to_owned()).is_err(), "{slug} {name}");
        }
    }
}
