//! What staff enter: transfers that two of them confirm, and cash.

use super::{Scene, ask};
use acceptance::{eventually::eventually, shop::PATIENCE};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_transfer_counts_once_somebody_else_has_approved_it() {
    let scene = Scene::open("transfers").await;
    let rights = ["payments.write", "payments.approve"];
    let one = scene.shop.with_key(&scene.shop.key("staff", &rights).await.1);
    let other = scene.shop.with_key(&scene.shop.key("staff", &rights).await.1);
    let (id, order) = scene.payment("transfer", "USD", 10_000).await;
    let entered = json!({"amount": 12_000, "reference": "E2E-1", "proof": "statement 12, line 4"});
    let (status, proof) = ask(&one, &id, "transfers", &entered).await;
    assert_eq!(status, 201, "{proof}");
    let (_, again) = ask(&other, &id, "transfers", &entered).await;
    assert_eq!((&again["proof_id"], &again["version"]), (&proof["proof_id"], &proof["version"]), "the same again");
    let changed = json!({"amount": 1, "reference": "E2E-1", "proof": "statement 12, line 4"});
    assert_eq!(ask(&one, &id, "transfers", &changed).await.1["code"], "transfer_exists");
    let approve = format!("transfers/{}/approve", proof["proof_id"].as_str().expect("an id"));
    let (status, own) = ask(&one, &id, &approve, &json!({})).await;
    assert_eq!((status, &own["code"]), (409, &json!("own_transfer")));
    let (status, approved) = ask(&other, &id, &approve, &json!({})).await;
    assert_eq!(status, 200, "{approved}");
    assert_eq!(ask(&other, &id, &approve, &json!({})).await.1["version"], approved["version"]);
    let read = scene.shop.read(&format!("/v1/payments/{id}"), approved["token"].as_str()).await;
    assert_eq!((&read.body["status"], &read.body["captured"]), (&json!("captured"), &json!(12_000)), "{read:?}");
    let transfer = &read.body["transfers"][0];
    assert!(transfer["entered_by"] != transfer["approved_by"] && transfer["approved_at"].is_string(), "{transfer}");
    eventually("what is over stays with the order", PATIENCE, || async {
        let found = (scene.balance("1010:main").await, scene.balance(&format!("1100:{order}")).await);
        if found == (12_000, -12_000) { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    // The audit has who did what.
    eventually("the audit has both", PATIENCE, || async {
        let activity = scene.shop.read(&format!("/v1/activity?of={id}"), None).await;
        let entries = activity.body["entries"].as_array().map_or(0, Vec::len);
        if entries >= 2 { Ok(()) } else { Err(format!("{activity:?}")) }
    })
    .await;
}

#[tokio::test]
async fn cash_is_collected_and_handed_over() {
    let scene = Scene::open("cash").await;
    let (id, order) = scene.payment("cash_on_delivery", "USD", 10_000).await;
    let collected = json!({"capture_id": "shipment-1", "carrier": "post", "amount": 10_000});
    for _ in 0..2 {
        assert_eq!(scene.post(&id, "collections", &collected).await.0, 200);
    }
    let handed = json!({"capture_id": "shipment-1", "kept": 150});
    let (status, done) = scene.post(&id, "remittances", &handed).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(scene.post(&id, "remittances", &json!({"capture_id": "shipment-2"})).await.0, 404);
    assert_eq!(scene.attempt(&id, 1, None).await.1["code"], "payment_method");
    eventually("the ledger has it", PATIENCE, || async {
        let found = [
            scene.balance("1020:post").await,
            scene.balance("1010:main").await,
            scene.balance("5000:post").await,
            scene.balance(&format!("1100:{order}")).await,
        ];
        if found == [0, 9_850, 150, -10_000] { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
}

#[tokio::test]
async fn a_payment_is_one_and_its_provider_shows_no_secret() {
    let scene = Scene::open("once").await;
    let (id, order) = scene.payment("card", "USD", 10_000).await;
    let path = format!("/v1/payments/{id}");
    let asked = |amount: i64| json!({"order_id": order, "method": "card", "currency": "USD", "amount": amount});
    let again = scene.shop.command(Method::PUT, &path, None, &asked(10_000)).await;
    assert_eq!((&again["status"], &again["version"]), (&json!("unchanged"), &json!(1)));
    let other = scene.shop.request(Method::PUT, &path).json(&asked(9_999)).send().await.expect("an answer");
    assert_eq!(other.status(), 409);
    let shown = eventually("the provider is listed", PATIENCE, || async {
        let shown = scene.shop.read("/v1/payment-providers", None).await.body.to_string();
        if shown.contains("stripe") { Ok(shown) } else { Err(shown) }
    })
    .await;
    assert!(!shown.contains("sk_test") && !shown.contains("whsec"), "{shown}");
    let unheard = scene.shop.request(Method::PUT, "/v1/payment-providers/barter").json(&json!({"secret_key": "x"}));
    assert_eq!(unheard.send().await.expect("an answer").status(), 404);
}
