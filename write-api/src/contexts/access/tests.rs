//! What access decides.

use super::domain::{Key, KeyCommand, Rejection, Wish};
use crate::domain::scenario::Scenario;
use ::access::key;
use schemas::{
    TimeDelta, Timestamp, Uuid,
    events::{
        AccessEvent,
        access::{KeyCreated, KeyKind, KeyRevoked},
    },
};

const ID: Uuid = Uuid::from_u128(1);

fn wish(kind: KeyKind, permissions: &[&str]) -> Wish {
    let permissions = permissions.iter().map(|name| (*name).to_owned()).collect();
    Wish { name: "A key".to_owned(), kind, permissions, expires_at: None }
}

fn granted(wish: Wish) -> Result<KeyCreated, Vec<String>> {
    let text = key::text(wish.kind, [1; 32]);
    let granted = wish.grant(ID, &text, Timestamp::UNIX_EPOCH);
    granted.map_err(|errors| errors.into_iter().map(|error| error.pointer).collect())
}

#[test]
fn a_key_is_made_once_and_revoked_once() {
    let created = granted(wish(KeyKind::Owner, &[])).expect("allowed");
    let (made, gone) = (AccessEvent::KeyCreated(created.clone()), AccessEvent::KeyRevoked(KeyRevoked { key_id: ID }));
    let given = |events: Vec<AccessEvent>| Scenario::<Key>::given(events);
    given(vec![]).when(KeyCommand::Create(created.clone())).then([made.clone()]);
    given(vec![made.clone()]).when(KeyCommand::Create(created)).then_nothing();
    given(vec![made.clone()]).when(KeyCommand::Revoke).then([gone.clone()]);
    given(vec![made, gone]).when(KeyCommand::Revoke).then_nothing();
    given(vec![]).when(KeyCommand::Revoke).then_rejected(Rejection::Missing);
}

#[test]
fn what_is_kept_is_not_the_key() {
    let created = granted(wish(KeyKind::Staff, &["pricing.write", "catalog.write", "pricing.write"])).expect("allowed");
    assert_eq!(created.permissions, ["catalog.write", "pricing.write"]);
    assert_eq!(created.hint, "souk_staff_AQEB");
    assert!(!format!("{created:?}").contains(&key::text(KeyKind::Staff, [1; 32])));
}

#[test]
fn a_wish_that_breaks_a_rule_is_pointed_at() {
    for (wish, pointer) in [
        (wish(KeyKind::Staff, &[]), "/permissions"),
        (wish(KeyKind::Search, &["catalog.write"]), "/permissions"),
        (wish(KeyKind::Owner, &["catalog.write"]), "/permissions"),
        (wish(KeyKind::Staff, &["catalog.write", "everything"]), "/permissions/1"),
        (Wish { name: " x".to_owned(), ..wish(KeyKind::Search, &[]) }, "/name"),
        (Wish { expires_at: Some(Timestamp::UNIX_EPOCH), ..wish(KeyKind::Search, &[]) }, "/expires_at"),
    ] {
        assert_eq!(granted(wish), Err(vec![pointer.to_owned()]));
    }
    let later = Some(Timestamp::UNIX_EPOCH + TimeDelta::seconds(1));
    assert!(granted(Wish { expires_at: later, ..wish(KeyKind::Search, &[]) }).is_ok());
}
