//! What a provider does wrong, and what comes back that should not.

use super::{PAGE, Scene};
use acceptance::{
    oidc_stand_in::{Algorithm, Fault, OidcStandIn, Person},
    shop::Shop,
};
use reqwest::{Method, Url};
use serde_json::json;

/// What is left behind where somebody was refused: rows of what a sign-in makes.
async fn left(scene: &Scene) -> Vec<(&'static str, i64)> {
    let mut rows = Vec::new();
    for table in ["users", "emails", "person_keys", "identities", "sessions", "refresh_tokens"] {
        rows.push((table, scene.rows(table).await));
    }
    rows.retain(|(_, rows)| *rows > 0);
    rows
}

#[tokio::test]
async fn what_a_provider_does_wrong_is_refused_and_leaves_nothing_behind() {
    let ana = || Person::verified("subject-1", "ana@example.com");
    for (slug, algorithm) in [("rsa", Algorithm::Rs256), ("ec", Algorithm::Es256)] {
        let scene = Scene::open(slug, algorithm).await;
        let before = scene.rows("identity_requests").await;
        for (fault, status, code) in [
            (Fault::Nonce, 401, "identity_refused"),
            (Fault::NoNonce, 401, "identity_refused"),
            (Fault::Audience, 401, "identity_refused"),
            (Fault::MoreAudiences, 401, "identity_refused"),
            (Fault::Party, 401, "identity_refused"),
            (Fault::Issuer, 401, "identity_refused"),
            (Fault::Expired, 401, "identity_refused"),
            (Fault::Early, 401, "identity_refused"),
            (Fault::Unsigned, 401, "identity_refused"),
            (Fault::SharedSecret, 401, "identity_refused"),
            (Fault::OtherKey, 401, "identity_refused"),
            (Fault::UnknownKey, 401, "identity_refused"),
            (Fault::NoToken, 401, "identity_refused"),
            (Fault::Slow, 502, "provider_unavailable"),
            (Fault::Broken, 502, "provider_unavailable"),
            (Fault::Long, 502, "provider_unavailable"),
            (Fault::Redirect, 502, "provider_unavailable"),
        ] {
            scene.provider.fail(Some(fault));
            assert_eq!(scene.met(ana()).await, (status, code.to_owned()), "{fault:?}");
            assert_eq!(left(&scene).await, [], "{fault:?}");
        }
        // Each state was used up.
        assert_eq!(scene.rows("identity_requests").await, before);
        scene.provider.fail(None);
        scene.sign_in(ana()).await;
    }
}

#[tokio::test]
async fn a_provider_that_can_not_be_asked_lets_nobody_begin() {
    let scene = Scene::open("silent", Algorithm::EdDsa).await;
    for fault in [Fault::Slow, Fault::Broken, Fault::Long, Fault::Redirect] {
        // Another address each time: what one publishes is remembered.
        let other = OidcStandIn::start(Algorithm::EdDsa).expect("a provider");
        other.fail(Some(fault));
        scene.set("acme", &other.issuer()).await;
        assert_eq!(scene.begin(&scene.shop).await, Err((502, "provider_unavailable".to_owned())), "{fault:?}");
    }
    // Somebody who says to be another provider is none either.
    let other = OidcStandIn::start(Algorithm::EdDsa).expect("a provider");
    scene.set("acme", &other.issuer().replace("127.0.0.1", "localhost")).await;
    assert_eq!(scene.begin(&scene.shop).await, Err((502, "provider_unavailable".to_owned())));
}

#[tokio::test]
async fn a_state_works_once_in_one_shop_and_for_a_while() {
    let scene = Scene::open("once", Algorithm::EdDsa).await;
    let invalid = (422, "validation_failed".to_owned());
    let met = async |back: &serde_json::Value| {
        let (status, code, problem) = scene.completed(back).await;
        ((status, code), problem["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned())
    };
    let state = (invalid.clone(), "/state".to_owned());
    scene.provider.let_in(Person::verified("subject-1", "ana@example.com"));
    let back = scene.there_and_back(&scene.shop).await.expect("back");
    assert_eq!(scene.completed(&back).await.0, 201);
    assert_eq!(met(&back).await, state);
    // A code is good once, and with the state that it came with.
    let (mut first, second) = (
        scene.there_and_back(&scene.shop).await.expect("back"),
        scene.there_and_back(&scene.shop).await.expect("back"),
    );
    first["code"] = second["code"].clone();
    assert_eq!(met(&first).await, (invalid.clone(), "/code".to_owned()));
    assert_eq!(met(&second).await, (invalid.clone(), "/code".to_owned()), "the provider takes no code a second time");
    // Who has issued the code is compared, if it is said.
    let mut back = scene.there_and_back(&scene.shop).await.expect("back");
    back["iss"] = json!("https://login.example");
    assert_eq!(met(&back).await, (invalid.clone(), "/iss".to_owned()));
    // In another shop it is none, and stays good in its own.
    let back = scene.there_and_back(&scene.shop).await.expect("back");
    let other = Shop::open(&scene.stack, "elsewhere").await;
    let there = super::met(&other, Method::POST, "/v1/sessions/oidc/complete", &back).await;
    assert_eq!(there, invalid);
    assert_eq!(scene.completed(&back).await.0, 201);
    // Whoever comes after ten minutes is too late.
    let back = scene.there_and_back(&scene.shop).await.expect("back");
    sqlx::query("UPDATE accounts.identity_requests SET expires_at = now() - interval '1 second'")
        .execute(&scene.stack.write)
        .await
        .expect("late");
    assert_eq!(met(&back).await, state);
    for text in ["", "x", "\u{0}", &"A".repeat(43)] {
        assert_eq!(met(&json!({"code": "x", "state": text})).await, state, "{text:?}");
    }
    for code in ["", "x", &"y".repeat(10_000)] {
        let mut back = scene.there_and_back(&scene.shop).await.expect("back");
        back["code"] = json!(code);
        assert_eq!(met(&back).await, (invalid.clone(), "/code".to_owned()));
    }
}

#[tokio::test]
async fn people_come_back_to_pages_of_the_shop_alone() {
    let scene = Scene::open("pages", Algorithm::EdDsa).await;
    for page in [
        "https://evil.example/",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        "http://shop.example/",
        "https://shop.example/#x",
        "javascript:alert(1)",
        "/signed-in",
        "",
    ] {
        let asked = json!({"provider": "acme", "return_to": page});
        let met = super::met(&scene.shop, Method::POST, "/v1/sessions/oidc", &asked).await;
        assert_eq!(met, (422, "validation_failed".to_owned()), "{page}");
    }
    // The page of the provider is told all that it needs, and nothing else.
    let url = Url::parse(&scene.begin(&scene.shop).await.expect("begun")).expect("an address");
    let mut names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    names.sort();
    let expected = [
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "nonce",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
    ];
    assert_eq!(names, expected);
    assert!(url.query_pairs().any(|(name, value)| name == "redirect_uri" && value == PAGE), "{url}");
    assert!(url.query_pairs().any(|(name, value)| name == "scope" && value == "openid email"), "{url}");
}
