//! What accounts decide.

mod identities;

use super::domain::{
    Email, NewRole, PostalAddress, Profile, Role, RoleCommand, Session, SessionCommand, TokenKey, TokenKeyCommand,
    User, UserCommand, role, session, token_key,
    user::{self, MOST_ADDRESSES, Rejection},
};
use crate::domain::scenario::Scenario;
use schemas::{
    Timestamp, Uuid,
    events::accounts::{
        AccountsEvent, AddressRemoved, AddressSaved, EmailChanged, EmailVerified, GroupsSet, PasswordChanged,
        RoleGranted, RoleRemoved, RoleRevoked, Sealed, SecondFactorDisabled, SecondFactorEnabled, SecondFactorShown,
        SessionEnd, SessionEnded, SessionStarted, TokenKeyAdded, TokenKeyRevoked, UserErased, UserProfileUpdated,
        UserRegistered,
    },
};

const USER: Uuid = Uuid::from_u128(1);

fn sealed(text: &str) -> Sealed {
    Sealed(text.to_owned())
}

fn registered() -> UserRegistered {
    UserRegistered { user_id: USER, email: sealed("ana") }
}

fn signed_up() -> AccountsEvent {
    AccountsEvent::UserRegistered(registered())
}

fn verified() -> AccountsEvent {
    AccountsEvent::EmailVerified(EmailVerified { user_id: USER })
}

fn saved(id: u128, is_default: bool) -> AccountsEvent {
    let address_id = Uuid::from_u128(id);
    AccountsEvent::AddressSaved(AddressSaved { user_id: USER, address_id, address: sealed("street"), is_default })
}

fn save(id: u128, is_default: bool) -> UserCommand {
    UserCommand::SaveAddress { id: Uuid::from_u128(id), address: sealed("street"), is_default }
}

#[test]
fn somebody_signs_up_once_and_proves_the_address_once() {
    Scenario::<User>::given([]).when(UserCommand::Register(registered())).then([signed_up()]);
    Scenario::<User>::given([signed_up()]).when(UserCommand::Register(registered())).then_nothing();
    Scenario::<User>::given([signed_up()]).when(UserCommand::VerifyEmail).then([verified()]);
    Scenario::<User>::given([signed_up(), verified()]).when(UserCommand::VerifyEmail).then_nothing();
    let changed = AccountsEvent::EmailChanged(EmailChanged { user_id: USER, email: sealed("new") });
    Scenario::<User>::given([signed_up()]).when(UserCommand::ChangeEmail(sealed("new"))).then([changed.clone()]);
    // The new one is proved: that is how it came about.
    Scenario::<User>::given([signed_up(), changed]).when(UserCommand::VerifyEmail).then_nothing();
    Scenario::<User>::given([]).when(UserCommand::VerifyEmail).then_rejected(Rejection::Missing);
}

#[test]
fn a_password_and_a_profile_change_as_often_as_they_are_changed() {
    let changed = AccountsEvent::PasswordChanged(PasswordChanged { user_id: USER });
    Scenario::<User>::given([signed_up(), changed.clone()]).when(UserCommand::ChangePassword).then([changed]);
    let updated = AccountsEvent::UserProfileUpdated(UserProfileUpdated { user_id: USER, profile: sealed("name") });
    Scenario::<User>::given([signed_up()]).when(UserCommand::UpdateProfile(sealed("name"))).then([updated]);
}

#[test]
fn one_address_is_the_default_as_long_as_there_is_one() {
    Scenario::<User>::given([signed_up()]).when(save(1, false)).then([saved(1, true)]);
    Scenario::<User>::given([signed_up(), saved(1, true)]).when(save(2, false)).then([saved(2, false)]);
    Scenario::<User>::given([signed_up(), saved(1, true), saved(2, true)]).when(save(1, false)).then([saved(1, false)]);
    // The default stays it while it is changed.
    Scenario::<User>::given([signed_up(), saved(1, true), saved(2, true)]).when(save(2, false)).then([saved(2, true)]);
    let removed = |id| AccountsEvent::AddressRemoved(AddressRemoved { user_id: USER, address_id: Uuid::from_u128(id) });
    let remove = |id| UserCommand::RemoveAddress(Uuid::from_u128(id));
    Scenario::<User>::given([signed_up(), saved(1, true)]).when(remove(1)).then([removed(1)]);
    Scenario::<User>::given([signed_up(), saved(1, true)]).when(remove(2)).then_nothing();
    // Without the default, the oldest that is left is it.
    Scenario::<User>::given([signed_up(), saved(1, false), saved(2, true), removed(2)])
        .when(save(1, false))
        .then([saved(1, true)]);
}

#[test]
fn addresses_are_bounded() {
    let full: Vec<AccountsEvent> =
        [signed_up()].into_iter().chain((0..MOST_ADDRESSES as u128).map(|id| saved(id, id == 0))).collect();
    Scenario::<User>::given(full.clone()).when(save(999, false)).then_rejected(Rejection::TooManyAddresses);
    Scenario::<User>::given(full).when(save(3, false)).then([saved(3, false)]);
}

#[test]
fn who_is_erased_is_gone_for_good() {
    let erased = AccountsEvent::UserErased(UserErased { user_id: USER });
    Scenario::<User>::given([signed_up(), verified()]).when(UserCommand::Erase).then([erased.clone()]);
    let gone = [signed_up(), verified(), saved(1, true), erased];
    Scenario::<User>::given(gone.clone()).when(UserCommand::Erase).then_nothing();
    for command in [UserCommand::ChangePassword, UserCommand::VerifyEmail, save(2, true)] {
        Scenario::<User>::given(gone.clone()).when(command).then_rejected(Rejection::Missing);
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

#[test]
fn a_session_ends_once() {
    let id = Uuid::from_u128(2);
    let started =
        SessionStarted { session_id: id, user_id: USER, expires_at: at("2027-01-01T00:00:00Z"), second_factor: false };
    let begun = AccountsEvent::SessionStarted(started.clone());
    let ended = |reason| AccountsEvent::SessionEnded(SessionEnded { session_id: id, user_id: USER, reason });
    Scenario::<Session>::given([]).when(SessionCommand::Start(started)).then([begun.clone()]);
    Scenario::<Session>::given([begun.clone()])
        .when(SessionCommand::End(SessionEnd::TokenReused))
        .then([ended(SessionEnd::TokenReused)]);
    Scenario::<Session>::given([begun, ended(SessionEnd::SignedOut)])
        .when(SessionCommand::End(SessionEnd::Erased))
        .then_nothing();
    Scenario::<Session>::given([])
        .when(SessionCommand::End(SessionEnd::SignedOut))
        .then_rejected(session::Rejection::Missing);
}

#[test]
fn a_code_is_shown_once_in_a_session() {
    let id = Uuid::from_u128(2);
    let expires_at = at("2027-01-01T00:00:00Z");
    let started = SessionStarted { session_id: id, user_id: USER, expires_at, second_factor: false };
    let begun = AccountsEvent::SessionStarted(started.clone());
    let shown = AccountsEvent::SecondFactorShown(SecondFactorShown { session_id: id, user_id: USER });
    let show = || SessionCommand::ShowSecondFactor;
    Scenario::<Session>::given([begun.clone()]).when(show()).then([shown.clone()]);
    Scenario::<Session>::given([begun.clone(), shown]).when(show()).then_nothing();
    let strong = AccountsEvent::SessionStarted(SessionStarted { second_factor: true, ..started });
    Scenario::<Session>::given([strong]).when(show()).then_nothing();
    let reason = SessionEnd::SignedOut;
    let ended = AccountsEvent::SessionEnded(SessionEnded { session_id: id, user_id: USER, reason });
    Scenario::<Session>::given([begun, ended]).when(show()).then_nothing();
    Scenario::<Session>::given([]).when(show()).then_rejected(session::Rejection::Missing);
}

#[test]
fn a_role_is_granted_and_revoked_once() {
    let granted = AccountsEvent::RoleGranted(RoleGranted { user_id: USER, role: "owner".to_owned() });
    let revoked = AccountsEvent::RoleRevoked(RoleRevoked { user_id: USER, role: "owner".to_owned() });
    let grant = || UserCommand::GrantRole("owner".to_owned());
    let revoke = || UserCommand::RevokeRole("owner".to_owned());
    Scenario::<User>::given([signed_up()]).when(grant()).then([granted.clone()]);
    Scenario::<User>::given([signed_up(), granted.clone()]).when(grant()).then_nothing();
    Scenario::<User>::given([signed_up(), granted.clone()]).when(revoke()).then([revoked.clone()]);
    Scenario::<User>::given([signed_up(), granted, revoked]).when(revoke()).then_nothing();
    Scenario::<User>::given([]).when(grant()).then_rejected(Rejection::Missing);
}

#[test]
fn somebody_is_in_the_groups_that_were_set() {
    let groups = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let set = |names: &[&str]| AccountsEvent::GroupsSet(GroupsSet { user_id: USER, groups: groups(names) });
    let command = |names: &[&str]| UserCommand::SetGroups(user::groups(groups(names)).expect("slugs"));
    Scenario::<User>::given([signed_up()]).when(command(&[])).then_nothing();
    Scenario::<User>::given([signed_up()]).when(command(&["vip", "trade", "vip"])).then([set(&["trade", "vip"])]);
    Scenario::<User>::given([signed_up(), set(&["trade", "vip"])]).when(command(&["vip", "trade"])).then_nothing();
    let many = (0..21).map(|number| format!("g{number}")).collect();
    assert!(user::groups(many).is_err() && user::groups(groups(&["No slug"])).is_err());
}

#[test]
fn a_second_factor_is_there_or_not() {
    let enabled = AccountsEvent::SecondFactorEnabled(SecondFactorEnabled { user_id: USER });
    let disabled = AccountsEvent::SecondFactorDisabled(SecondFactorDisabled { user_id: USER });
    let set = UserCommand::SetSecondFactor;
    Scenario::<User>::given([signed_up()]).when(set(false)).then_nothing();
    Scenario::<User>::given([signed_up()]).when(set(true)).then([enabled.clone()]);
    Scenario::<User>::given([signed_up(), enabled.clone()]).when(set(true)).then_nothing();
    Scenario::<User>::given([signed_up(), enabled]).when(set(false)).then([disabled]);
}

#[test]
fn a_role_is_defined_changed_and_removed() {
    let id = Uuid::from_u128(4);
    let asked = |slug: &str, permissions: &[&str]| NewRole {
        slug: slug.to_owned(),
        name: "Buyers".to_owned(),
        permissions: permissions.iter().map(|name| (*name).to_owned()).collect(),
    };
    let pointers = |role: NewRole| -> Vec<String> {
        role.defined(id).err().unwrap_or_default().into_iter().map(|error| error.pointer).collect()
    };
    for built_in in ["staff", "owner", "admin", "customer", "No slug"] {
        assert_eq!(pointers(asked(built_in, &["catalog.write"])), ["slug"], "{built_in}");
    }
    assert_eq!(pointers(asked("buyers", &[])), ["/permissions"]);
    assert_eq!(pointers(asked("buyers", &["catalog.write", "catalog.fly"])), ["/permissions/1"]);
    let defined = asked("buyers", &["pricing.write", "catalog.write", "pricing.write"]).defined(id).expect("allowed");
    assert_eq!(defined.permissions, ["catalog.write", "pricing.write"]);
    let happened = AccountsEvent::RoleDefined(defined.clone());
    let removed = AccountsEvent::RoleRemoved(RoleRemoved { role_id: id });
    let define = || RoleCommand::Define(defined.clone());
    Scenario::<Role>::given([]).when(define()).then([happened.clone()]);
    Scenario::<Role>::given([happened.clone()]).when(define()).then_nothing();
    Scenario::<Role>::given([happened.clone()]).when(RoleCommand::Remove).then([removed.clone()]);
    Scenario::<Role>::given([happened.clone(), removed.clone()]).when(RoleCommand::Remove).then_nothing();
    Scenario::<Role>::given([happened.clone(), removed]).when(define()).then([happened]);
    Scenario::<Role>::given([]).when(RoleCommand::Remove).then_rejected(role::Rejection::Missing);
}

#[test]
fn a_key_is_revoked_once() {
    let key_id = Uuid::from_u128(3);
    let (signs_from, valid_until) = (at("2026-12-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    let key = TokenKeyAdded { key_id, public: "{}".to_owned(), signs_from, valid_until };
    let added = AccountsEvent::TokenKeyAdded(key.clone());
    let revoked = AccountsEvent::TokenKeyRevoked(TokenKeyRevoked { key_id });
    Scenario::<TokenKey>::given([]).when(TokenKeyCommand::Add(key)).then([added.clone()]);
    Scenario::<TokenKey>::given([added.clone()]).when(TokenKeyCommand::Revoke).then([revoked.clone()]);
    Scenario::<TokenKey>::given([added, revoked]).when(TokenKeyCommand::Revoke).then_nothing();
    Scenario::<TokenKey>::given([]).when(TokenKeyCommand::Revoke).then_rejected(token_key::Rejection::Missing);
}

#[test]
fn addresses_of_mail_are_read_or_refused() {
    for text in ["ana@example.com", " Ana.Ruiz+shop@mail.Example.co ", "o'neil@a-b.example", "x@y.zz"] {
        let email = Email::parse(text).expect(text);
        assert_eq!(email.folded(), text.trim().to_lowercase());
    }
    let long = format!("{}@example.com", "a".repeat(65));
    for text in [
        "",
        "ana",
        "@example.com",
        "ana@",
        "ana@localhost",
        "a b@example.com",
        "ana@exa mple.com",
        "ana@-a.com",
        "ana..b@example.com",
        "ana@example.com\r\nBcc: eve@example.com",
        "ána@example.com",
        "a@b@example.com",
        &long,
    ] {
        assert!(Email::parse(text).is_err(), "{text}");
    }
    let shown = format!("{:?}", Email::parse("ana@example.com").expect("an address"));
    assert!(!shown.contains("ana"), "{shown}");
}

#[test]
fn what_people_tell_is_checked_with_its_pointer() {
    let pointers = |result: Result<(), Vec<schemas::problem::FieldError>>| -> Vec<String> {
        result.err().unwrap_or_default().into_iter().map(|error| error.pointer).collect()
    };
    let address = PostalAddress {
        name: "Ana Ruiz".to_owned(),
        company: None,
        line1: "Calle 10 # 5-51".to_owned(),
        line2: None,
        postal_code: Some("110111".to_owned()),
        city: "Bogotá".to_owned(),
        region: None,
        country: "CO".to_owned(),
        phone: Some("+57 601 555 0100".to_owned()),
    };
    assert!(address.check().is_ok());
    let wrong = PostalAddress {
        name: String::new(),
        country: "co".to_owned(),
        phone: Some("call me".to_owned()),
        postal_code: Some("1".repeat(21)),
        ..address.clone()
    };
    assert_eq!(pointers(wrong.check()), ["/name", "/postal_code", "/phone", "/country"]);
    for country in ["XK", "GB", "ZW"] {
        assert!(PostalAddress { country: country.to_owned(), ..address.clone() }.check().is_ok(), "{country}");
    }
    for country in ["", "UK", "ZZ", "D E", "COL"] {
        assert!(PostalAddress { country: country.to_owned(), ..address.clone() }.check().is_err(), "{country}");
    }
    assert!(Profile::default().check().is_ok());
    let profile = Profile { name: Some(" Ana".to_owned()), phone: Some("1".to_owned()) };
    assert_eq!(pointers(profile.check()), ["/name", "/phone"]);
}
