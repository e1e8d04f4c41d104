//! Cards in a checkout, from the secret of the provider's form to the paid order.

use super::Scene;
use acceptance::{
    buying::Buyer,
    eventually::eventually,
    shop::{PATIENCE, Read, Shop},
    stack::TestStack,
    stripe_stand_in::{Fault, SECRET_KEY, StripeStandIn, WEBHOOK_SECRET, send},
};
use launcher::stack::Service;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A scene whose shop takes cards.
struct Cards {
    scene: Scene,
    stripe: StripeStandIn,
    /// Where its webhooks go.
    hook: String,
}

impl Cards {
    async fn open(slug: &str) -> Self {
        let stripe = StripeStandIn::start().expect("a stand-in");
        let address = stripe.address().to_owned();
        let stack = TestStack::start_with(false, |settings| settings.stripe_url = Some(address)).await;
        let scene = Scene::of(stack, slug, 5).await;
        let agreed = json!({"secret_key": SECRET_KEY, "webhook_secrets": [WEBHOOK_SECRET]});
        let set = scene.shop.command(Method::PUT, "/v1/payment-providers/stripe", None, &agreed).await;
        let hook = format!("{}/v1/webhooks/stripe/{}", scene.stack.write_url(), set["id"].as_str().expect("an id"));
        Self { scene, stripe, hook }
    }

    /// The shopper pays in the provider's form, and the provider tells of it.
    async fn pays(&self) {
        let intent = self.stripe.newest()["id"].as_str().expect("an id").to_owned();
        self.stripe.pay(&intent);
        for event in self.stripe.take_events() {
            assert_eq!(send(&self.hook, &event, WEBHOOK_SECRET, 1).await, Ok(204));
        }
    }

    /// The order, as staff see it, once it is paid.
    async fn paid(&self, order: &str) -> Value {
        let path = format!("/v1/staff/orders/{order}");
        eventually("the order is paid", PATIENCE, || async {
            let read = self.scene.shop.read(&path, None).await;
            if read.body["payment"] == "paid" { Ok(read.body) } else { Err(format!("{read:?}")) }
        })
        .await
    }

    /// What the shopper has to do.
    async fn stands(&self, checkout: &Value, action: &str) {
        eventually("the shopper has to act", PATIENCE, || async {
            let read = self.scene.guest.stands(checkout).await;
            if read.body["awaiting"]["action"] == action { Ok(()) } else { Err(format!("{read:?}")) }
        })
        .await;
    }

    /// The shopper wants another attempt.
    async fn pays_again(&self, checkout: &Value) {
        let path = format!("/v1/checkouts/{}/payment", checkout["id"].as_str().expect("an id"));
        self.scene.guest.shop.command(Method::POST, &path, None, &json!({"payment_method": "card"})).await;
    }

    async fn capturing(&self) {
        let captured = || self.stripe.carried_out("capture");
        eventually("it is captured", PATIENCE, || async {
            if captured() == 1 { Ok(()) } else { Err(format!("{} captures", captured())) }
        })
        .await;
    }
}

async fn action(guest: &Shop, checkout: &Value) -> Read {
    let path = format!("/v1/checkouts/{}/payment/action", checkout["id"].as_str().expect("an id"));
    Shop::answer(guest.request(Method::POST, &path).send().await.expect("an answer")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_held_then_the_order_is_confirmed_then_the_money_is_taken() {
    let cards = Cards::open("cards-shop").await;
    let scene = &cards.scene;
    let cart = scene.cart(2).await;
    let begun = scene.checkout(&cart, "card", 4_500).await;
    assert_eq!(
        (&begun.body["phase"], &begun.body["awaiting"]["action"]),
        (&json!("awaiting_payment"), &json!("confirm")),
        "{begun:?}"
    );
    assert!(!begun.body.to_string().contains("secret"), "{begun:?}");
    let given = action(&scene.guest.shop, &begun.body).await;
    assert_eq!((given.status, &given.body["client_secret"]), (StatusCode::OK, &cards.stripe.newest()["client_secret"]));
    let other = Buyer::guest(&scene.shop).await;
    assert_eq!(action(&other.shop, &begun.body).await.status, StatusCode::NOT_FOUND);
    cards.pays().await;
    let shown = scene.shown(&begun.body, "completed").await;
    let order = cards.paid(shown["order_id"].as_str().expect("an order")).await;
    assert_eq!((&order["number"], &order["status"], &order["paid"]), (&json!("SO-1"), &json!("paid"), &json!(4_500)));
    assert_eq!((cards.stripe.count(), cards.stripe.carried_out("capture")), (1, 1));
    let after = action(&scene.guest.shop, &begun.body).await;
    assert_eq!((after.status, &after.body["code"]), (StatusCode::CONFLICT, &json!("checkout_not_awaiting")));
}

/// "Paid, but the order was not updated": the answer to the capture is lost, and write-api dies.
#[tokio::test(flavor = "multi_thread")]
async fn paid_but_order_not_updated() {
    let cards = Cards::open("lost-shop").await;
    let scene = &cards.scene;
    let cart = scene.cart(1).await;
    let begun = scene.checkout(&cart, "card", 2_500).await;
    assert_eq!(begun.body["phase"], "awaiting_payment", "{begun:?}");
    let intent = cards.stripe.newest()["id"].as_str().expect("an id").to_owned();
    cards.stripe.pay(&intent);
    let events = cards.stripe.take_events();
    // The fetch of the intent is answered, the capture is carried out and its answer lost.
    cards.stripe.fail(&[]);
    for event in &events {
        assert_eq!(send(&cards.hook, event, WEBHOOK_SECRET, 1).await, Ok(204));
    }
    cards.capturing().await;
    scene.stack.crash(Service::WriteApi).await;
    // What came twice, and in another order, changes nothing.
    for event in events.iter().rev().chain(&events) {
        assert_eq!(send(&cards.hook, event, WEBHOOK_SECRET, 1).await, Ok(204));
    }
    let shown = scene.shown(&begun.body, "completed").await;
    let order = cards.paid(shown["order_id"].as_str().expect("an order")).await;
    assert_eq!(order["paid"], 2_500, "{order}");
    assert_eq!((cards.stripe.count(), cards.stripe.carried_out("capture")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fails_after_it_has_done_it_charges_once() {
    let cards = Cards::open("broken-shop").await;
    let scene = &cards.scene;
    let cart = scene.cart(1).await;
    cards.stripe.fail(&[Fault::BrokenAfter]);
    let begun = scene.checkout(&cart, "card", 2_500).await;
    assert_eq!(begun.body["phase"], "awaiting_payment", "{begun:?}");
    eventually("the attempt is found at the provider", PATIENCE, || async {
        let given = action(&scene.guest.shop, &begun.body).await;
        if given.status == StatusCode::OK { Ok(()) } else { Err(format!("{given:?}")) }
    })
    .await;
    cards.pays().await;
    let shown = scene.shown(&begun.body, "completed").await;
    cards.paid(shown["order_id"].as_str().expect("an order")).await;
    assert_eq!((cards.stripe.count(), cards.stripe.carried_out("capture")), (1, 1));
}

/// What is told late of a declined attempt takes nothing away from the next.
#[tokio::test(flavor = "multi_thread")]
async fn another_attempt_is_paid_whatever_comes_late_of_the_one_before() {
    let cards = Cards::open("again-shop").await;
    let scene = &cards.scene;
    let cart = scene.cart(1).await;
    let begun = scene.checkout(&cart, "card", 2_500).await;
    let first = cards.stripe.newest()["id"].as_str().expect("an id").to_owned();
    cards.stripe.decline(&first);
    let late = cards.stripe.take_events();
    for event in &late {
        assert_eq!(send(&cards.hook, event, WEBHOOK_SECRET, 1).await, Ok(204));
    }
    cards.stands(&begun.body, "pay_again").await;
    cards.pays_again(&begun.body).await;
    cards.stands(&begun.body, "confirm").await;
    for event in &mut late.clone() {
        // Another webhook of the same attempt.
        event["id"] = json!(format!("{}_late", event["id"].as_str().expect("an id")));
        assert_eq!(send(&cards.hook, event, WEBHOOK_SECRET, 1).await, Ok(204));
    }
    eventually("what came late was fetched", PATIENCE, || async {
        let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM payments.fetches")
            .fetch_one(&scene.stack.write)
            .await
            .map_err(|error| error.to_string())?;
        if waiting == 0 { Ok(()) } else { Err(format!("{waiting} wait")) }
    })
    .await;
    let given = action(&scene.guest.shop, &begun.body).await;
    assert_eq!((given.status, &given.body["client_secret"]), (StatusCode::OK, &cards.stripe.newest()["client_secret"]));
    cards.pays().await;
    let shown = scene.shown(&begun.body, "completed").await;
    cards.paid(shown["order_id"].as_str().expect("an order")).await;
    assert_eq!(cards.stripe.carried_out("capture"), 1);
}

/// Before another attempt, the declined one is ended. Where the provider's answer to that is lost, the checkout waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn another_attempt_waits_until_it_is_known_that_the_one_before_has_ended() {
    let cards = Cards::open("ended-shop").await;
    let scene = &cards.scene;
    let cart = scene.cart(1).await;
    let begun = scene.checkout(&cart, "card", 2_500).await;
    cards.stripe.decline(cards.stripe.newest()["id"].as_str().expect("an id"));
    for event in cards.stripe.take_events() {
        assert_eq!(send(&cards.hook, &event, WEBHOOK_SECRET, 1).await, Ok(204));
    }
    cards.stands(&begun.body, "pay_again").await;
    cards.stripe.fail(&[Fault::BrokenAfter]);
    cards.pays_again(&begun.body).await;
    cards.stands(&begun.body, "confirm").await;
    assert_eq!((cards.stripe.count(), cards.stripe.carried_out("cancel")), (2, 1));
    cards.pays().await;
    let shown = scene.shown(&begun.body, "completed").await;
    cards.paid(shown["order_id"].as_str().expect("an order")).await;
    assert_eq!(cards.stripe.carried_out("capture"), 1);
}
