//! One shopper, from the first search to the order, or to where they give up.

use super::{
    cards::Cards,
    http::{Answer, Http, Side},
    report::{Outcome, Outcomes},
    shelf::Shelf,
};
use crate::{BenchError, figures::Latencies};
use launcher::demo::Draw;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// From one look at a checkout to the next.
const LOOK: Duration = Duration::from_millis(300);
/// How long a checkout may take where nobody has to act.
const PATIENCE: Duration = Duration::from_secs(120);

/// The draw of one shopper.
pub(super) fn draw(seed: u64, number: u32) -> Draw {
    Draw::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(u64::from(number)))
}

/// Somebody who shops.
pub(super) struct Shopper<'a> {
    staff: &'a Http,
    shelf: &'a Shelf,
    /// Where cards are paid, if they are.
    cards: Option<&'a Cards>,
    draw: Draw,
    number: u32,
}

/// What both sides have agreed on, or not.
enum Begun {
    Checkout(Value),
    Refused(Outcome),
}

impl<'a> Shopper<'a> {
    pub(super) fn new(staff: &'a Http, shelf: &'a Shelf, cards: Option<&'a Cards>, seed: u64, number: u32) -> Self {
        Self { staff, shelf, cards, draw: draw(seed, number), number }
    }

    /// Comes, and does what comes to mind.
    pub(super) async fn comes(mut self, outcomes: &mut Outcomes, times: &mut Latencies) -> Result<(), BenchError> {
        self.looks_around(outcomes).await?;
        let guest = self.staff.done(Method::POST, "/v1/guests", &json!({})).await?;
        let guest = self.staff.with_key(guest["guest_token"].as_str().unwrap_or_default());
        let (cart, token) = self.fills_a_cart(&guest).await?;
        outcomes.add_one(Outcome::Carts);
        if self.draw.percent(10) {
            outcomes.add_one(Outcome::Abandoned);
            return Ok(());
        }
        let method = match (self.draw.below(100), self.cards) {
            (0..40, _) => "cash_on_delivery",
            (40..70, Some(_)) => "card",
            _ => "transfer",
        };
        let began = Instant::now();
        let checkout = match self.orders(&guest, &cart, &token, method, outcomes).await? {
            Begun::Checkout(checkout) => checkout,
            Begun::Refused(outcome) => {
                outcomes.add_one(outcome);
                return Ok(());
            }
        };
        let stands = self.until(&guest, &checkout, |phase| phase != "open").await?;
        times.add(began.elapsed());
        let outcome = match stands["phase"].as_str().unwrap_or_default() {
            "awaiting_payment" if method == "card" => self.pays_by_card(&guest, &checkout, outcomes).await?,
            "awaiting_payment" => self.pays_by_transfer(&guest, &checkout, &stands).await?,
            "completed" => Outcome::OrderedInCash,
            _ => Outcome::of_reason(&stands),
        };
        outcomes.add_one(outcome);
        Ok(())
    }

    async fn looks_around(&mut self, outcomes: &mut Outcomes) -> Result<(), BenchError> {
        for _ in 0..=self.draw.below(3) {
            let words = self.shelf.words(self.draw.below(Shelf::len())).replace(' ', "%20");
            let found = self.staff.read(&format!("/v1/search?q={words}&limit=10&mode=lexical"), None).await?;
            outcomes.add_one(Outcome::Searches);
            if let Some(slug) = found.body["hits"][0]["slug"].as_str() {
                self.staff.read(&format!("/v1/products/{slug}"), None).await?;
            }
        }
        Ok(())
    }

    /// One to three products, sometimes with a code; gives the cart and a token of the last write.
    async fn fills_a_cart(&mut self, guest: &Http) -> Result<(String, String), BenchError> {
        let begun = guest.done(Method::POST, "/v1/carts", &json!({"currency": "USD"})).await?;
        let id = begun["id"].as_str().unwrap_or_default().to_owned();
        let mut token = String::new();
        for _ in 0..=self.draw.below(3) {
            let item =
                json!({"sku": self.shelf.sku(self.draw.below(Shelf::len())), "quantity": 1 + self.draw.below(2)});
            let put = guest.done(Method::POST, &format!("/v1/carts/{id}/items"), &item).await?;
            token = put["token"].as_str().unwrap_or_default().to_owned();
        }
        if self.draw.percent(30) {
            let path = format!("/v1/carts/{id}/coupons/{}", self.shelf.code);
            let put = guest.done(Method::PUT, &path, &json!({})).await?;
            token = put["token"].as_str().unwrap_or_default().to_owned();
        }
        Ok((id, token))
    }

    /// Asks for the checkout, some twice at once, and agrees on another price where there is one.
    async fn orders(
        &mut self,
        guest: &Http,
        cart: &str,
        token: &str,
        method: &str,
        outcomes: &mut Outcomes,
    ) -> Result<Begun, BenchError> {
        let shown = guest.read("/v1/cart", Some(token)).await?;
        let quote = &shown.body["quote"];
        let digest = quote["digest"].as_str().unwrap_or_default();
        let mut accepted = json!({"total": quote["totals"]["total"].as_i64().unwrap_or_default(), "digest": digest});
        let twice = self.draw.percent(5);
        for _ in 0..3 {
            let asked = json!({
                "client_request_id": format!("s-{}", self.number), "cart_id": cart, "email": format!("shopper-{}@example.com", self.number),
                "shipping_address": Shelf::address(), "shipping_method": "standard", "payment_method": method, "accepted": accepted,
            });
            let send =
                || guest.send(Side::Write, Method::POST, "/v1/checkouts", Some(&asked), &[("prefer", "wait=10")]);
            let answer = if twice {
                outcomes.add_one(Outcome::SentTwice);
                let (one, other) = tokio::join!(send(), send());
                let (one, other) = (one?, other?);
                if one.is_done() && other.is_done() && one.body["id"] != other.body["id"] {
                    return Err(BenchError::Failed(format!(
                        "one request began two checkouts: {} {}",
                        one.body, other.body
                    )));
                }
                if one.is_done() { one } else { other }
            } else {
                send().await?
            };
            match answer.code() {
                _ if answer.is_done() => return Ok(Begun::Checkout(answer.body)),
                "price_changed" => {
                    outcomes.add_one(Outcome::Repriced);
                    accepted = agreed(&answer);
                }
                "checkout_obstacles" => return Ok(Begun::Refused(Outcome::Obstacles)),
                _ => return Err(guest.refused(Side::Write, "/v1/checkouts", &answer)),
            }
        }
        Ok(Begun::Refused(Outcome::Obstacles))
    }

    /// Of those who pay by card, some are declined first, some never pay, and some give up and pay nevertheless.
    async fn pays_by_card(
        &mut self,
        guest: &Http,
        checkout: &Value,
        outcomes: &mut Outcomes,
    ) -> Result<Outcome, BenchError> {
        let Some(cards) = self.cards else { return Ok(Outcome::NeverPaid) };
        let id = checkout["id"].as_str().unwrap_or_default().to_owned();
        let mut intent = self.intent(guest, &id).await?;
        match self.draw.below(100) {
            0..10 => return Ok(Outcome::NeverPaid),
            10..20 => {
                guest.command(Method::POST, &format!("/v1/checkouts/{id}/abort"), &json!({})).await?;
                cards.stripe.pay(&intent);
                self.until(guest, checkout, |phase| phase == "aborted" || phase == "completed").await?;
                return Ok(Outcome::PaidTooLate);
            }
            20..35 => {
                outcomes.add_one(Outcome::Declined);
                cards.stripe.decline(&intent);
                self.until_awaiting(guest, checkout, "pay_again").await?;
                let again = json!({"payment_method": "card"});
                guest.done(Method::POST, &format!("/v1/checkouts/{id}/payment"), &again).await?;
                self.until_awaiting(guest, checkout, "confirm").await?;
                intent = self.intent(guest, &id).await?;
            }
            _ => {}
        }
        cards.stripe.pay(&intent);
        let stands = self.until(guest, checkout, |phase| phase == "completed" || phase == "aborted").await?;
        Ok(if stands["phase"] == "completed" { Outcome::OrderedByCard } else { Outcome::of_reason(&stands) })
    }

    /// The name of the attempt at the provider, from the secret that the shopper gets.
    async fn intent(&self, guest: &Http, id: &str) -> Result<String, BenchError> {
        let path = format!("/v1/checkouts/{id}/payment/action");
        let began = Instant::now();
        loop {
            let answer = guest.command(Method::POST, &path, &json!({})).await?;
            let secret = answer.body["client_secret"].as_str();
            if let Some((intent, _)) = secret.and_then(|secret| secret.split_once("_secret")) {
                return Ok(intent.to_owned());
            }
            // The attempt may not be known yet: its answer was lost.
            if began.elapsed() > PATIENCE {
                return Err(guest.refused(Side::Write, &path, &answer));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Looks at a checkout until the shopper has to do this.
    async fn until_awaiting(&self, guest: &Http, checkout: &Value, action: &str) -> Result<(), BenchError> {
        let path = format!("/v1/checkouts/{}", checkout["id"].as_str().unwrap_or_default());
        let began = Instant::now();
        loop {
            let shown = guest.read(&path, None).await?;
            if shown.body["phase"] == "awaiting_payment" && shown.body["awaiting"]["action"] == action {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return Err(guest.refused(Side::Query, &path, &shown));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Of those who transfer, most do, some late; some give up, some never come back.
    async fn pays_by_transfer(
        &mut self,
        guest: &Http,
        checkout: &Value,
        stands: &Value,
    ) -> Result<Outcome, BenchError> {
        let id = checkout["id"].as_str().unwrap_or_default();
        match self.draw.below(100) {
            0..15 => {
                let answer = guest.command(Method::POST, &format!("/v1/checkouts/{id}/abort"), &json!({})).await?;
                if !answer.is_done() {
                    return Err(guest.refused(Side::Write, "/v1/checkouts/…/abort", &answer));
                }
                self.until(guest, checkout, |phase| phase == "aborted").await?;
                return Ok(Outcome::GivenUp);
            }
            15..25 => return Ok(Outcome::NeverPaid),
            25..45 => {
                let later = 500 + u64::try_from(self.draw.below(1_500)).unwrap_or_default();
                tokio::time::sleep(Duration::from_millis(later)).await;
            }
            _ => {}
        }
        let payment = stands["awaiting"]["payment_id"].as_str().unwrap_or_default();
        let entered = json!({"amount": checkout["total"], "reference": format!("T-{}", self.number), "proof": format!("p-{}", self.number)});
        let path = format!("/v1/payments/{payment}/transfers");
        let entered = self.staff.done(Method::POST, &path, &entered).await?;
        let path = format!("{path}/{}/approve", entered["proof_id"].as_str().unwrap_or_default());
        self.shelf.second.done(Method::POST, &path, &json!({})).await?;
        let stands = self.until(guest, checkout, |phase| phase == "completed" || phase == "aborted").await?;
        Ok(if stands["phase"] == "completed" { Outcome::OrderedByTransfer } else { Outcome::of_reason(&stands) })
    }

    /// Looks at a checkout until it is so.
    async fn until(&self, guest: &Http, checkout: &Value, is_so: impl Fn(&str) -> bool) -> Result<Value, BenchError> {
        let phase = |body: &Value| body["phase"].as_str().unwrap_or_default().to_owned();
        if is_so(&phase(checkout)) {
            return Ok(checkout.clone());
        }
        let path = format!("/v1/checkouts/{}", checkout["id"].as_str().unwrap_or_default());
        let (began, mut token) = (Instant::now(), checkout["token"].as_str());
        loop {
            let shown = guest.read(&path, token.take()).await?;
            if is_so(&phase(&shown.body)) {
                return Ok(shown.body);
            }
            if began.elapsed() > PATIENCE {
                return Err(guest.refused(Side::Query, &path, &shown));
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// The price that is asked for now.
fn agreed(refused: &Answer) -> Value {
    let errors = refused.body["errors"].as_array().cloned().unwrap_or_default();
    let of = |pointer: &str| {
        let found = errors.iter().find(|error| error["pointer"] == pointer);
        found.and_then(|error| error["detail"].as_str()).unwrap_or_default().to_owned()
    };
    json!({"total": of("/accepted/total").parse::<i64>().unwrap_or_default(), "digest": of("/accepted/digest")})
}
