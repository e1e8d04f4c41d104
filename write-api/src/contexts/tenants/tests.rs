//! What tenants decides.

pub(in crate::contexts) mod diagrams;

use super::domain::{OpenTenant, Rejection, Tenant, TenantCommand, origins, quotas};
use crate::domain::scenario::Scenario;
use schemas::Uuid;
use schemas::{
    events::{
        TenantsEvent,
        tenants::{
            Quotas, TenantCreated, TenantDeleted, TenantOriginsSet, TenantQuotasSet, TenantResumed, TenantSuspended,
        },
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
fn a_shop_names_the_origins_of_its_pages() {
    let created = TenantsEvent::Created(TenantCreated { tenant_id: ID, slug: "demo".into(), name: "Demo".into() });
    let named = |origins: &[&str]| origins.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    let page = named(&["https://demo.example"]);
    let set = TenantsEvent::OriginsSet(TenantOriginsSet { tenant_id: ID, origins: page.clone() });
    let given = |events: &[&TenantsEvent]| Scenario::<Tenant>::given(events.iter().map(|event| (*event).clone()));
    given(&[&created]).when(TenantCommand::SetOrigins(page.clone())).then([set.clone()]);
    given(&[&created, &set]).when(TenantCommand::SetOrigins(page.clone())).then_nothing();
    given(&[&created]).when(TenantCommand::SetOrigins(Vec::new())).then_nothing();
    given(&[]).when(TenantCommand::SetOrigins(page)).then_rejected(Rejection::Missing);
    let asked = named(&["https://b.example", "http://localhost:3000", "https://b.example"]);
    assert_eq!(origins(asked), Ok(named(&["http://localhost:3000", "https://b.example"])));
    for wrong in [
        "*",
        "null",
        "",
        "demo.example",
        "https://demo.example/",
        "https://demo.example/shop",
        "https://Demo.example",
        "https://demo.example:443",
        "https://anna@demo.example",
        "https://*.demo.example",
        "ftp://demo.example",
        "https://demo.example, https://b.example",
        " https://demo.example",
        "https://d\u{e9}mo.example",
    ] {
        let found = origins(named(&["https://b.example", wrong])).expect_err(wrong);
        assert_eq!(found[0].pointer, "/origins/1", "{wrong}");
    }
    assert!(origins((0..51).map(|n| format!("https://{n}.demo.example")).collect()).is_err());
}

#[test]
fn quotas_take_the_place_of_those_before() {
    let created = TenantsEvent::Created(TenantCreated { tenant_id: ID, slug: "demo".into(), name: "Demo".into() });
    let some = Quotas { products: Some(10), storage_mib: Some(0), ..Quotas::default() };
    let others = Quotas { reads_per_second: Some(5), ..Quotas::default() };
    let set = |quotas: Quotas| TenantsEvent::QuotasSet(TenantQuotasSet { tenant_id: ID, quotas });
    let given = |events: &[&TenantsEvent]| Scenario::<Tenant>::given(events.iter().map(|event| (*event).clone()));
    given(&[&created]).when(TenantCommand::SetQuotas(some)).then([set(some)]);
    given(&[&created, &set(some)]).when(TenantCommand::SetQuotas(some)).then_nothing();
    given(&[&created, &set(some)]).when(TenantCommand::SetQuotas(others)).then([set(others)]);
    given(&[&created]).when(TenantCommand::SetQuotas(Quotas::default())).then_nothing();
    given(&[]).when(TenantCommand::SetQuotas(some)).then_rejected(Rejection::Missing);
    assert_eq!(quotas(some), Ok(some));
    for (wrong, pointer) in [
        (Quotas { products: Some(u64::MAX), ..some }, "/products"),
        (Quotas { commands_per_second: Some(0), ..some }, "/commands_per_second"),
        (Quotas { reads_per_second: Some(1_000_001), ..some }, "/reads_per_second"),
        (Quotas { storage_mib: Some(u64::MAX), ..some }, "/storage_mib"),
    ] {
        assert_eq!(quotas(wrong).expect_err(pointer)[0].pointer, pointer);
    }
}

#[test]
fn only_a_suspended_shop_is_deleted_and_then_there_is_none() {
    let created = TenantsEvent::Created(TenantCreated { tenant_id: ID, slug: "demo".into(), name: "Demo".into() });
    let suspended = TenantsEvent::Suspended(TenantSuspended { tenant_id: ID, reason: "over".into() });
    let resumed = TenantsEvent::Resumed(TenantResumed { tenant_id: ID });
    let deleted = TenantsEvent::Deleted(TenantDeleted { tenant_id: ID });
    let given = |events: &[&TenantsEvent]| Scenario::<Tenant>::given(events.iter().map(|event| (*event).clone()));
    given(&[&created]).when(TenantCommand::Delete).then_rejected(Rejection::InUse);
    given(&[&created, &suspended, &resumed]).when(TenantCommand::Delete).then_rejected(Rejection::InUse);
    given(&[&created, &suspended]).when(TenantCommand::Delete).then([deleted.clone()]);
    given(&[]).when(TenantCommand::Delete).then_rejected(Rejection::Missing);
    let gone = [&created, &suspended, &deleted];
    for command in [
        TenantCommand::Delete,
        TenantCommand::Resume,
        TenantCommand::Suspend("over".into()),
        TenantCommand::SetOrigins(Vec::new()),
        TenantCommand::SetQuotas(Quotas::default()),
    ] {
        given(&gone).when(command).then_rejected(Rejection::Missing);
    }
    given(&gone).when(open("Demo")).then_rejected(Rejection::Going);
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
