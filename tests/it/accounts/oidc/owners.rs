//! What owners of a shop say of its providers.

use super::{Scene, answer, met};
use crate::accounts::erasure::{files_with, rows_with};
use acceptance::{
    eventually::eventually,
    oidc_stand_in::{Algorithm, CLIENT_SECRET, OidcStandIn, Person},
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use reqwest::Method;
use serde_json::{Value, json};

fn provider(issuer: &str) -> Value {
    json!({"name": "Acme", "issuer": issuer, "client_id": "ours", "client_secret": "s3cret"})
}

#[tokio::test]
async fn requests_do_not_lead_into_the_network_of_the_server() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "outside").await;
    let listening = OidcStandIn::start(Algorithm::EdDsa).expect("a provider");
    for issuer in [
        listening.issuer().as_str(),
        &listening.issuer().replace("http:", "https:"),
        "https://localhost/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "http://login.example/",
        "https://login.example/?x",
        "https://login.example/#x",
        "https://user@login.example/",
        "file:///etc/passwd",
        "login.example",
        "",
    ] {
        let (status, _, problem) =
            answer(shop.request(Method::PUT, "/v1/identity-providers/acme").json(&provider(issuer))).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/issuer")), "{issuer}: {problem}");
    }
    assert_eq!(listening.asked("/.well-known/openid-configuration"), 0);
    for (name, value, pointer) in [
        ("name", json!(""), "/name"),
        ("client_id", json!(" x"), "/client_id"),
        ("client_secret", json!("a\nb"), "/client_secret"),
        ("scopes", json!(["a b"]), "/scopes/0"),
        ("scopes", json!(vec!["x"; 21]), "/scopes"),
    ] {
        let mut wrong = provider("https://login.example");
        wrong[name] = value;
        let (status, _, problem) = answer(shop.request(Method::PUT, "/v1/identity-providers/acme").json(&wrong)).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{problem}");
    }
    let right = provider("https://login.example");
    for slug in ["Acme", "a--b", &"x".repeat(51)] {
        let path = format!("/v1/identity-providers/{slug}");
        assert_eq!(met(&shop, Method::PUT, &path, &right).await, (422, "validation_failed".to_owned()), "{slug}");
    }
    for number in 0..20 {
        shop.command(Method::PUT, &format!("/v1/identity-providers/p{number}"), None, &right).await;
    }
    let one_more = met(&shop, Method::PUT, "/v1/identity-providers/acme", &right).await;
    assert_eq!(one_more, (409, "too_many_providers".to_owned()));
    assert_eq!(met(&shop, Method::PUT, "/v1/identity-providers/p3", &right).await.0, 200);
}

#[tokio::test]
async fn owners_name_and_remove_providers_and_nobody_sees_the_secret() {
    let scene = Scene::open("owners", Algorithm::EdDsa).await;
    let staff = scene.owner.with_key(&scene.owner.key("staff", &["catalog.write"]).await.1);
    let path = "/v1/identity-providers/acme";
    assert_eq!(met(&staff, Method::PUT, path, &provider("https://login.example")).await.0, 403);
    assert_eq!(met(&scene.shop, Method::DELETE, path, &json!({})).await.0, 403);
    let again = scene.set("acme", &scene.provider.issuer()).await;
    assert_eq!(again["status"], "unchanged");
    let ana = scene.sign_in(Person::verified("subject-1", "ana@example.com")).await;
    let words = [CLIENT_SECRET];
    let (write, read) = (rows_with(&scene.stack.write, &words).await, rows_with(&scene.stack.read, &words).await);
    assert!(write.is_empty() && read.is_empty(), "{write:#?} {read:#?}");
    assert!(files_with(&scene.stack.stack.settings.data_dir, &words).is_empty());
    // Another secret is a change, which the audit has; with a wrong one, nobody is let in.
    let mut changed = provider(&scene.provider.issuer());
    changed["client_id"] = json!(super::CLIENT_ID);
    let changed = scene.owner.command(Method::PUT, path, None, &changed).await;
    assert_eq!(changed["status"], "changed");
    let refused = (502, "provider_unavailable".to_owned());
    assert_eq!(scene.met(Person::verified("subject-1", "ana@example.com")).await, refused);
    scene.set("acme", &scene.provider.issuer()).await;
    assert_eq!(scene.sign_in(Person::verified("subject-1", "ana@example.com")).await.id, ana.id);
    // Who is on the way when it is removed does not arrive.
    let back = scene.there_and_back(&scene.shop).await.expect("back");
    let removed = scene.owner.command(Method::DELETE, path, None, &json!({})).await;
    assert_eq!(scene.completed(&back).await.0, 422);
    assert_eq!(scene.begin(&scene.shop).await, Err((422, "validation_failed".to_owned())));
    assert_eq!(scene.rows("identity_provider_secrets").await, 0);
    let listed = scene.shop.read("/v1/identity-providers", removed["token"].as_str()).await;
    assert!(listed.fresh && listed.body["providers"] == json!([]), "{listed:?}");
    assert_eq!(met(&scene.owner, Method::DELETE, "/v1/identity-providers/none", &json!({})).await.0, 404);
    eventually("the audit has it", PATIENCE, || async {
        let activity = scene.owner.read("/v1/activity", None).await.body.to_string();
        let has_all = activity.contains("identity_provider.set") && activity.contains("identity_provider.removed");
        if has_all { Ok(()) } else { Err(activity) }
    })
    .await;
}

#[tokio::test]
async fn another_provider_under_the_same_slug_knows_nobody() {
    let scene = Scene::open("replaced", Algorithm::EdDsa).await;
    let ana = scene.sign_in(Person::verified("subject-1", "ana@example.com")).await;
    let back = scene.there_and_back(&scene.shop).await.expect("back");
    let other = OidcStandIn::start(Algorithm::EdDsa).expect("a provider");
    other.allow(super::PAGE);
    scene.set("acme", &other.issuer()).await;
    assert_eq!(scene.completed(&back).await.0, 422, "what the first one says is of no use any more");
    let scene = Scene { provider: other, ..scene };
    // Whoever is called the same there is somebody else.
    let somebody = scene.sign_in(Person::verified("subject-1", "somebody@example.com")).await;
    assert_ne!(somebody.id, ana.id);
    assert_eq!(scene.met(Person::verified("subject-1x", "ana@example.com")).await, (409, "account_exists".to_owned()));
}
