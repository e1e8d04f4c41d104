//! What access decides.

use super::domain::{Key, KeyCommand, NewKey, Rejection, Traces};
use crate::domain::scenario::Scenario;
use schemas::{
    TimeDelta, Timestamp, Uuid,
    events::{
        AccessEvent,
        access::{KeyCreated, KeyKind, KeyRevoked, KeyUsed},
    },
};

const ID: Uuid = Uuid::from_u128(1);

fn asked(kind: KeyKind, permissions: &[&str]) -> NewKey {
    let permissions = permissions.iter().map(|name| (*name).to_owned()).collect();
    NewKey { name: "A key".to_owned(), kind, permissions, expires_at: None }
}

fn granted(asked: NewKey) -> Result<KeyCreated, Vec<String>> {
    let traces = Traces { hint: "souk_staff_AQEB".to_owned(), digest: "9f".repeat(32), signing_key: None };
    let granted = asked.grant(ID, traces, Timestamp::UNIX_EPOCH);
    granted.map_err(|errors| errors.into_iter().map(|error| error.pointer).collect())
}

#[test]
fn a_key_is_made_once_and_revoked_once() {
    let created = granted(asked(KeyKind::Owner, &[])).expect("allowed");
    let (made, gone) = (AccessEvent::KeyCreated(created.clone()), AccessEvent::KeyRevoked(KeyRevoked { key_id: ID }));
    let given = |events: Vec<AccessEvent>| Scenario::<Key>::given(events);
    given(vec![]).when(KeyCommand::Create(created.clone())).then([made.clone()]);
    given(vec![made.clone()]).when(KeyCommand::Create(created)).then_nothing();
    given(vec![made.clone()]).when(KeyCommand::Revoke).then([gone.clone()]);
    given(vec![made, gone]).when(KeyCommand::Revoke).then_nothing();
    given(vec![]).when(KeyCommand::Revoke).then_rejected(Rejection::Missing);
}

#[test]
fn permissions_are_kept_once_and_in_order() {
    let created =
        granted(asked(KeyKind::Staff, &["pricing.write", "catalog.write", "pricing.write"])).expect("allowed");
    assert_eq!(created.permissions, ["catalog.write", "pricing.write"]);
    assert_eq!(created.hint, "souk_staff_AQEB");
}

#[test]
fn a_key_that_breaks_a_rule_is_pointed_at() {
    for (asked, pointer) in [
        (asked(KeyKind::Staff, &[]), "/permissions"),
        (asked(KeyKind::Search, &["catalog.write"]), "/permissions"),
        (asked(KeyKind::Owner, &["catalog.write"]), "/permissions"),
        (asked(KeyKind::Staff, &["catalog.write", "everything"]), "/permissions/1"),
        (NewKey { name: " x".to_owned(), ..asked(KeyKind::Search, &[]) }, "/name"),
        (NewKey { expires_at: Some(Timestamp::UNIX_EPOCH), ..asked(KeyKind::Search, &[]) }, "/expires_at"),
    ] {
        assert_eq!(granted(asked), Err(vec![pointer.to_owned()]));
    }
    let later = Some(Timestamp::UNIX_EPOCH + TimeDelta::seconds(1));
    assert!(granted(NewKey { expires_at: later, ..asked(KeyKind::Search, &[]) }).is_ok());
}

#[test]
fn the_use_of_a_key_is_noted_once_a_day() {
    let created = AccessEvent::KeyCreated(granted(asked(KeyKind::Owner, &[])).expect("allowed"));
    let day = |day: u32| schemas::NaiveDate::from_ymd_opt(2026, 12, day).expect("a day");
    let used = |on: u32| AccessEvent::KeyUsed(KeyUsed { key_id: ID, day: day(on) });
    let given = |events: Vec<AccessEvent>| Scenario::<Key>::given(events);
    given(vec![created.clone()]).when(KeyCommand::Use(day(1))).then([used(1)]);
    given(vec![created.clone(), used(1)]).when(KeyCommand::Use(day(1))).then_nothing();
    given(vec![created.clone(), used(2)]).when(KeyCommand::Use(day(1))).then_nothing();
    given(vec![created.clone(), used(1)]).when(KeyCommand::Use(day(2))).then([used(2)]);
    let revoked = AccessEvent::KeyRevoked(KeyRevoked { key_id: ID });
    given(vec![created, revoked]).when(KeyCommand::Use(day(3))).then_nothing();
    given(vec![]).when(KeyCommand::Use(day(1))).then_rejected(Rejection::Missing);
}
