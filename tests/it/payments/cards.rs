//! Cards, from the first attempt to the money that goes back.

use super::Scene;
use acceptance::{
    eventually::eventually,
    shop::PATIENCE,
    stripe_stand_in::{ASKING, DECLINED, Fault, GOOD},
};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_part_is_captured_and_the_rest_is_let_go_of() {
    // M13
    let scene = Scene::open("capturing").await;
    let (id, order) = scene.payment("card", "USD", 10_000).await;
    let (status, held) = scene.attempt(&id, 1, Some(GOOD)).await;
    assert_eq!((status, &held["status"], &held["held"]), (200, &json!("authorized"), &json!(10_000)), "{held}");
    assert_eq!(scene.post(&id, "capture", &json!({"amount": 10_001})).await.1["code"], "exceeds_authorized");
    let (status, captured) = scene.post(&id, "capture", &json!({"amount": 8_000})).await;
    assert_eq!((status, &captured["status"], &captured["held"]), (200, &json!("captured"), &json!(0)), "{captured}");
    let (status, again) = scene.post(&id, "capture", &json!({"amount": 8_000})).await;
    assert_eq!((status, &again["captured"]), (200, &json!(8_000)), "{again}");
    assert_eq!(scene.post(&id, "capture", &json!({"amount": 2_000})).await.1["code"], "capture_exists");
    assert_eq!(scene.stripe.carried_out("capture"), 1);
    let token = captured["token"].as_str();
    let read = scene.shop.read(&format!("/v1/payments/{id}"), token).await;
    assert!(read.fresh, "{read:?}");
    assert_eq!(
        (&read.body["captured"], &read.body["held"], &read.body["fees"]),
        (&json!(8_000), &json!(0), &json!(262))
    );
    assert_eq!(read.body["captures"][0]["capture_id"], json!(format!("{id}:1:capture")));
    eventually("the ledger has it", PATIENCE, || async {
        let found = (scene.balance("1000:stripe").await, scene.balance(&format!("1100:{order}")).await);
        if found == (7_738, -8_000) { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    assert_eq!((scene.balance(&format!("9000:{id}")).await, scene.balance("9001").await), (0, 0));
    let listed = scene.shop.read("/v1/payments?status=captured", None).await;
    assert_eq!(listed.body["payments"][0]["id"], json!(id), "{listed:?}");
    assert_eq!(scene.shop.read("/v1/payments?status=lost", None).await.status, 400);
}

#[tokio::test]
async fn another_card_pays_once_after_a_decline_and_a_lost_answer() {
    // M12
    let scene = Scene::open("declined").await;
    let (id, _) = scene.payment("card", "USD", 1_099).await;
    let (status, declined) = scene.attempt(&id, 1, Some(DECLINED)).await;
    assert_eq!((status, &declined["status"], &declined["failure"]), (200, &json!("failed"), &json!("generic_decline")));
    assert_eq!(scene.attempt(&id, 3, Some(GOOD)).await.1["code"], "payment_attempt");
    // The first attempt is canceled; of the second the answer is lost, and comes with the same key.
    let (_, begun) = scene.attempt(&id, 2, None).await;
    assert_eq!(begun["status"], "action_required", "{begun}");
    scene.stripe.fail(&[Fault::SilentAfter]);
    let (status, held) = scene.attempt(&id, 2, Some(GOOD)).await;
    assert_eq!((status, &held["status"], &held["attempt"]), (200, &json!("authorized"), &json!(2)), "{held}");
    let (_, captured) = scene.post(&id, "capture", &json!({"amount": 1_099})).await;
    assert_eq!(captured["captured"], json!(1_099), "{captured}");
    let done = |change: &str| scene.stripe.carried_out(change);
    assert_eq!((done("create"), done("cancel"), done("capture")), (2, 1, 1));
}

#[tokio::test]
async fn an_attempt_of_which_nobody_knows_is_found_at_the_provider() {
    let scene = Scene::open("unknown").await;
    let (id, _) = scene.payment("card", "USD", 1_099).await;
    scene.stripe.fail(&[Fault::BrokenAfter]);
    let (status, pending) = scene.attempt(&id, 1, Some(GOOD)).await;
    assert_eq!((status, &pending["status"]), (200, &json!("pending")), "{pending}");
    assert_eq!(scene.attempt(&id, 2, Some(GOOD)).await.1["code"], "payment_attempt", "it is not known to have failed");
    // The key answers with the failure that it keeps: the list has the attempt.
    scene.until(&id, "it was found", |payment| payment["status"] == "action_required").await;
    let (_, held) = scene.attempt(&id, 1, Some(GOOD)).await;
    assert_eq!((&held["status"], scene.stripe.count()), (&json!("authorized"), 1), "{held}");
    assert_eq!(scene.rows("calls").await, 0);
}

#[tokio::test]
async fn a_bank_that_asks_is_answered_on_its_page() {
    let scene = Scene::open("asking").await;
    let (id, _) = scene.payment("card", "EUR", 2_500).await;
    let (_, asking) = scene.attempt(&id, 1, Some(ASKING)).await;
    assert_eq!(asking["action"]["redirect"], "https://bank.example/ask", "{asking}");
    let intent = scene.stripe.newest()["id"].as_str().expect("an id").to_owned();
    scene.stripe.answer_bank(&intent, true);
    let (_, held) = scene.attempt(&id, 1, None).await;
    assert_eq!(held["status"], "action_required", "nobody has asked yet: {held}");
    for event in scene.stripe.take_events() {
        assert_eq!(stripe_stand_in::send(&scene.hook, &event, stripe_stand_in::WEBHOOK_SECRET, 1).await, Ok(204));
    }
    scene.until(&id, "the hold is known", |payment| payment["status"] == "authorized").await;
    let (status, voided) = scene.post(&id, "void", &json!({})).await;
    assert_eq!((status, &voided["status"], &voided["held"]), (200, &json!("voided"), &json!(0)), "{voided}");
    assert_eq!(scene.post(&id, "void", &json!({})).await.1["version"], voided["version"], "the same again");
    assert_eq!(scene.attempt(&id, 2, Some(GOOD)).await.1["code"], "status_conflict");
}

#[tokio::test]
async fn money_that_comes_late_goes_back() {
    // M11: nobody knows what came of letting go, and the shopper pays meanwhile.
    let scene = Scene::open("late").await;
    let (id, order) = scene.payment("card", "USD", 4_200).await;
    let (_, begun) = scene.attempt(&id, 1, None).await;
    assert!(begun["action"]["client_secret"].is_string(), "{begun}");
    let intent = scene.stripe.newest()["id"].as_str().expect("an id").to_owned();
    scene.stripe.fail(&[Fault::Broken, Fault::Broken]);
    let (_, voided) = scene.post(&id, "void", &json!({"gives_back": true})).await;
    assert_eq!(voided["status"], "voided", "{voided}");
    scene.stripe.pay(&intent);
    scene.stripe.capture_in_console(&intent, 4_200);
    for event in scene.stripe.take_events() {
        assert_eq!(stripe_stand_in::send(&scene.hook, &event, stripe_stand_in::WEBHOOK_SECRET, 1).await, Ok(204));
    }
    let back = scene.until(&id, "it went back", |payment| payment["refunds"][0]["status"] == "succeeded").await;
    assert_eq!(
        (&back["refunds"][0]["amount"], &back["refunds"][0]["reason"]),
        (&json!(4_200), &json!("late")),
        "{back}"
    );
    eventually("the ledger has it", PATIENCE, || async {
        let found = [
            scene.balance(&format!("1100:{order}")).await,
            scene.balance("1000:stripe").await,
            scene.balance("5000:stripe").await,
        ];
        if found == [0, -152, 152] { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    assert_eq!(scene.stripe.carried_out("refund"), 1);
}

#[tokio::test]
async fn what_costs_nothing_and_what_nobody_takes_asks_no_provider() {
    // M08, M03
    let scene = Scene::open("nothing").await;
    let asked = scene.stripe.asked();
    for (amount, currency, pointer) in [(0, "USD", "/amount"), (1_234, "KWD", "/amount"), (49, "USD", "/amount")] {
        let body =
            json!({"order_id": schemas::Uuid::now_v7(), "method": "card", "currency": currency, "amount": amount});
        let path = format!("/v1/payments/{}", schemas::Uuid::now_v7());
        let answer = scene.shop.request(Method::PUT, &path).json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), 422);
        let told: serde_json::Value = answer.json().await.expect("JSON");
        assert_eq!(
            (&told["code"], &told["errors"][0]["pointer"]),
            (&json!("validation_failed"), &json!(pointer)),
            "{told}"
        );
    }
    assert_eq!((scene.stripe.asked(), scene.rows("payments").await, scene.rows("ledger_keys").await), (asked, 0, 0));
}
