//! Stripe: payment intents that are captured by hand, over its HTTP interface with form-encoded bodies and JSON answers.
//!
//! | path | what is there |
//! |---|---|
//! | `intent` | what an answer says |
//! | [`units`] | its own minor units |
//! | [`signature`] | who has sent a webhook |

mod intent;
pub mod signature;
pub mod units;

use super::{
    Answer, Declaration, NewAttempt, NewRefund, Notice, Page, Provider, ProviderError, RefundSnapshot, Snapshot,
    WebhookRefused,
    connection::{Answered, Ask, Connection, Unanswered},
};
use intent::{Charges, Intent, List, Problem, Refund};
use reqwest::{Method, StatusCode};
use schemas::{TimeDelta, Timestamp, money::Money};
use serde::{Deserialize, de::DeserializeOwned};
use std::fmt;
use url::{Url, form_urlencoded::Serializer};

/// Where it is.
pub const ADDRESS: &str = "https://api.stripe.com";
/// The version of the interface that is spoken, whatever the account is set to.
const VERSION: &str = "2024-06-20";
/// Attempts on a page of the list.
const PAGE: &str = "100";

/// An account at Stripe.
#[derive(Clone)]
pub struct Stripe {
    connection: Connection,
    address: Url,
    secret_key: String,
    webhook_secrets: Vec<String>,
}

/// Secrets stand in no log.
impl fmt::Debug for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stripe").field("address", &self.address.as_str()).finish_non_exhaustive()
    }
}

/// A webhook, as far as it is read: it says that there is something to ask for.
#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: EventObject,
}

#[derive(Deserialize)]
struct EventObject {
    #[serde(default)]
    object: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    payment_intent: Option<String>,
}

type Form = Vec<(String, String)>;

fn pair(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

impl Stripe {
    /// The account with these secrets, at this address.
    #[must_use]
    pub const fn new(connection: Connection, address: Url, secret_key: String, webhook_secrets: Vec<String>) -> Self {
        Self { connection, address, secret_key, webhook_secrets }
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, ProviderError> {
        let mut url = self.address.clone();
        let no_address = |()| ProviderError::NotDone("its address is none".to_owned());
        url.path_segments_mut().map_err(no_address)?.clear().push("v1").extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// Asks for something; `key` where it changes something.
    async fn ask<T: DeserializeOwned>(&self, url: Url, change: Option<(Form, &str)>) -> Result<T, ProviderError> {
        let mut headers = vec![("Stripe-Version", VERSION.to_owned())];
        let changes = change.is_some();
        let form = change.map(|(form, key)| {
            headers.push(("Idempotency-Key", key.to_owned()));
            Serializer::new(String::new()).extend_pairs(form).finish()
        });
        let method = if changes { Method::POST } else { Method::GET };
        let ask = Ask { method, url, bearer: self.secret_key.clone(), headers, form };
        let answered = self.connection.send(&ask).await.map_err(|unanswered| match unanswered {
            Unanswered::NotSent(reason) => ProviderError::NotDone(reason),
            // Nothing changes by a question.
            Unanswered::Lost(reason) if !changes => ProviderError::NotDone(reason),
            Unanswered::Lost(reason) => ProviderError::Unknown(reason),
        })?;
        read(&answered, changes)
    }

    async fn change(&self, path: &[&str], form: Form, key: &str) -> Result<Snapshot, ProviderError> {
        let url = self.url(path, &[("expand[]", "latest_charge.balance_transaction")])?;
        self.ask::<Intent>(url, Some((form, key))).await?.snapshot(Vec::new())
    }

    async fn refunds(&self, reference: &str) -> Result<Vec<RefundSnapshot>, ProviderError> {
        let url = self.url(&["refunds"], &[("payment_intent", reference), ("limit", PAGE)])?;
        let list: List<Refund> = self.ask(url, None).await?;
        list.data.into_iter().map(Refund::snapshot).collect()
    }
}

/// What an answer says.
fn read<T: DeserializeOwned>(answered: &Answered, changes: bool) -> Result<T, ProviderError> {
    let Answered { status, body } = answered;
    if status.is_success() {
        return serde_json::from_slice(body).map_err(|_| {
            let reason = "its answer can't be read".to_owned();
            if changes { ProviderError::Unknown(reason) } else { ProviderError::NotDone(reason) }
        });
    }
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    // A card that was declined comes with the attempt.
    if *status == StatusCode::PAYMENT_REQUIRED
        && let Some(declined) = problem.error.payment_intent.clone()
        && let Ok(read) = serde_json::from_value(declined)
    {
        return Ok(read);
    }
    let code = problem.code();
    Err(match status.as_u16() {
        404 => ProviderError::Missing,
        429 => ProviderError::NotDone("it has too much to do".to_owned()),
        409 | 500.. if changes => ProviderError::Unknown(format!("it answers {}", status.as_u16())),
        409 | 500.. => ProviderError::NotDone(format!("it answers {}", status.as_u16())),
        400 if code == "payment_intent_unexpected_state" || code == "charge_already_refunded" => {
            ProviderError::OtherState { code }
        }
        _ => ProviderError::Refused { code },
    })
}

impl Provider for Stripe {
    fn declares(&self) -> Declaration {
        Declaration { is_asked: true, multi_capture: false, holds_for: Some(TimeDelta::days(7)) }
    }

    fn check(&self, money: Money) -> Result<(), String> {
        units::theirs(money)
            .and_then(|theirs| units::is_enough(money.currency, theirs))
            .map_err(|error| error.to_string())
    }

    fn create<'a>(&'a self, new: &'a NewAttempt, key: &'a str) -> Answer<'a, Snapshot> {
        Box::pin(async move {
            let amount = amount(new.money)?;
            let form = vec![
                pair("amount", amount),
                pair("currency", new.money.currency.code().to_ascii_lowercase()),
                pair("capture_method", "manual"),
                pair("payment_method_types[]", "card"),
                pair("metadata[payment_id]", new.ours.payment_id.to_string()),
                pair("metadata[attempt]", new.ours.attempt.to_string()),
                pair("metadata[order_id]", new.order_id.to_string()),
            ];
            self.change(&["payment_intents"], form, key).await
        })
    }

    fn authorise<'a>(&'a self, reference: &'a str, token: &'a str, key: &'a str) -> Answer<'a, Snapshot> {
        Box::pin(async move {
            let form = vec![pair("payment_method", token)];
            self.change(&["payment_intents", reference, "confirm"], form, key).await
        })
    }

    fn capture<'a>(&'a self, reference: &'a str, money: Money, key: &'a str) -> Answer<'a, Snapshot> {
        Box::pin(async move {
            let form = vec![pair("amount_to_capture", amount(money)?)];
            self.change(&["payment_intents", reference, "capture"], form, key).await
        })
    }

    fn void<'a>(&'a self, reference: &'a str, key: &'a str) -> Answer<'a, Snapshot> {
        Box::pin(async move { self.change(&["payment_intents", reference, "cancel"], Vec::new(), key).await })
    }

    fn refund<'a>(&'a self, refund: &'a NewRefund, key: &'a str) -> Answer<'a, RefundSnapshot> {
        Box::pin(async move {
            let form = vec![
                pair("payment_intent", refund.reference.clone()),
                pair("amount", amount(refund.money)?),
                pair("metadata[refund_id]", refund.refund_id.to_string()),
            ];
            let url = self.url(&["refunds"], &[])?;
            self.ask::<Refund>(url, Some((form, key))).await?.snapshot()
        })
    }

    fn fetch<'a>(&'a self, reference: &'a str) -> Answer<'a, Snapshot> {
        Box::pin(async move {
            let url =
                self.url(&["payment_intents", reference], &[("expand[]", "latest_charge.balance_transaction")])?;
            let intent: Intent = self.ask(url, None).await?;
            let has_refunds =
                matches!(&intent.latest_charge, Some(Charges::Whole(charge)) if charge.amount_refunded > 0);
            let refunds = if has_refunds { self.refunds(reference).await? } else { Vec::new() };
            intent.snapshot(refunds)
        })
    }

    fn list(&self, since: Timestamp, next: Option<String>) -> Answer<'_, Page> {
        Box::pin(async move {
            let since = since.timestamp().to_string();
            let mut query = vec![("created[gte]", since.as_str()), ("limit", PAGE)];
            query.push(("expand[]", "data.latest_charge.balance_transaction"));
            query.extend(next.as_deref().map(|next| ("starting_after", next)));
            let list: List<Intent> = self.ask(self.url(&["payment_intents"], &query)?, None).await?;
            let last = list.data.last().map(|intent| intent.id.clone()).filter(|_| list.has_more);
            // What the shop could not have begun, such as another currency's units, is passed over.
            let attempts = list.data.into_iter().filter_map(|intent| intent.snapshot(Vec::new()).ok()).collect();
            Ok(Page { attempts, next: last })
        })
    }

    fn verify_webhook(&self, header: &str, body: &[u8], now: Timestamp) -> Result<Notice, WebhookRefused> {
        let signature = signature::Signature::parse(header).ok_or(WebhookRefused::Unreadable)?;
        signature.verify(&self.webhook_secrets, body, now)?;
        let Event { id, kind, data } = serde_json::from_slice(body).map_err(|_| WebhookRefused::NoEvent)?;
        if id.is_empty() || id.len() > 255 {
            return Err(WebhookRefused::NoEvent);
        }
        let EventObject { object, id: object_id, payment_intent } = data.object;
        let reference = if object == "payment_intent" { Some(object_id) } else { payment_intent };
        let reference = reference.filter(|reference| (1..=255).contains(&reference.len()));
        Ok(Notice { event_id: id, kind, reference })
    }
}

fn amount(money: Money) -> Result<String, ProviderError> {
    let theirs = units::theirs(money).map_err(|_| ProviderError::Refused { code: "amount".to_owned() })?;
    Ok(theirs.to_string())
}
