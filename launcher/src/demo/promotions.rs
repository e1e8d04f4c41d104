//! What makes carts of the demo's shop cheaper.

use crate::{LaunchError, asked, key::KeyArgs};
use reqwest::Method;
use serde_json::{Value, json};

/// The category whose goods are cheaper, by its slug.
const CATEGORY: &str = "desk-lamps";

/// Promotions by name; the first is off the goods of a category.
#[must_use]
pub fn all(category: &str) -> [(&'static str, Value); 3] {
    [
        (
            "bright-desks",
            json!({
                "title": "15 % off desk lamps", "target": {"categories": [category]},
                "effect": {"kind": "percentage", "rate_ppm": 150_000}, "stacking": {"priority": 10},
            }),
        ),
        (
            "welcome",
            json!({
                "title": "10 % off your first order", "needs_code": true, "level": "order",
                "conditions": {"first_order": true}, "effect": {"kind": "percentage", "rate_ppm": 100_000},
                "stacking": {"priority": 20}, "limits": {"by_customer": 1}, "is_given_back": true,
            }),
        ),
        (
            "free-shipping",
            json!({
                "title": "Free shipping from $ 75", "level": "order",
                "conditions": {"least_value": [{"amount": 7_500, "currency": "USD"}]},
                "effect": {"kind": "shipping"}, "stacking": {"priority": 30},
            }),
        ),
    ]
}

/// The codes of `welcome`.
#[must_use]
pub fn codes() -> Value {
    json!({"codes": ["WELCOME10"]})
}

/// Defines them for a shop whose catalog query-api has.
///
/// # Errors
/// What write-api or query-api said, as a sentence.
pub(crate) async fn define(write: &str, query: &str, key: &KeyArgs, shop: &str) -> Result<(), LaunchError> {
    let tree = asked::request(key, Method::GET, query, "/v1/categories")?.header("x-tenant-slug", shop);
    let tree = asked::answer(tree, query).await?;
    let category = find(&tree["categories"])
        .ok_or_else(|| LaunchError::Other(format!("the demo's shop has no category `{CATEGORY}`")))?;
    for (name, content) in all(&category) {
        let path = format!("/v1/promotions/{name}");
        let request = asked::request(key, Method::PUT, write, &path)?;
        asked::answer(request.header("x-tenant-slug", shop).header("if-match", "*").json(&content), write).await?;
    }
    let request = asked::request(key, Method::POST, write, "/v1/promotions/welcome/codes")?;
    asked::answer(request.header("x-tenant-slug", shop).json(&codes()), write).await?;
    Ok(())
}

/// The id of the category, wherever it is in the tree.
fn find(nodes: &Value) -> Option<String> {
    nodes.as_array()?.iter().find_map(|node| {
        let is_it = node["slug"] == CATEGORY;
        let id = || node["id"].as_str().map(str::to_owned);
        if is_it { id() } else { find(&node["children"]) }
    })
}
