//! Whose account somebody gets who comes from a provider.

use super::{Scene, answer, me, met};
use crate::accounts::erasure::{files_with, rows_with};
use acceptance::{
    oidc_stand_in::{Algorithm, Person},
    shopper::{PASSWORD, Shopper, code_of, mail_to},
};
use reqwest::Method;
use serde_json::{Value, json};

const EMAIL: &str = "ana@example.com";

/// What linking is met with.
async fn linked(scene: &Scene, shopper: &Shopper, back: &Value, password: &str) -> (u16, String) {
    let mut asked = back.clone();
    asked["password"] = json!(password);
    met(&shopper.at(&scene.shop), Method::POST, "/v1/me/identities", &asked).await
}

#[tokio::test]
async fn an_account_with_a_password_is_linked_by_whoever_has_it_alone() {
    let scene = Scene::open("linking", Algorithm::EdDsa).await;
    let ana = Shopper::sign_up(&scene.stack, &scene.shop, EMAIL).await;
    let at_acme = || Person::verified("subject-1", "Ana@example.com");
    assert_eq!(scene.met(at_acme()).await, (409, "account_exists".to_owned()));
    assert_eq!(scene.rows("identities").await, 0);
    // A state that was begun without a session links nothing, and one with a session signs nobody in.
    let own = ana.at(&scene.shop);
    let anonymous = scene.there_and_back(&scene.shop).await.expect("back");
    assert_eq!(linked(&scene, &ana, &anonymous, PASSWORD).await.0, 422);
    let back = scene.there_and_back(&own).await.expect("back");
    assert_eq!(scene.completed(&back).await.0, 422);
    // Nor does that of another account.
    let eva = Shopper::sign_up(&scene.stack, &scene.shop, "eva@example.com").await;
    let back = scene.there_and_back(&own).await.expect("back");
    assert_eq!(linked(&scene, &eva, &back, PASSWORD).await.0, 422);
    // A session alone is not enough; a wrong password uses nothing up.
    let back = scene.there_and_back(&own).await.expect("back");
    assert_eq!(linked(&scene, &ana, &back, "a-wrong-guess-1").await, (403, "wrong_password".to_owned()));
    assert_eq!(linked(&scene, &ana, &back, PASSWORD).await.0, 200);
    assert_eq!(me(&scene.shop, &ana).await["identities"], json!(["acme"]));
    mail_to(&scene.stack, EMAIL, "Another way into").await;
    assert_eq!(scene.sign_in(at_acme()).await.id, ana.id);
    // Whom the provider knows has one account.
    let back = scene.there_and_back(&eva.at(&scene.shop)).await.expect("back");
    assert_eq!(linked(&scene, &eva, &back, PASSWORD).await, (409, "identity_taken".to_owned()));
    // Another identity there takes the place of the one before.
    scene.provider.let_in(Person { email: None, ..Person::verified("subject-2", "") });
    let back = scene.there_and_back(&own).await.expect("back");
    assert_eq!(linked(&scene, &ana, &back, PASSWORD).await.0, 200);
    assert_eq!(scene.sign_in(Person { email: None, ..Person::verified("subject-2", "") }).await.id, ana.id);
    assert_eq!(scene.met(at_acme()).await, (409, "account_exists".to_owned()));
    own.command(Method::DELETE, "/v1/me/identities/acme", None, &json!({})).await;
    let (status, _, again) = answer(own.request(Method::DELETE, "/v1/me/identities/acme")).await;
    assert_eq!((status, &again["status"]), (200, &json!("unchanged")), "{again}");
    assert_eq!(me(&scene.shop, &ana).await["identities"], json!([]));
    assert_eq!(scene.met(Person { email: None, ..Person::verified("subject-2", "") }).await.0, 403);
    Shopper::sign_in(&scene.shop, EMAIL, PASSWORD).await;
}

#[tokio::test]
async fn an_address_that_the_provider_does_not_prove_makes_no_account() {
    let scene = Scene::open("unproved", Algorithm::Es256).await;
    Shopper::sign_up(&scene.stack, &scene.shop, EMAIL).await;
    let refused = (403, "email_not_verified".to_owned());
    for person in [
        Person { is_verified: false, ..Person::verified("subject-1", "eva@example.com") },
        // Whether the address has an account is not told.
        Person { is_verified: false, ..Person::verified("subject-1", EMAIL) },
        Person { email: None, ..Person::verified("subject-1", "") },
        Person::verified("subject-1", "no address"),
    ] {
        assert_eq!(scene.met(person.clone()).await, refused, "{person:?}");
    }
    assert_eq!((scene.rows("users").await, scene.rows("identities").await), (1, 0));
}

#[tokio::test]
async fn whoever_types_an_address_first_does_not_keep_it_from_its_owner() {
    let scene = Scene::open("squatted", Algorithm::EdDsa).await;
    let typed = json!({"email": EMAIL, "password": "a-squatter-has-7"});
    scene.shop.command(Method::POST, "/v1/accounts", None, &typed).await;
    let code = code_of(&mail_to(&scene.stack, EMAIL, "Please confirm").await);
    let ana = scene.sign_in(Person::verified("subject-1", EMAIL)).await;
    // The password that was typed never takes effect.
    let verify = met(&scene.shop, Method::POST, "/v1/accounts/verify", &json!({ "code": code })).await;
    assert_eq!(verify, (422, "validation_failed".to_owned()));
    assert_eq!(met(&scene.shop, Method::POST, "/v1/sessions", &typed).await, (401, "sign_in_failed".to_owned()));
    assert_eq!(scene.rows("passwords").await, 0);
    assert_eq!(scene.sign_in(Person::verified("subject-1", EMAIL)).await.id, ana.id);
}

#[tokio::test]
async fn the_only_way_in_is_kept() {
    let scene = Scene::open("only", Algorithm::EdDsa).await;
    let ana = scene.sign_in(Person::verified("subject-1", EMAIL)).await;
    let own = ana.at(&scene.shop);
    let unlink = async || met(&own, Method::DELETE, "/v1/me/identities/acme", &json!({})).await;
    assert_eq!(unlink().await, (409, "only_way_in".to_owned()));
    // A password is set by mail, as by anybody who has forgotten theirs.
    scene.shop.command(Method::POST, "/v1/password-resets", None, &json!({"email": EMAIL})).await;
    let code = code_of(&mail_to(&scene.stack, EMAIL, "A new password").await);
    let set = json!({"code": code, "password": PASSWORD});
    assert_eq!(met(&scene.shop, Method::POST, "/v1/password-resets/finish", &set).await.0, 204);
    let ana = Shopper::sign_in(&scene.shop, EMAIL, PASSWORD).await;
    let own = ana.at(&scene.shop);
    assert_eq!(met(&own, Method::DELETE, "/v1/me/identities/acme", &json!({})).await.0, 200);
    assert_eq!(scene.met(Person::verified("subject-1", EMAIL)).await, (409, "account_exists".to_owned()));
}

#[tokio::test]
async fn whoever_is_erased_is_nobody_to_the_provider_either() {
    let scene = Scene::open("gone", Algorithm::EdDsa).await;
    let words = ["zanzibarian", "quixotic-subject"];
    let person = || Person::verified("quixotic-subject-77", "zanzibarian@example.com");
    let ana = scene.sign_in(person()).await;
    // While they are there, nothing of them stands anywhere in the clear either.
    let folder = scene.stack.stack.settings.data_dir.clone();
    let nothing = async || {
        let (write, read) = (rows_with(&scene.stack.write, &words).await, rows_with(&scene.stack.read, &words).await);
        assert!(write.is_empty() && read.is_empty(), "{write:#?} {read:#?}");
        let files = files_with(&folder, &words);
        assert!(files.is_empty(), "{files:#?}");
    };
    nothing().await;
    scene.owner.command(Method::DELETE, &format!("/v1/users/{}", ana.id), None, &json!({})).await;
    nothing().await;
    let rows = (scene.rows("identities").await, scene.rows("person_keys").await, scene.rows("emails").await);
    assert_eq!(rows, (0, 0, 0));
    let next = scene.sign_in(person()).await;
    assert_ne!(next.id, ana.id);
}
