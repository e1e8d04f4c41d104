//! Payments, against a stand-in for Stripe that speaks its documented interface and fails when told to.

mod cards;
mod contract;
mod ledger;
mod staff;
mod webhooks;

use acceptance::{
    eventually::eventually,
    shop::{PATIENCE, Shop},
    stack::TestStack,
    stripe_stand_in::{SECRET_KEY, StripeStandIn, WEBHOOK_SECRET},
};
use reqwest::Method;
use schemas::Uuid;
use serde_json::{Value, json};

/// A shop that takes cards.
struct Scene {
    stack: TestStack,
    shop: Shop,
    stripe: StripeStandIn,
    /// Where its webhooks go.
    hook: String,
}

impl Scene {
    async fn open(slug: &str) -> Self {
        let stripe = StripeStandIn::start().expect("a stand-in");
        let address = stripe.address().to_owned();
        let stack = TestStack::start_with(false, |settings| settings.stripe_url = Some(address)).await;
        let shop = Shop::open(&stack, slug).await;
        let agreed = json!({"secret_key": SECRET_KEY, "webhook_secrets": [WEBHOOK_SECRET]});
        let set = shop.command(Method::PUT, "/v1/payment-providers/stripe", None, &agreed).await;
        let hook = format!("{}/v1/webhooks/stripe/{}", stack.write_url(), set["id"].as_str().expect("an id"));
        Self { stack, shop, stripe, hook }
    }

    /// A payment that was created, with its order.
    async fn payment(&self, method: &str, currency: &str, amount: i64) -> (String, String) {
        let (id, order) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
        let asked = json!({"order_id": order, "method": method, "currency": currency, "amount": amount});
        self.shop.command(Method::PUT, &format!("/v1/payments/{id}"), None, &asked).await;
        (id, order)
    }

    /// Does something with a payment; gives the status and the answer.
    async fn post(&self, payment: &str, what: &str, body: &Value) -> (u16, Value) {
        ask(&self.shop, payment, what, body).await
    }

    async fn attempt(&self, payment: &str, number: u32, card: Option<&str>) -> (u16, Value) {
        let mut body = json!({"attempt": number});
        if let Some(card) = card {
            body["payment_method"] = json!(card);
        }
        self.post(payment, "attempts", &body).await
    }

    /// Waits until a payment is so.
    async fn until(&self, payment: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        eventually(what, PATIENCE, || async {
            let read = self.shop.read(&format!("/v1/payments/{payment}"), None).await;
            if is_so(&read.body) { Ok(read.body) } else { Err(format!("{read:?}")) }
        })
        .await
    }

    /// Debits less credits of an account, once the views have what is there.
    async fn balance(&self, account: &str) -> i64 {
        let read = self.shop.read(&format!("/v1/ledger/accounts/{account}?limit=1000"), None).await;
        let entries = read.body["entries"].as_array().cloned().unwrap_or_default();
        let sum = |name: &str| entries.iter().filter_map(|entry| entry[name].as_i64()).sum::<i64>();
        sum("debit") - sum("credit")
    }

    /// Rows of a table of payments.
    async fn rows(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM payments.{table}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&self.stack.write).await.expect("a number")
    }
}

/// Does something with a payment as somebody.
async fn ask(shop: &Shop, payment: &str, what: &str, body: &Value) -> (u16, Value) {
    let request = shop.request(Method::POST, &format!("/v1/payments/{payment}/{what}")).json(body);
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}
