//! What is decided of identity providers and of whom they know.

use super::{USER, signed_up, verified};
use crate::{
    contexts::accounts::domain::{
        IdentityProvider, IdentityProviderCommand, NewProvider, User, UserCommand, identity_provider, user::Rejection,
    },
    domain::scenario::Scenario,
};
use schemas::{
    Uuid,
    events::accounts::{AccountsEvent, IdentityLinked, IdentityProviderRemoved, IdentityProviderSet, IdentityUnlinked},
};

fn linked(provider: &str) -> AccountsEvent {
    AccountsEvent::IdentityLinked(IdentityLinked { user_id: USER, provider: provider.to_owned() })
}

fn unlinked(provider: &str) -> AccountsEvent {
    AccountsEvent::IdentityUnlinked(IdentityUnlinked { user_id: USER, provider: provider.to_owned() })
}

fn unlink(provider: &str, has_password: bool) -> UserCommand {
    UserCommand::UnlinkIdentity { provider: provider.to_owned(), has_password }
}

#[test]
fn the_last_way_into_an_account_stays() {
    let given = |events: &[AccountsEvent]| {
        let events: Vec<_> = [signed_up(), verified()].into_iter().chain(events.iter().cloned()).collect();
        Scenario::<User>::given(events)
    };
    given(&[]).when(UserCommand::LinkIdentity("acme".to_owned())).then([linked("acme")]);
    given(&[linked("acme")]).when(unlink("acme", false)).then_rejected(Rejection::OnlyWayIn);
    given(&[linked("acme")]).when(unlink("acme", true)).then([unlinked("acme")]);
    given(&[linked("acme"), linked("other")]).when(unlink("acme", false)).then([unlinked("acme")]);
    let one_left = [linked("acme"), linked("other"), unlinked("acme")];
    given(&one_left).when(unlink("other", false)).then_rejected(Rejection::OnlyWayIn);
    given(&[]).when(unlink("acme", false)).then_nothing();
}

fn set(name: &str) -> IdentityProviderSet {
    IdentityProviderSet {
        provider_id: Uuid::from_u128(7),
        slug: "acme".to_owned(),
        name: name.to_owned(),
        issuer: "https://login.example".to_owned(),
        client_id: "ours".to_owned(),
        secret_digest: "00".to_owned(),
        scopes: vec!["email".to_owned()],
    }
}

#[test]
fn a_provider_is_set_changed_removed_and_set_again() {
    let was_set = |name: &str| AccountsEvent::IdentityProviderSet(set(name));
    let removed =
        || AccountsEvent::IdentityProviderRemoved(IdentityProviderRemoved { provider_id: Uuid::from_u128(7) });
    let command = |name: &str| IdentityProviderCommand::Set(set(name));
    Scenario::<IdentityProvider>::given([]).when(command("Acme")).then([was_set("Acme")]);
    Scenario::<IdentityProvider>::given([was_set("Acme")]).when(command("Acme")).then_nothing();
    Scenario::<IdentityProvider>::given([was_set("Acme")]).when(command("Other")).then([was_set("Other")]);
    let remove = IdentityProviderCommand::Remove;
    Scenario::<IdentityProvider>::given([was_set("Acme")]).when(remove.clone()).then([removed()]);
    Scenario::<IdentityProvider>::given([was_set("Acme"), removed()]).when(remove.clone()).then_nothing();
    Scenario::<IdentityProvider>::given([was_set("Acme"), removed()]).when(command("Acme")).then([was_set("Acme")]);
    Scenario::<IdentityProvider>::given([]).when(remove).then_rejected(identity_provider::Rejection::Missing);
}

#[test]
fn what_an_owner_says_of_a_provider_is_checked_with_its_pointer() {
    let right = NewProvider {
        slug: "acme".to_owned(),
        name: "Acme".to_owned(),
        issuer: "https://login.example".to_owned(),
        client_id: "ours".to_owned(),
        client_secret: "s3cret".to_owned(),
        scopes: vec!["email".to_owned(), "https://scopes.example/x".to_owned()],
    };
    assert!(right.check(Ok(())).is_ok());
    let wrong = NewProvider {
        slug: "Acme".to_owned(),
        name: String::new(),
        client_secret: "a\u{0}".to_owned(),
        scopes: vec!["a b".to_owned(), "\"".to_owned(), "ok".to_owned()],
        ..right
    };
    let found = wrong.check(Err("no".to_owned())).expect_err("wrong");
    let pointers: Vec<&str> = found.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(pointers, ["/slug", "/name", "/issuer", "/client_secret", "/scopes/0", "/scopes/1"]);
}
