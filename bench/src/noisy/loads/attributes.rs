//! Products whose attributes have names that nobody used before: each name is a column of its own in an index.

use crate::{
    noisy::neighbour::{Neighbour, pieces},
    words::Words,
};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

/// The most attributes of a product.
const NAMES_OF_A_PRODUCT: u64 = 500;

/// Two bulk writes, with half of the names each.
pub(super) fn start(shop: &Neighbour, names: u64, tasks: &mut JoinSet<()>) {
    // Names of an earlier round of this load are known by now.
    let words = Words::new();
    let round = words.word(0);
    let products = names.div_ceil(NAMES_OF_A_PRODUCT);
    for half in 0..2 {
        let (own, round) = (shop.clone(), round.clone());
        let lines = (half..products).step_by(2).map(move |number| {
            let attribute = |place: u64| (words.word(1 + number * NAMES_OF_A_PRODUCT + place), Value::from(place));
            let attributes: Map<String, Value> = (0..NAMES_OF_A_PRODUCT).map(attribute).collect();
            let name = format!("named-{round}-{number}");
            json!({"external_id": name, "title": format!("Named {number}"), "attributes": attributes,
                "variants": [{"sku": name}], "publish": true})
        });
        tasks.spawn(async move { own.send_lines("products/bulk", futures::stream::iter(pieces(lines))).await });
    }
}
