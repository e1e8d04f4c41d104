//! Cards, at a stand-in for Stripe.

use super::{http::Http, shopper};
use crate::BenchError;
use launcher::stack::{Service, Stack};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use stripe_stand_in::{SECRET_KEY, StripeStandIn, WEBHOOK_SECRET, send};

/// From one delivery of webhooks to the next.
const EVERY: Duration = Duration::from_millis(200);
/// With faults, every so many changes one fails after its effect.
const BREAKS_EACH: usize = 10;

/// Where cards are paid.
pub(super) struct Cards {
    pub(super) stripe: StripeStandIn,
    write_url: String,
}

impl Cards {
    /// Starts a stand-in, and write-api anew, so that it asks that one.
    pub(super) async fn open(stack: &mut Stack, with_faults: bool) -> Result<Self, BenchError> {
        let stripe = StripeStandIn::start()?;
        if with_faults {
            stripe.break_each(BREAKS_EACH);
        }
        stack.settings.stripe_url = Some(stripe.address().to_owned());
        start_anew(stack).await?;
        Ok(Self { stripe, write_url: stack.url(Service::WriteApi) })
    }

    /// Has the shop take cards; gives the address that webhooks go to.
    pub(super) async fn agree(&self, staff: &Http) -> Result<String, BenchError> {
        let agreed = json!({"secret_key": SECRET_KEY, "webhook_secrets": [WEBHOOK_SECRET]});
        let set = staff.done(Method::PUT, "/v1/payment-providers/stripe", &agreed).await?;
        Ok(format!("{}/v1/webhooks/stripe/{}", self.write_url, set["id"].as_str().unwrap_or_default()))
    }

    /// Sends webhooks, each once or twice and not in their order, until all shoppers have come and none is left.
    pub(super) async fn send(self: Arc<Self>, hook: String, seed: u64, done: Arc<AtomicBool>) {
        let mut draw = shopper::draw(seed, u32::MAX - 1);
        let mut left: Vec<Value> = Vec::new();
        loop {
            let is_over = done.load(Ordering::Relaxed);
            for event in self.stripe.take_events() {
                if draw.percent(30) {
                    left.push(event.clone());
                }
                left.push(event);
            }
            let mut kept = Vec::new();
            while !left.is_empty() {
                let event = left.swap_remove(draw.below(left.len()));
                // What is not taken comes again, as Stripe does it.
                if send(&hook, &event, WEBHOOK_SECRET, 1).await != Ok(204) {
                    kept.push(event);
                }
            }
            left = kept;
            if is_over && left.is_empty() {
                return;
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}

/// Starts write-api anew, with the settings as they are now.
pub(super) async fn start_anew(stack: &Stack) -> Result<(), BenchError> {
    stack.stop(Service::WriteApi)?;
    stack.start(Service::WriteApi)?;
    Ok(stack.wait_ready(Service::WriteApi).await?)
}
