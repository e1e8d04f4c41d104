//! What the shop sells, on which terms.

use super::http::{Http, Side};
use crate::BenchError;
use reqwest::Method;
use schemas::Uuid;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Products of a shop.
const PRODUCTS: usize = 60;
/// Every so many is scarce.
const SCARCE: usize = 6;
const WORDS: [&str; 6] = ["lamp", "chair", "kettle", "rug", "mirror", "clock"];
/// How long the read side may take until it knows all of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A shop that is open.
#[derive(Debug)]
pub(crate) struct Shelf {
    /// Prefix of what this run sells.
    run: String,
    /// A code that takes a tenth off, as often as there are a fifth of the shoppers.
    pub(crate) code: String,
    /// Whoever approves transfers: not whoever enters them.
    pub(crate) second: Http,
}

impl Shelf {
    /// Opens the shop and fills it; scarce products have fewer pieces than shoppers who want them.
    pub(crate) async fn fill(staff: &Http, n: u32) -> Result<Self, BenchError> {
        let run = Uuid::now_v7().simple().to_string();
        let run = run[run.len() - 8..].to_uppercase();
        let tenant = staff.tenant().to_owned();
        staff.done(Method::PUT, &format!("/v1/tenants/{tenant}"), &json!({"name": tenant})).await?;
        let everywhere = json!({"title": "Standard", "areas": [{}], "position": 0,
            "prices": [{"currency": "USD", "tiers": [{"amount": 500}, {"from_value": 10_000, "amount": 0}]}]});
        decided(staff, "/v1/settings/shipping-methods/standard", &everywhere).await?;
        let zone = json!({"areas": [{}], "mode": "inclusive",
            "rates": [{"class": "standard", "jurisdiction": "US", "title": "Tax 19 %", "rate_ppm": 190_000}]});
        decided(staff, "/v1/settings/tax-zones/everywhere", &zone).await?;
        let policy = json!({
            "home": {"country": "US"}, "time_zone": "UTC", "prices": "inclusive", "cart_days": 7, "payment_attempts": 3, "order_prefix": "D-",
            "payments": [{"method": "cash_on_delivery", "deadline_minutes": 60}, {"method": "transfer", "deadline_minutes": 60},
                         {"method": "card", "deadline_minutes": 60}],
        });
        decided(staff, "/v1/settings/policy", &policy).await?;
        let shelf = Self { code: format!("TENTH-{run}"), second: Self::second(staff).await?, run };
        shelf.products(staff, n).await?;
        let name = format!("tenth-{}", shelf.run.to_lowercase());
        let tenth = json!({"title": "A tenth off", "needs_code": true, "limits": {"in_all": n.div_ceil(5)},
            "effect": {"kind": "percentage", "rate_ppm": 100_000}});
        staff.done(Method::PUT, &format!("/v1/promotions/{name}"), &tenth).await?;
        staff.done(Method::POST, &format!("/v1/promotions/{name}/codes"), &json!({"codes": [shelf.code]})).await?;
        shelf.until_found(staff).await?;
        Ok(shelf)
    }

    async fn second(staff: &Http) -> Result<Http, BenchError> {
        let asked = json!({"name": "approves transfers", "kind": "staff", "permissions": ["payments.approve", "payments.write"]});
        let made = staff.done(Method::POST, "/v1/keys", &asked).await?;
        Ok(staff.with_key(made["key"].as_str().unwrap_or_default()))
    }

    async fn products(&self, staff: &Http, n: u32) -> Result<(), BenchError> {
        let (mut products, mut prices, mut stock) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..PRODUCTS {
            let (sku, word) = (self.sku(number), WORDS[number % WORDS.len()]);
            let amount = 1_000 + 137 * i64::try_from(number).unwrap_or_default();
            let pieces = if number % SCARCE == 0 { n.div_ceil(60) } else { n * 3 };
            products.push(json!({"external_id": sku, "title": format!("{word} {}", self.run), "publish": true, "variants": [{"sku": sku}]}));
            prices.push(json!({"sku": sku, "entries": [{"currency": "USD", "list_amount": amount}]}));
            stock.push(json!({"sku": sku, "location": "main", "op": "set", "quantity": pieces}));
        }
        staff.bulk("products", &products).await?;
        staff.bulk("prices", &prices).await?;
        staff.bulk("stock", &stock).await
    }

    /// Waits until search has all of it.
    async fn until_found(&self, staff: &Http) -> Result<(), BenchError> {
        let began = Instant::now();
        loop {
            let found = staff.read(&format!("/v1/search?q={}&limit=0", self.run), None).await?;
            if found.body["total"].as_u64() == u64::try_from(PRODUCTS).ok() {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return Err(BenchError::Failed(format!("search has not found the products: {}", found.body)));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// The stock keeping unit of a product.
    pub(crate) fn sku(&self, number: usize) -> String {
        format!("{}-{number:02}", self.run)
    }

    /// How many products there are.
    pub(crate) const fn len() -> usize {
        PRODUCTS
    }

    /// What somebody who looks for a product types.
    pub(crate) fn words(&self, number: usize) -> String {
        format!("{} {}", WORDS[number % WORDS.len()], self.run)
    }

    /// Where the goods go.
    pub(crate) fn address() -> Value {
        json!({"name": "Ana Ruiz", "line1": "Main Street 1", "city": "Springfield", "country": "US"})
    }
}

/// Decides something, unless a run before has.
async fn decided(staff: &Http, path: &str, content: &Value) -> Result<(), BenchError> {
    let answer = staff.command(Method::PUT, path, content).await?;
    if answer.is_done() || answer.code() == "version_required" {
        return Ok(());
    }
    Err(staff.refused(Side::Write, path, &answer))
}
