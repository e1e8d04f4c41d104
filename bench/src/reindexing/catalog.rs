//! A shop of any size, made of a few words.

use crate::{BenchError, shop::Shop};
use launcher::import::Progress;
use serde_json::{Value, json};

const QUALITIES: [&str; 12] = [
    "portable",
    "wireless",
    "compact",
    "heavy-duty",
    "foldable",
    "digital",
    "silent",
    "waterproof",
    "classic",
    "smart",
    "rechargeable",
    "adjustable",
];
const THINGS: [&str; 16] = [
    "kettle",
    "speaker",
    "lamp",
    "keyboard",
    "drill",
    "blender",
    "camera",
    "monitor",
    "router",
    "printer",
    "headset",
    "charger",
    "projector",
    "scale",
    "heater",
    "microphone",
];
const COLOURS: [&str; 8] = ["black", "white", "red", "blue", "green", "silver", "grey", "yellow"];
/// Products in one bulk write.
const LINES: u64 = 1_000;

/// A text that finds some of the products.
pub fn query(number: u64) -> String {
    let pick = |of: &[&'static str], number: u64| of[usize::try_from(number).unwrap_or_default() % of.len()];
    match number % 4 {
        0 => pick(&THINGS, number / 4).to_owned(),
        1 => format!("{} {}", pick(&QUALITIES, number / 7), pick(&THINGS, number / 3)),
        2 => format!("{} {} {}", pick(&COLOURS, number / 5), pick(&QUALITIES, number / 11), pick(&THINGS, number / 13)),
        _ => format!("{} series {}", pick(&THINGS, number / 17), number % 97),
    }
}

/// An ordinary product, as a line of a bulk write.
pub fn product(number: u64) -> Value {
    let pick = |of: &[&'static str], number: u64| of[usize::try_from(number).unwrap_or_default() % of.len()];
    let (quality, thing, colour) = (pick(&QUALITIES, number), pick(&THINGS, number / 12), pick(&COLOURS, number / 192));
    json!({
        "external_id": format!("bench-{number}"),
        "title": format!("{quality} {thing} series {} {colour}", number % 97),
        "brand": format!("Maker{}", number % 61),
        "description": format!("A {quality} {thing} in {colour}, number {number} of its line, made for kitchens, offices and workshops."),
        "attributes": {"colour": colour, "weight_g": 100 + number % 4_000, "series": number % 97},
        "variants": [{"sku": format!("BENCH-{number}")}],
        "publish": true,
    })
}

/// Writes the products that are missing, and waits until all can be found.
pub async fn fill(shop: &Shop, count: u64) -> Result<(), BenchError> {
    let present = shop.count().await?;
    let mut progress = Progress::begin("filling the shop", count);
    let mut token = None;
    let mut next = if present >= count { count } else { 0 };
    while next < count {
        let lines: String = (next..(next + LINES).min(count)).map(|number| format!("{}\n", product(number))).collect();
        token = Some(shop.bulk("products", lines).await?);
        next += LINES;
        progress.at(next.min(count), count, next.min(count), "products");
    }
    progress.end();
    if let Some(token) = token {
        while !shop.search("kettle", 1, Some(&token)).await?.fresh {}
    }
    Ok(())
}
