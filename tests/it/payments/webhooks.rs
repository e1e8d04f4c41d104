//! Webhooks: who may send them, and what follows from one that comes twice, late, or in another order.

use super::Scene;
use acceptance::{
    eventually::eventually,
    shop::PATIENCE,
    stripe_stand_in::{GOOD, SECRET_KEY, WEBHOOK_SECRET, send},
};
use launcher::stack::Service;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_webhook_is_taken_in_once_and_only_if_it_is_signed() {
    let scene = Scene::open("signed").await;
    let (id, _) = scene.payment("card", "USD", 10_000).await;
    scene.attempt(&id, 1, Some(GOOD)).await;
    let events = scene.stripe.take_events();
    let event = events.last().expect("an event");
    for (secret, seconds_ago) in [("whsec_of_somebody_else", 0), (WEBHOOK_SECRET, 400), (WEBHOOK_SECRET, -400)] {
        assert_eq!(send(&scene.hook, event, secret, seconds_ago).await, Ok(400), "{seconds_ago}");
    }
    let unsigned = reqwest::Client::new().post(&scene.hook).body(event.to_string()).send().await.expect("an answer");
    assert_eq!(unsigned.status(), 400);
    let elsewhere = format!("{}/v1/webhooks/stripe/{}", scene.stack.write_url(), schemas::Uuid::now_v7());
    assert_eq!(send(&elsewhere, event, WEBHOOK_SECRET, 0).await, Ok(404));
    assert_eq!(scene.rows("webhooks").await, 0);
    for _ in 0..3 {
        assert_eq!(send(&scene.hook, event, WEBHOOK_SECRET, 1).await, Ok(204));
    }
    assert_eq!(scene.rows("webhooks").await, 1);
    // A secret follows another without a gap.
    let agreed = json!({"secret_key": SECRET_KEY, "webhook_secrets": ["whsec_next", WEBHOOK_SECRET]});
    scene.shop.command(Method::PUT, "/v1/payment-providers/stripe", None, &agreed).await;
    assert_eq!(send(&scene.hook, event, "whsec_next", 1).await, Ok(204));
    // Neither what was sent nor what opens the account can be read where it is kept.
    let kept: Vec<String> = sqlx::query_scalar(
        "SELECT sealed FROM payments.webhooks UNION ALL SELECT sealed FROM payments.provider_secrets",
    )
    .fetch_all(&scene.stack.write)
    .await
    .expect("rows");
    let secrets = [SECRET_KEY, WEBHOOK_SECRET, "pi_0"];
    assert!(kept.iter().all(|text| secrets.iter().all(|secret| !text.contains(secret))), "{kept:?}");
    let log = scene.stack.log(Service::WriteApi);
    assert!(secrets[..2].iter().all(|secret| !log.contains(secret)), "a secret stands in the log");
}

#[tokio::test]
async fn webhooks_in_any_order_lead_to_the_same() {
    let scene = Scene::open("shuffled").await;
    let (id, order) = scene.payment("card", "USD", 10_000).await;
    scene.attempt(&id, 1, Some(GOOD)).await;
    let intent = scene.stripe.newest()["id"].as_str().expect("an id").to_owned();
    scene.stripe.capture_in_console(&intent, 9_000);
    scene.stripe.refund_in_console(&intent, 1_000);
    scene.stripe.refund_in_console(&intent, 500);
    let events = scene.stripe.take_events();
    let twice: Vec<&Value> = events.iter().rev().chain(&events).collect();
    for event in twice {
        assert_eq!(send(&scene.hook, event, WEBHOOK_SECRET, 1).await, Ok(204));
    }
    let known = scene
        .until(&id, "all of it is known", |payment| payment["refunds"].as_array().is_some_and(|all| all.len() == 2))
        .await;
    assert_eq!(
        (&known["captured"], &known["refunded"], &known["mismatch"]),
        (&json!(9_000), &json!(1_500), &Value::Null)
    );
    assert_eq!(known["refunds"][0]["reason"], "provider");
    eventually("nothing is left to be asked for", PATIENCE, || async {
        let left = scene.rows("fetches").await;
        if left == 0 { Ok(()) } else { Err(left.to_string()) }
    })
    .await;
    eventually("the ledger has it once", PATIENCE, || async {
        let found = scene.balance(&format!("1100:{order}")).await;
        if found == -7_500 { Ok(()) } else { Err(found.to_string()) }
    })
    .await;
}

#[tokio::test]
async fn what_nobody_told_of_is_found_in_the_list() {
    let scene = Scene::open("silent").await;
    let (id, _) = scene.payment("card", "USD", 10_000).await;
    scene.attempt(&id, 1, Some(GOOD)).await;
    let intent = scene.stripe.newest()["id"].as_str().expect("an id").to_owned();
    scene.stripe.capture_in_console(&intent, 10_000);
    scene.stripe.refund_in_console(&intent, 2_500);
    drop(scene.stripe.take_events());
    sqlx::query("UPDATE payments.provider_looks SET looked_at = now() - interval '1 hour'")
        .execute(&scene.stack.write)
        .await
        .expect("due");
    let known = scene.until(&id, "it was found", |payment| payment["refunded"] == json!(2_500)).await;
    assert_eq!((&known["status"], &known["captured"]), (&json!("captured"), &json!(10_000)), "{known}");
}

#[tokio::test]
async fn an_object_that_nobody_knows_is_kept_and_asked_for_again() {
    let scene = Scene::open("strange").await;
    let event = json!({"id": "evt_strange", "type": "payment_intent.succeeded", "data": {"object": {"object": "payment_intent", "id": "pi_strange"}}});
    assert_eq!(send(&scene.hook, &event, WEBHOOK_SECRET, 1).await, Ok(204));
    eventually("it was asked for, and is kept", PATIENCE, || async {
        let tries: Option<i32> =
            sqlx::query_scalar("SELECT tries FROM payments.fetches WHERE reference = 'pi_strange'")
                .fetch_optional(&scene.stack.write)
                .await
                .expect("a row");
        if tries.is_some_and(|tries| tries > 0) { Ok(()) } else { Err(format!("{tries:?}")) }
    })
    .await;
    sqlx::query("UPDATE payments.fetches SET first_at = now() - interval '73 hours', next_at = now()")
        .execute(&scene.stack.write)
        .await
        .expect("long ago");
    eventually("it is given up after three days", PATIENCE, || async {
        let left = scene.rows("fetches").await;
        if left == 0 { Ok(()) } else { Err(left.to_string()) }
    })
    .await;
}
