//! What tenants decides.

use super::domain::{OpenTenant, Tenant};
use crate::domain::scenario::Scenario;
use schemas::Uuid;
use schemas::{
    events::{TenantsEvent, tenants::TenantCreated},
    ids::TenantId,
};

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
