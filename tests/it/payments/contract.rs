//! The port of payment providers, as Stripe's adapter keeps it: over the documented interface, with its failures.

use acceptance::stripe_stand_in::{ASKING, DECLINED, Fault, GOOD, SECRET_KEY, StripeStandIn, WEBHOOK_SECRET};
use reqwest::Url;
use schemas::{TimeDelta, Utc, Uuid, money::Money};
use write_api::{
    oidc::reach::Reach,
    providers::{
        Action, NewAttempt, NewRefund, Ours, Provider, ProviderError, RefundStanding, Snapshot, Standing,
        WebhookRefused,
        connection::Connection,
        stripe::{Stripe, signature::sign},
    },
};

fn adapter(stand_in: &StripeStandIn, key: &str) -> Stripe {
    let connection = Connection::new(Reach::Local).expect("a client");
    let address = Url::parse(stand_in.address()).expect("an address");
    Stripe::new(connection, address, key.to_owned(), vec!["whsec_old".to_owned(), WEBHOOK_SECRET.to_owned()])
}

fn money(amount: i64, code: &str) -> Money {
    Money { amount, currency: code.parse().expect("a code") }
}

fn attempt(number: u32, money: Money) -> NewAttempt {
    let ours = Ours { payment_id: Uuid::from_u128(7), attempt: number };
    NewAttempt { ours, order_id: Uuid::from_u128(8), money }
}

/// An attempt of 100.00 of which the money is held.
async fn held(stripe: &Stripe) -> Snapshot {
    let created = stripe.create(&attempt(1, money(10_000, "USD")), "1:create").await.expect("created");
    stripe.authorise(&created.reference, GOOD, "1:authorise").await.expect("held")
}

#[tokio::test]
async fn a_hold_is_captured_in_part_and_goes_back_in_part() {
    let stand_in = StripeStandIn::start().expect("a stand-in");
    let stripe = adapter(&stand_in, SECRET_KEY);
    assert!(stripe.declares().is_asked && !stripe.declares().multi_capture);
    let created = stripe.create(&attempt(1, money(10_000, "USD")), "k1").await.expect("created");
    assert_eq!(created.ours, Some(Ours { payment_id: Uuid::from_u128(7), attempt: 1 }));
    assert!(
        matches!(&created.standing, Standing::ActionRequired(Action::Confirm { client_secret }) if !client_secret.is_empty())
    );
    let reference = created.reference.as_str();
    let held = stripe.authorise(reference, GOOD, "k2").await.expect("held");
    assert!(matches!(held.standing, Standing::Authorized { until: Some(_) }), "{held:?}");
    let captured = stripe.capture(reference, money(8_000, "USD"), "k3").await.expect("captured");
    assert_eq!((captured.standing, captured.captured, captured.is_final), (Standing::Captured, 8_000, true));
    assert_eq!(captured.fee.map(|fee| fee.money), Some(money(262, "USD")));
    let asked =
        NewRefund { refund_id: Uuid::from_u128(9), reference: reference.to_owned(), money: money(1_000, "USD") };
    let refund = stripe.refund(&asked, "k4").await.expect("sent back");
    assert_eq!((refund.refund_id, refund.standing), (Some(Uuid::from_u128(9)), RefundStanding::Succeeded));
    let fetched = stripe.fetch(reference).await.expect("found");
    assert_eq!((fetched.captured, fetched.refunded, fetched.refunds.len()), (8_000, 1_000, 1));
    let again = stripe.capture(reference, money(8_000, "USD"), "k5").await;
    assert!(matches!(again, Err(ProviderError::OtherState { .. })), "{again:?}");
    assert_eq!(stripe.fetch("pi_none").await, Err(ProviderError::Missing));
}

#[tokio::test]
async fn a_hold_is_let_go_of_and_a_card_is_declined_or_asked_for_more() {
    let stand_in = StripeStandIn::start().expect("a stand-in");
    let stripe = adapter(&stand_in, SECRET_KEY);
    let one = held(&stripe).await;
    let canceled = stripe.void(&one.reference, "void").await.expect("let go of");
    assert_eq!((canceled.standing, canceled.is_final), (Standing::Canceled, true));
    let two = stripe.create(&attempt(2, money(10_000, "USD")), "2:create").await.expect("created");
    let declined = stripe.authorise(&two.reference, DECLINED, "2:authorise").await.expect("answered");
    assert_eq!(declined.standing, Standing::Failed { reason: "generic_decline".to_owned() });
    assert_eq!(declined.ours, Some(Ours { payment_id: Uuid::from_u128(7), attempt: 2 }));
    let three = stripe.create(&attempt(3, money(10_000, "USD")), "3:create").await.expect("created");
    let asking = stripe.authorise(&three.reference, ASKING, "3:authorise").await.expect("answered");
    assert!(matches!(asking.standing, Standing::ActionRequired(Action::Redirect { .. })), "{asking:?}");
    let unknown = stripe.authorise(&three.reference, "pm_unheard_of", "4").await;
    assert_eq!(unknown, Err(ProviderError::Refused { code: "resource_missing".to_owned() }));
    let stranger = adapter(&stand_in, "sk_test_of_nobody");
    assert!(matches!(stranger.fetch(&three.reference).await, Err(ProviderError::Refused { .. })));
}

#[tokio::test]
async fn a_key_is_carried_out_once_and_keeps_its_failure() {
    let stand_in = StripeStandIn::start().expect("a stand-in");
    let stripe = adapter(&stand_in, SECRET_KEY);
    let new = attempt(1, money(10_000, "USD"));
    let one = stripe.create(&new, "k").await.expect("created");
    let again = stripe.create(&new, "k").await.expect("the same");
    assert_eq!((one.reference, stand_in.count()), (again.reference, 1));
    let other = stripe.create(&attempt(1, money(10_001, "USD")), "k").await;
    assert_eq!(other, Err(ProviderError::Refused { code: "idempotency_key_reused".to_owned() }));
    // All is done and the answer is a failure, which is kept: what came of it is not known, but can be looked for.
    stand_in.fail(&[Fault::BrokenAfter]);
    let lost = stripe.create(&attempt(2, money(10_000, "USD")), "l").await;
    assert!(matches!(lost, Err(ProviderError::Unknown(_))), "{lost:?}");
    let listed = stripe.list(Utc::now() - TimeDelta::hours(1), None).await.expect("a list");
    let ours = Ours { payment_id: Uuid::from_u128(7), attempt: 2 };
    assert!(listed.attempts.iter().any(|attempt| attempt.ours == Some(ours)), "{listed:?}");
    // Before anything is done it is tried again by itself.
    stand_in.fail(&[Fault::Broken]);
    stripe.create(&attempt(3, money(10_000, "USD")), "m").await.expect("the second try");
    stand_in.fail(&[Fault::Busy, Fault::Busy]);
    let busy = stripe.create(&attempt(4, money(10_000, "USD")), "n").await;
    assert!(matches!(busy, Err(ProviderError::NotDone(_))), "{busy:?}");
    assert_eq!(stand_in.count(), 3);
}

#[tokio::test]
async fn an_answer_that_was_lost_comes_with_the_same_key() {
    let stand_in = StripeStandIn::start().expect("a stand-in");
    let stripe = adapter(&stand_in, SECRET_KEY);
    let held = held(&stripe).await;
    stand_in.fail(&[Fault::SilentAfter]);
    let captured = stripe.capture(&held.reference, money(10_000, "USD"), "capture").await.expect("the second try");
    assert_eq!((captured.captured, stand_in.carried_out("capture")), (10_000, 1));
}

#[tokio::test]
async fn who_does_not_answer_several_times_is_not_asked_for_a_while() {
    let stand_in = StripeStandIn::start().expect("a stand-in");
    let stripe = adapter(&stand_in, SECRET_KEY);
    stand_in.fail(&[Fault::Broken; 6]);
    for number in 0..3 {
        let lost = stripe.create(&attempt(1, money(10_000, "USD")), &format!("k{number}")).await;
        assert!(matches!(lost, Err(ProviderError::Unknown(_) | ProviderError::NotDone(_))), "{lost:?}");
    }
    let asked = stand_in.asked();
    let refused = stripe.fetch("pi_1").await;
    assert!(matches!(&refused, Err(ProviderError::NotDone(why)) if why.contains("half a minute")), "{refused:?}");
    assert_eq!(stand_in.asked(), asked, "it was not asked");
}

#[tokio::test]
async fn amounts_are_in_the_units_of_the_provider() {
    // M03
    let stand_in = StripeStandIn::start().expect("a stand-in");
    let stripe = adapter(&stand_in, SECRET_KEY);
    for (number, (amount, code, theirs)) in
        [(3_800, "UGX", 380_000), (2_000, "ISK", 200_000), (500, "JPY", 500), (1_230, "KWD", 1_230)]
            .into_iter()
            .enumerate()
    {
        let sum = money(amount, code);
        stripe.check(sum).expect("it is taken");
        let created = stripe.create(&attempt(1, sum), &format!("k{number}")).await.expect("created");
        assert_eq!((created.money, stand_in.newest()["amount"].as_i64()), (sum, Some(theirs)), "{code}");
        let held = stripe.authorise(&created.reference, GOOD, &format!("a{number}")).await.expect("held");
        let captured = stripe.capture(&held.reference, sum, &format!("c{number}")).await.expect("captured");
        assert_eq!(captured.captured, amount, "{code}");
    }
    let asked = stand_in.asked();
    let odd = money(1_234, "KWD");
    assert!(stripe.check(odd).expect_err("no amount").contains("1.234 KWD"));
    assert!(matches!(stripe.create(&attempt(1, odd), "odd").await, Err(ProviderError::Refused { .. })));
    assert!(stripe.check(money(10, "USD")).expect_err("too little").contains("0.50 USD"));
    assert_eq!(stand_in.asked(), asked, "it was not asked");
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let stand_in = StripeStandIn::start().expect("a stand-in");
    let stripe = adapter(&stand_in, SECRET_KEY);
    for number in 1..=103 {
        stripe.create(&attempt(number, money(10_000, "USD")), &format!("k{number}")).await.expect("created");
    }
    let since = Utc::now() - TimeDelta::hours(1);
    let first = stripe.list(since, None).await.expect("a page");
    let second = stripe.list(since, first.next.clone()).await.expect("a page");
    assert_eq!((first.attempts.len(), second.attempts.len(), second.next), (100, 3, None));
    assert_eq!(second.attempts.last().and_then(|last| last.ours).map(|ours| ours.attempt), Some(1));
    let none = stripe.list(Utc::now() + TimeDelta::hours(1), None).await.expect("a page");
    assert!(none.attempts.is_empty());
}

#[tokio::test]
async fn a_webhook_names_what_is_to_be_asked_for() {
    let stand_in = StripeStandIn::start().expect("a stand-in");
    let stripe = adapter(&stand_in, SECRET_KEY);
    let held = held(&stripe).await;
    stand_in.capture_in_console(&held.reference, 10_000);
    stand_in.refund_in_console(&held.reference, 1_000);
    let (now, mut kinds) = (Utc::now(), Vec::new());
    for event in stand_in.take_events() {
        let body = event.to_string();
        let notice = stripe.verify_webhook(&sign(WEBHOOK_SECRET, body.as_bytes(), now), body.as_bytes(), now);
        let notice = notice.expect("it is believed");
        assert_eq!(notice.reference.as_deref(), Some(held.reference.as_str()), "{event}");
        kinds.push(notice.kind);
    }
    assert_eq!(kinds.last().map(String::as_str), Some("charge.refunded"));
    let header = sign(WEBHOOK_SECRET, b"{}", now);
    assert_eq!(stripe.verify_webhook(&header, b"{}", now), Err(WebhookRefused::NoEvent));
    assert_eq!(stripe.verify_webhook(&header, b"[]", now), Err(WebhookRefused::Forged));
}
