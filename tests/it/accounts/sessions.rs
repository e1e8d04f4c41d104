//! Sessions: they are refreshed, end, and are nobody else's.

use super::{answer, met, storefront};
use acceptance::{
    eventually::eventually,
    shop::{PATIENCE, Shop},
    shopper::{PASSWORD, Shopper},
    stack::TestStack,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};

async fn refresh(shop: &Shop, token: &str) -> (u16, String, Value) {
    answer(shop.request(Method::POST, "/v1/sessions/refresh").json(&json!({"refresh_token": token}))).await
}

/// How a shopper's access token is met by the read side and by the write side.
async fn both(shop: &Shop, shopper: &Shopper) -> (u16, u16) {
    let own = shopper.at(shop);
    let read = own.read("/v1/search?q=x", None).await.status.as_u16();
    (read, answer(own.request(Method::GET, "/v1/me")).await.0)
}

async fn until_it_has_ended(shop: &Shop, shopper: &Shopper) {
    eventually("the session has ended on both sides", PATIENCE, || async {
        let met = both(shop, shopper).await;
        if met == (401, 401) { Ok(()) } else { Err(format!("{met:?}")) }
    })
    .await;
}

#[tokio::test]
async fn a_refresh_token_works_once_and_ends_its_session_when_it_comes_again() {
    let stack = TestStack::start(false).await;
    let shop = storefront(&stack, "rotating").await;
    let ana = Shopper::sign_up(&stack, &shop, "ana@example.com").await;
    let other = Shopper::sign_in(&shop, "ana@example.com", PASSWORD).await;
    let (status, _, next) = refresh(&shop, &ana.refresh).await;
    assert_eq!(status, 200, "{next}");
    let next = Shopper::of(&next);
    assert_eq!((&next.id, &next.session), (&ana.id, &ana.session));
    assert_ne!(next.refresh, ana.refresh);
    assert_eq!(both(&shop, &next).await, (200, 200));
    // Somebody has a copy: neither the copy nor what came of the original is good any more.
    for token in [&ana.refresh, &next.refresh, "souk_refresh_x", ""] {
        let (status, code, body) = refresh(&shop, token).await;
        assert_eq!((status, code.as_str()), (401, "session_ended"), "{body}");
    }
    until_it_has_ended(&shop, &next).await;
    // Other sessions are none of its business.
    assert_eq!(refresh(&shop, &other.refresh).await.0, 200);
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_is_the_second() {
    let stack = TestStack::start(false).await;
    let shop = storefront(&stack, "racing").await;
    let ana = Shopper::sign_up(&stack, &shop, "ana@example.com").await;
    let all = futures::future::join_all((0..8).map(|_| refresh(&shop, &ana.refresh))).await;
    let good = all.iter().filter(|(status, ..)| *status == 200).count();
    assert_eq!(good, 1, "{all:?}");
    until_it_has_ended(&shop, &ana).await;
}

#[tokio::test]
async fn who_signs_out_is_out_on_every_node() {
    let stack = TestStack::start(false).await;
    let shop = storefront(&stack, "leaving").await;
    let ana = Shopper::sign_up(&stack, &shop, "ana@example.com").await;
    let other = Shopper::sign_in(&shop, "ana@example.com", PASSWORD).await;
    assert_eq!((both(&shop, &ana).await, both(&shop, &other).await), ((200, 200), (200, 200)));
    assert_eq!(met(&ana.at(&shop), Method::DELETE, "/v1/sessions/current", &json!({})).await.0, 204);
    until_it_has_ended(&shop, &ana).await;
    assert_eq!(refresh(&shop, &ana.refresh).await.0, 401);
    assert_eq!(both(&shop, &other).await, (200, 200));
    let third = Shopper::sign_in(&shop, "ana@example.com", PASSWORD).await;
    assert_eq!(met(&third.at(&shop), Method::DELETE, "/v1/sessions", &json!({})).await.0, 204);
    until_it_has_ended(&shop, &other).await;
    until_it_has_ended(&shop, &third).await;
}

#[tokio::test]
async fn a_token_is_of_one_shop_and_of_one_person() {
    let stack = TestStack::start(false).await;
    let (shop, neighbour) = (storefront(&stack, "mine").await, storefront(&stack, "theirs").await);
    let ana = Shopper::sign_up(&stack, &shop, "ana@example.com").await;
    // The same address is another person in another shop.
    let there = Shopper::sign_up(&stack, &neighbour, "ana@example.com").await;
    assert_ne!(ana.id, there.id);
    let elsewhere = ana.at(&neighbour);
    assert_eq!(elsewhere.read("/v1/search?q=x", None).await.status, 404);
    assert_eq!(answer(elsewhere.request(Method::GET, "/v1/me")).await.0, 404);
    assert_eq!(refresh(&neighbour, &ana.refresh).await.0, 401);
    // What is changed in a token is noticed, whoever it would be for.
    let (head, rest) = ana.access.split_once('.').expect("a token");
    let (claims, signature) = rest.split_once('.').expect("a token");
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).expect("base64");
    let mut claims: Value = serde_json::from_slice(&claims).expect("JSON");
    claims["sub"] = json!(there.id);
    let claims = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    let forged = Shopper { access: format!("{head}.{claims}.{signature}"), ..ana.clone() };
    assert_eq!(both(&shop, &forged).await, (401, 401));
    // The public keys are those that the token names.
    let keys = shop.read("/v1/jwks", None).await.body;
    let head: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(head).expect("base64")).expect("JSON");
    assert_eq!((&keys["keys"][0]["kid"], &keys["keys"][0]["alg"]), (&head["kid"], &json!("EdDSA")), "{keys}");
    assert_eq!(keys["keys"][0]["d"], Value::Null, "{keys}");
}

#[tokio::test]
async fn who_guesses_passwords_waits_and_the_person_does_not() {
    let stack = TestStack::start(false).await;
    let shop = storefront(&stack, "guessing").await;
    Shopper::sign_up(&stack, &shop, "ana@example.com").await;
    Shopper::sign_up(&stack, &shop, "eva@example.com").await;
    let guess = json!({"email": "ana@example.com", "password": "a-wrong-guess-1"});
    let mut met = Vec::new();
    for _ in 0..8 {
        let answer = shop.request(Method::POST, "/v1/sessions").json(&guess).send().await.expect("an answer");
        let wait = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()).map(str::to_owned);
        met.push((answer.status().as_u16(), wait));
    }
    assert_eq!(met[0], (401, None));
    let (status, wait) = met.last().expect("many");
    assert!(*status == 429 && wait.as_ref().is_some_and(|wait| wait.parse::<u32>().is_ok_and(|s| s >= 1)), "{met:?}");
    // Others from the same address of the network sign in as ever.
    Shopper::sign_in(&shop, "eva@example.com", PASSWORD).await;
}

#[tokio::test]
async fn a_key_that_is_revoked_takes_its_tokens_along_and_sessions_go_on_with_another() {
    let stack = TestStack::start(false).await;
    let owner = Shop::open(&stack, "leaked").await;
    let shop = owner.with_key(&owner.key("search", &[]).await.1);
    let ana = Shopper::sign_up(&stack, &shop, "ana@example.com").await;
    assert_eq!(both(&shop, &ana).await, (200, 200));
    let keys = shop.read("/v1/jwks", None).await.body;
    let path = format!("/v1/token-keys/{}", keys["keys"][0]["kid"].as_str().expect("a key"));
    assert_eq!(met(&shop, Method::DELETE, &path, &json!({})).await.0, 403);
    owner.command(Method::DELETE, &path, None, &json!({})).await;
    until_it_has_ended(&shop, &ana).await;
    // What signs is looked up anew after a while; until then it signs what nobody takes.
    let mut refresh_token = ana.refresh.clone();
    let mut next = ana.clone();
    let began = std::time::Instant::now();
    while both(&shop, &next).await != (200, 200) {
        assert!(began.elapsed() < PATIENCE, "another key signs");
        next = Shopper::of(&refresh(&shop, &refresh_token).await.2);
        refresh_token.clone_from(&next.refresh);
    }
    assert_eq!(next.session, ana.session);
}
