//! Products as large as is accepted.

use crate::{noisy::neighbour::Neighbour, words::Words};
use reqwest::Method;
use schemas::sizes::MAX_EVENT_BYTES;
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

const CONNECTIONS: usize = 4;
/// What an event holds besides the content that was sent.
const AROUND: usize = 8 << 10;
/// Characters of one attribute, below what the rules allow.
const TEXT: usize = 9_000;

/// Each connection creates one product after the other, as fast as they are taken.
pub(super) fn start(shop: &Neighbour, products: u64, tasks: &mut JoinSet<()>) {
    // What an earlier round wrote is there.
    let all = Words::new();
    for connection in (0..products).take(CONNECTIONS) {
        let shop = shop.clone();
        tasks.spawn(async move {
            for number in (connection..products).step_by(CONNECTIONS) {
                let name = format!("large-{}", all.word(u64::MAX - number));
                let words = (number * 100_000..).map(|number| all.word(number));
                let body = product(&name, words);
                shop.send(shop.command(Method::POST, "products").json(&body)).await;
            }
        });
    }
}

/// A product of the largest size: texts of words that no other product has.
fn product(name: &str, mut words: impl Iterator<Item = String>) -> Value {
    let mut text = |bytes: usize| {
        let mut text = String::with_capacity(bytes + 16);
        while text.len() < bytes
            && let Some(word) = words.next()
        {
            text.push_str(&word);
            text.push(' ');
        }
        text.truncate(bytes);
        text.trim_end().to_owned()
    };
    let mut attributes = Map::new();
    let mut left = MAX_EVENT_BYTES - AROUND;
    let description = text(99_000);
    left -= description.len();
    // Quotes, colon, comma and the name are around each.
    while left > TEXT + 32 {
        attributes.insert(format!("part {}", attributes.len()), Value::from(text(TEXT)));
        left -= TEXT + 32;
    }
    json!({
        "external_id": name,
        "slug": name,
        "title": format!("Large {name}"),
        "description": description,
        "attributes": attributes,
        "variants": [{"sku": name}],
        "publish": true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_nearly_as_large_as_an_event_may_be() {
        let words = Words::new();
        let bytes = product("a", (0..).map(|number| words.word(number))).to_string().len();
        assert!(bytes < MAX_EVENT_BYTES && bytes > MAX_EVENT_BYTES - AROUND - 2 * TEXT, "{bytes}");
    }
}
