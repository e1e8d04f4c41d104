//! A stand-in for Stripe: it speaks the documented interface of payment intents, refunds and webhooks on loopback by http, and fails when
//! told to. It is as strict as the strictest: a change without an idempotency key, a key with another body, an unknown parameter or an
//! unknown secret are refused.

mod endpoints;
mod intents;

use intents::{Intent, Refund};
use reqwest::{Client, StatusCode};
use schemas::{Timestamp, Utc};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::task::JoinHandle;
use write_signature::signature;

mod write_signature {
    //! The header of a webhook.

    use openssl::{hash::MessageDigest, pkey::PKey, sign::Signer};

    /// Made as the documentation has it: HMAC-SHA256 over the time, a dot and the body.
    pub fn signature(secret: &str, body: &str, time: i64) -> String {
        let key = PKey::hmac(secret.as_bytes()).expect("a key");
        let mut signer = Signer::new(MessageDigest::sha256(), &key).expect("a signer");
        let signed = signer.sign_oneshot_to_vec(format!("{time}.{body}").as_bytes()).expect("signed");
        let digest: String = signed.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("t={time},v1={digest}")
    }
}

/// Opens its interface.
pub const SECRET_KEY: &str = "sk_test_of_tests";
/// Signs its webhooks.
pub const WEBHOOK_SECRET: &str = "whsec_of_tests";
/// A card that is taken.
pub const GOOD: &str = "pm_card_visa";
/// A card that is declined.
pub const DECLINED: &str = "pm_card_chargeDeclined";
/// A card whose bank asks on a page of its own.
pub const ASKING: &str = "pm_card_authenticationRequired";

/// What goes wrong from when it is told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done or answered.
    Silent,
    /// All is done, and nothing is answered.
    SilentAfter,
    /// The server fails before it begins.
    Broken,
    /// All is done, and the server fails: the failure is kept under the key.
    BrokenAfter,
    /// Too many requests.
    Busy,
}

/// What was kept under an idempotency key.
struct Kept {
    request: String,
    status: StatusCode,
    body: Value,
}

/// What all requests share.
struct State {
    intents: BTreeMap<String, Intent>,
    refunds: Vec<Refund>,
    kept: HashMap<String, Kept>,
    /// Webhooks that are to be sent, in the order in which what they tell has happened.
    events: Vec<Value>,
    faults: Vec<Fault>,
    /// Every so many changes one is done and answered with a failure; none, if 0.
    breaks_each: usize,
    changes: usize,
    /// Changes by path that were carried out.
    carried_out: HashMap<String, usize>,
    asked: usize,
    drawn: u64,
}

impl State {
    /// An id that was not drawn before.
    fn draw(&mut self, prefix: &str) -> String {
        self.drawn += 1;
        format!("{prefix}_{:020}", self.drawn)
    }

    /// Something has happened to an object.
    fn tell(&mut self, kind: &str, object: &Value) {
        let id = self.draw("evt");
        self.events.push(json!({"id": id, "object": "event", "type": kind, "created": now().timestamp(), "data": {"object": object}}));
    }
}

type Shared = Arc<Mutex<State>>;

fn now() -> Timestamp {
    Utc::now()
}

fn lock(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running Stripe; it ends with this value.
pub struct StripeStandIn {
    state: Shared,
    address: String,
    serving: JoinHandle<()>,
}

impl StripeStandIn {
    /// Starts it. It needs a runtime around it.
    ///
    /// # Errors
    /// If it can't listen.
    pub fn start() -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = format!("http://127.0.0.1:{}", listener.local_addr()?.port());
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let state = Arc::new(Mutex::new(State {
            intents: BTreeMap::new(),
            refunds: Vec::new(),
            kept: HashMap::new(),
            events: Vec::new(),
            faults: Vec::new(),
            breaks_each: 0,
            changes: 0,
            carried_out: HashMap::new(),
            asked: 0,
            // No stand-in draws what one before has drawn: whoever asks keeps the names for ever.
            drawn: u64::try_from(now().timestamp_micros()).unwrap_or_default(),
        }));
        let router = endpoints::router(Arc::clone(&state));
        let serving = tokio::spawn(async move {
            // It ends with the value.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { state, address, serving })
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The next requests go wrong so, each once, in this order.
    pub fn fail(&self, faults: &[Fault]) {
        lock(&self.state).faults = faults.to_vec();
    }

    /// From now on every so many changes one is done, and the server fails: the failure is kept under the key.
    pub fn break_each(&self, changes: usize) {
        lock(&self.state).breaks_each = changes;
    }

    /// How many requests there were.
    #[must_use]
    pub fn asked(&self) -> usize {
        lock(&self.state).asked
    }

    /// How often a change was carried out, by the last part of its path, such as `capture`.
    #[must_use]
    pub fn carried_out(&self, change: &str) -> usize {
        lock(&self.state).carried_out.get(change).copied().unwrap_or_default()
    }

    /// The newest payment intent, as its JSON.
    #[must_use]
    pub fn newest(&self) -> Value {
        lock(&self.state).intents.values().next_back().map(|intent| intent.json(true)).unwrap_or_default()
    }

    /// How many payment intents there are.
    #[must_use]
    pub fn count(&self) -> usize {
        lock(&self.state).intents.len()
    }

    /// The shopper pays on the shop's page, by the client secret.
    pub fn pay(&self, id: &str) {
        self.change(id, |intent| intent.hold());
    }

    /// The shopper has tried to pay on the shop's page, and the card was declined.
    pub fn decline(&self, id: &str) {
        self.change(id, |intent| intent.decline("card_declined"));
    }

    /// The bank has asked, and the shopper has answered.
    pub fn answer_bank(&self, id: &str, is_right: bool) {
        self.change(id, |intent| if is_right { intent.hold() } else { intent.decline("authentication_required") });
    }

    /// Nobody has captured it for a week.
    pub fn expire(&self, id: &str) {
        self.change(id, Intent::cancel);
    }

    /// Somebody captures it in the console.
    pub fn capture_in_console(&self, id: &str, amount: i64) {
        let mut state = lock(&self.state);
        let transaction = state.draw("txn");
        if let Some(intent) = state.intents.get_mut(id) {
            intent.capture(amount, &transaction);
            let object = intent.json(false);
            state.tell("payment_intent.succeeded", &object);
        }
    }

    /// Somebody sends money back in the console.
    pub fn refund_in_console(&self, id: &str, amount: i64) {
        let mut state = lock(&self.state);
        let refund = Refund::new(&state.draw("re"), id, amount, HashMap::new());
        if let Some(intent) = state.intents.get_mut(id) {
            intent.refunded += amount;
            let charge = intent.charge_json();
            state.refunds.push(refund);
            state.tell("charge.refunded", &charge);
        }
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Intent)) {
        let mut state = lock(&self.state);
        if let Some(intent) = state.intents.get_mut(id) {
            change(intent);
            let (kind, object) = (intent.event(), intent.json(false));
            state.tell(kind, &object);
        }
    }

    /// Webhooks that were not sent yet.
    #[must_use]
    pub fn take_events(&self) -> Vec<Value> {
        std::mem::take(&mut lock(&self.state).events)
    }
}

impl Drop for StripeStandIn {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Sends a webhook, signed with a secret some seconds ago; gives the status of the answer.
///
/// # Errors
/// If there is no answer.
pub async fn send(url: &str, event: &Value, secret: &str, seconds_ago: i64) -> Result<u16, String> {
    let body = event.to_string();
    let header = signature(secret, &body, now().timestamp() - seconds_ago);
    let request = Client::new().post(url).header("stripe-signature", header).header("content-type", "application/json");
    request.body(body).send().await.map(|answer| answer.status().as_u16()).map_err(|error| error.to_string())
}
