//! What tenants decides.

use super::domain::{OpenTenant, Rejection, Tenant, TenantCommand};
use crate::domain::scenario::Scenario;
use schemas::Uuid;
use schemas::{
    events::{
        TenantsEvent,
        tenants::{TenantCreated, TenantResumed, TenantSuspended},
    },
    ids::TenantId,
};

const ID: TenantId = TenantId(Uuid::from_u128(1));

fn open(name: &str) -> TenantCommand {
    TenantCommand::Open(OpenTenant::parse(ID, "demo", name.to_owned()).expect("allowed"))
}

#[test]
fn a_shop_is_closed_for_a_time_and_opened_again() {
    let created = TenantsEvent::Created(TenantCreated { tenant_id: ID, slug: "demo".into(), name: "Demo".into() });
    let suspended = |reason: &str| TenantsEvent::Suspended(TenantSuspended { tenant_id: ID, reason: reason.into() });
    let resumed = TenantsEvent::Resumed(TenantResumed { tenant_id: ID });
    let suspend = |reason: &str| TenantCommand::Suspend(reason.into());
    let given = |events: &[&TenantsEvent]| Scenario::<Tenant>::given(events.iter().map(|event| (*event).clone()));
    given(&[&created]).when(suspend("unpaid")).then([suspended("unpaid")]);
    given(&[&created, &suspended("unpaid")]).when(suspend("unpaid")).then_nothing();
    given(&[&created, &suspended("unpaid")]).when(suspend("fraud")).then([suspended("fraud")]);
    given(&[&created, &suspended("unpaid")]).when(TenantCommand::Resume).then([resumed.clone()]);
    given(&[&created, &suspended("unpaid"), &resumed]).when(TenantCommand::Resume).then_nothing();
    given(&[&created, &suspended("unpaid")]).when(open("Demo")).then_nothing();
    for command in [suspend("unpaid"), TenantCommand::Resume] {
        given(&[]).when(command).then_rejected(Rejection::Missing);
    }
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
