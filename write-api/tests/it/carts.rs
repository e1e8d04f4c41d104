//! Guests and their carts: the first makes the shop's key, and carts that nobody touches expire.

use super::stack::{Stack, product, sent};
use reqwest::Method;
use schemas::{Timestamp, Uuid};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use write_api::clock::{Clock, SystemClock};

/// The machine's clock, so many days ahead.
#[derive(Debug, Default)]
struct Ahead(AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now() + schemas::TimeDelta::days(self.0.load(Ordering::Relaxed))
    }

    fn id(&self) -> Uuid {
        SystemClock.id()
    }

    fn secret(&self) -> [u8; 32] {
        SystemClock.secret()
    }
}

const MASTER: &str = "first:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// A guest's token, as the first one gets it.
async fn guest(stack: &Stack) -> String {
    let drawn = sent(stack.request(Method::POST, "/v1/guests")).await;
    assert_eq!((drawn.status, drawn.header("cache-control")), (201, "no-store"), "{drawn:?}");
    assert_eq!(drawn.body["expires_in"], 90 * 24 * 60 * 60);
    drawn.body["guest_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_first_guest_makes_the_shops_key_and_no_other_does() {
    let stack = Stack::with(&["--master-keys", MASTER]).await;
    let (one, other) = (guest(&stack).await, guest(&stack).await);
    assert_ne!(one, other);
    assert_eq!(stack.count("SELECT count(*) FROM accounts.token_keys").await, 1);
    // The key is believed as long as the tokens of its last day are good.
    let days: i64 = sqlx::query_scalar(
        "SELECT extract(day FROM (state::jsonb ->> 'valid_until')::timestamptz - (state::jsonb ->> 'signs_from')::timestamptz)::bigint
         FROM accounts.token_keys",
    )
    .fetch_one(&stack.pool)
    .await
    .unwrap();
    assert_eq!(days, 121);
    stack.stop().await;
}

#[tokio::test]
async fn without_master_keys_nobody_is_a_guest() {
    let stack = Stack::start().await;
    let refused = sent(stack.request(Method::POST, "/v1/guests")).await;
    assert_eq!((refused.status, refused.code()), (503, "unavailable"));
    stack.stop().await;
}

#[tokio::test]
async fn a_cart_that_nobody_touches_expires_and_one_that_is_touched_does_not() {
    let clock = Arc::new(Ahead::default());
    let stack =
        Stack::at_time(Arc::clone(&clock) as Arc<dyn Clock>, &["--master-keys", MASTER, "--cart-days", "30"]).await;
    assert_eq!(stack.post("/v1/products", product("a")).await.status, 201);
    let tokens = [guest(&stack).await, guest(&stack).await];
    let mut carts = Vec::new();
    for token in &tokens {
        let begun = stack.http.post(format!("{}/v1/carts", stack.base)).bearer_auth(token);
        let begun = sent(begun.json(&json!({"currency": "EUR"}))).await;
        assert_eq!(begun.status, 201, "{begun:?}");
        carts.push(begun.id());
    }
    let add = async |place: usize| {
        let url = format!("{}/v1/carts/{}/items", stack.base, carts[place]);
        let request = stack.http.post(url).bearer_auth(&tokens[place]);
        sent(request.json(&json!({"sku": "sku-a", "quantity": 1}))).await
    };
    assert_eq!(add(0).await.status, 200);
    clock.0.store(20, Ordering::Relaxed);
    assert_eq!(add(1).await.status, 200);
    clock.0.store(31, Ordering::Relaxed);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    let expired = "SELECT count(*) FROM carts.carts WHERE phase = 'expired'";
    let mut looks = tokio::time::interval(Duration::from_millis(100));
    while stack.count(expired).await == 0 {
        assert!(tokio::time::Instant::now() < deadline, "the job has not ended the cart");
        looks.tick().await;
    }
    let refused = add(0).await;
    assert_eq!((refused.status, refused.code()), (409, "cart_closed"), "{refused:?}");
    assert_eq!(add(1).await.status, 200, "it was touched eleven days ago");
    assert_eq!(stack.count("SELECT count(*) FROM carts.outbox WHERE event_type LIKE '%.expired.%'").await, 1);
    stack.stop().await;
}
