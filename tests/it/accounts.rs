//! Accounts of shoppers, from signing up to being erased, over HTTP and with the mails that go out.

mod erasure;
mod mails;
mod oidc;
mod passed_on;
mod sessions;
mod staff;

use acceptance::{
    eventually::eventually,
    shop::{PATIENCE, Shop},
    shopper::{PASSWORD, Shopper, code_of, mail_to, mails_to},
    stack::TestStack,
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// Status, code of the problem and body of an answer.
async fn answer(request: RequestBuilder) -> (u16, String, Value) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap_or_default();
    (status, body["code"].as_str().unwrap_or_default().to_owned(), body)
}

/// What a command is met with: status and code.
async fn met(shop: &Shop, method: Method, path: &str, body: &Value) -> (u16, String) {
    let (status, code, _) = answer(shop.request(method, path).json(body)).await;
    (status, code)
}

/// A shop with a search key, which is all that a storefront has.
async fn storefront(stack: &TestStack, slug: &str) -> Shop {
    let shop = Shop::open(stack, slug).await;
    shop.with_key(&shop.key("search", &[]).await.1)
}

#[tokio::test]
async fn somebody_signs_up_proves_the_address_and_signs_in() {
    let stack = TestStack::start(false).await;
    let shop = storefront(&stack, "welcome").await;
    let (status, _, told) = answer(
        shop.request(Method::POST, "/v1/accounts").json(&json!({"email": "Ana@Example.com", "password": PASSWORD})),
    )
    .await;
    assert_eq!(status, 202, "{told}");
    let sign_in = json!({"email": "ana@example.com", "password": PASSWORD});
    assert_eq!(met(&shop, Method::POST, "/v1/sessions", &sign_in).await, (403, "email_not_verified".to_owned()));
    let code = code_of(&mail_to(&stack, "Ana@Example.com", "Please confirm").await);
    let verify = json!({ "code": code });
    let (status, _, verified) = answer(shop.request(Method::POST, "/v1/accounts/verify").json(&verify)).await;
    assert_eq!(status, 200, "{verified}");
    assert_eq!(met(&shop, Method::POST, "/v1/accounts/verify", &verify).await, (422, "validation_failed".to_owned()));
    let ana = Shopper::sign_in(&shop, "ANA@example.COM", PASSWORD).await;
    assert_eq!(verified["user_id"], ana.id);
    let (status, _, me) = answer(ana.at(&shop).request(Method::GET, "/v1/me")).await;
    assert_eq!((status, &me["email"], &me["email_verified"]), (200, &json!("Ana@Example.com"), &json!(true)), "{me}");
    // The read side believes the token, too, once the key of the shop's first tokens has come there.
    eventually("the read side knows the shop's key", PATIENCE, || async {
        let status = ana.at(&shop).read("/v1/search?q=lamp", None).await.status;
        if status == 200 { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
    let staff = Shop::open(&stack, "welcome").await;
    let users = staff.read("/v1/users", verified["token"].as_str()).await;
    assert!(users.fresh && users.body["users"][0]["verified_at"].is_string(), "{users:?}");
    assert_eq!(users.body["users"][0]["id"], ana.id);
    assert!(!users.body.to_string().to_lowercase().contains("example.com"), "{users:?}");
}

#[tokio::test]
async fn whether_an_address_has_an_account_is_told_to_its_owner_alone() {
    let stack = TestStack::start(false).await;
    let shop = storefront(&stack, "discreet").await;
    Shopper::sign_up(&stack, &shop, "known@example.com").await;
    for (path, body) in [
        ("/v1/accounts", json!({"email": "EMAIL", "password": "another-secret-7"})),
        ("/v1/password-resets", json!({"email": "EMAIL"})),
        ("/v1/sessions", json!({"email": "EMAIL", "password": "some-other-guess-9"})),
    ] {
        let ask = async |email: &str| {
            let mut body = body.clone();
            body["email"] = json!(email);
            let (status, code, mut told) = answer(shop.request(Method::POST, path).json(&body)).await;
            told["instance"] = Value::Null;
            (status, code, told)
        };
        assert_eq!(ask("known@example.com").await, ask("unknown@example.com").await, "{path}");
    }
    mail_to(&stack, "known@example.com", "You have an account").await;
    mail_to(&stack, "known@example.com", "A new password").await;
    mail_to(&stack, "unknown@example.com", "Please confirm").await;
    // Whoever asked for it, the password of the account is the one that it was.
    Shopper::sign_in(&shop, "known@example.com", PASSWORD).await;
    // Nobody is flooded by whoever types their address.
    for _ in 0..20 {
        let asked = met(&shop, Method::POST, "/v1/password-resets", &json!({"email": "flooded@example.com"})).await;
        assert_eq!(asked.0, 202);
    }
    mail_to(&stack, "flooded@example.com", "You have no account").await;
    assert!(mails_to(&stack, "flooded@example.com") <= 10);
}

#[tokio::test]
async fn what_can_not_be_is_refused_with_its_pointer() {
    let stack = TestStack::start(false).await;
    let shop = storefront(&stack, "strict").await;
    for (body, pointer) in [
        (json!({"email": "no address", "password": PASSWORD}), "/email"),
        (json!({"email": "ana@example.com", "password": "short"}), "/password"),
        (json!({"email": "ana@example.com", "password": "password1"}), "/password"),
        (json!({"email": "ana@example.com", "password": "ana@example.com"}), "/password"),
        (
            json!({"email": "ana@example.com", "password": PASSWORD, "return_to": "https://evil.example/x"}),
            "/return_to",
        ),
        (json!({"email": "ana@example.com", "password": PASSWORD, "return_to": "javascript:alert(1)"}), "/return_to"),
    ] {
        let (status, code, problem) = answer(shop.request(Method::POST, "/v1/accounts").json(&body)).await;
        assert_eq!((status, code.as_str()), (422, "validation_failed"), "{problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        assert!(!problem.to_string().contains(PASSWORD), "{problem}");
    }
    assert_eq!(mails_to(&stack, "ana@example.com"), 0);
    for code in ["", "x", &"A".repeat(43), "\u{0}"] {
        let met = met(&shop, Method::POST, "/v1/accounts/verify", &json!({ "code": code })).await;
        assert_eq!(met, (422, "validation_failed".to_owned()), "{code:?}");
    }
}

#[tokio::test]
async fn a_password_is_set_anew_by_mail_and_ends_every_session() {
    let stack = TestStack::start(false).await;
    let shop = storefront(&stack, "forgetful").await;
    let ana = Shopper::sign_up(&stack, &shop, "ana@example.com").await;
    shop.command(Method::POST, "/v1/password-resets", None, &json!({"email": "ana@example.com"})).await;
    let code = code_of(&mail_to(&stack, "ana@example.com", "A new password").await);
    let weak = json!({"code": code, "password": "12345678"});
    assert_eq!(met(&shop, Method::POST, "/v1/password-resets/finish", &weak).await.0, 422);
    // A refused password does not use the code up, and the code proves no address.
    assert_eq!(met(&shop, Method::POST, "/v1/accounts/verify", &json!({ "code": code })).await.0, 422);
    let set = json!({"code": code, "password": "kettle-9-quartz"});
    assert_eq!(met(&shop, Method::POST, "/v1/password-resets/finish", &set).await.0, 204);
    assert_eq!(met(&shop, Method::POST, "/v1/password-resets/finish", &set).await.0, 422);
    mail_to(&stack, "ana@example.com", "Your password").await;
    let refresh = json!({"refresh_token": ana.refresh});
    assert_eq!(met(&shop, Method::POST, "/v1/sessions/refresh", &refresh).await, (401, "session_ended".to_owned()));
    let before = json!({"email": "ana@example.com", "password": PASSWORD});
    assert_eq!(met(&shop, Method::POST, "/v1/sessions", &before).await, (401, "sign_in_failed".to_owned()));
    Shopper::sign_in(&shop, "ana@example.com", "kettle-9-quartz").await;
}

#[tokio::test]
async fn who_is_signed_in_changes_what_is_theirs() {
    let stack = TestStack::start(false).await;
    let shop = storefront(&stack, "own").await;
    let ana = Shopper::sign_up(&stack, &shop, "ana@example.com").await;
    let own = ana.at(&shop);
    own.command(Method::PUT, "/v1/me/profile", None, &json!({"name": "Ana Ruiz"})).await;
    let street = json!({"address": {"name": "Ana Ruiz", "line1": "Calle 10", "city": "Bogotá", "country": "CO"}});
    let first = own.command(Method::POST, "/v1/me/addresses", None, &street).await;
    let second = own.command(Method::POST, "/v1/me/addresses", None, &street).await;
    let wrong = json!({"address": {"name": "Ana", "line1": "x", "city": "y", "country": "Colombia"}});
    let (status, _, problem) = answer(own.request(Method::POST, "/v1/me/addresses").json(&wrong)).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/address/country")), "{problem}");
    let path = |made: &Value| format!("/v1/me/addresses/{}", made["address_id"].as_str().expect("an id"));
    // A version that is not the current one is refused.
    let stale = own.request(Method::PUT, &path(&second)).header("if-match", "\"1\"").json(&street);
    assert_eq!(answer(stale).await.0, 412);
    own.command(Method::DELETE, &path(&first), None, &json!({})).await;
    let (_, _, me) = answer(own.request(Method::GET, "/v1/me")).await;
    assert_eq!(me["profile"], json!({"name": "Ana Ruiz"}));
    assert_eq!(me["addresses"].as_array().map(Vec::len), Some(1), "{me}");
    assert_eq!((&me["addresses"][0]["id"], &me["addresses"][0]["is_default"]), (&second["address_id"], &json!(true)));
    // A password is asked for before the address or the password changes.
    let other = Shopper::sign_in(&shop, "ana@example.com", PASSWORD).await;
    let wrong = json!({"current": "wrong-password-1", "password": "kettle-9-quartz"});
    assert_eq!(met(&own, Method::PUT, "/v1/me/password", &wrong).await, (403, "wrong_password".to_owned()));
    let right = json!({"current": PASSWORD, "password": "kettle-9-quartz"});
    assert_eq!(met(&own, Method::PUT, "/v1/me/password", &right).await.0, 204);
    // This session goes on, and the others do not.
    let refresh = async |shopper: &Shopper| {
        met(&shop, Method::POST, "/v1/sessions/refresh", &json!({"refresh_token": shopper.refresh})).await.0
    };
    assert_eq!((refresh(&ana).await, refresh(&other).await), (200, 401));
    let moved = json!({"password": "kettle-9-quartz", "email": "ana@new.example"});
    assert_eq!(met(&own, Method::PUT, "/v1/me/email", &moved).await.0, 202);
    let code = code_of(&mail_to(&stack, "ana@new.example", "Please confirm your new").await);
    shop.command(Method::POST, "/v1/accounts/verify", None, &json!({ "code": code })).await;
    mail_to(&stack, "ana@example.com", "Your address").await;
    Shopper::sign_in(&shop, "ana@new.example", "kettle-9-quartz").await;
    let old = json!({"email": "ana@example.com", "password": "kettle-9-quartz"});
    assert_eq!(met(&shop, Method::POST, "/v1/sessions", &old).await.0, 401);
}
