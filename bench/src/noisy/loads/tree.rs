//! The root category of a tree of products, renamed again and again: the path of each product below it changes.

use crate::{BenchError, noisy::neighbour::Neighbour};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

const BRANCHES: u64 = 50;

/// The category that a product stands in.
pub(in crate::noisy) fn branch(product: u64) -> String {
    format!("branch-{}", product % BRANCHES)
}

/// A root, branches below it, and products in them.
pub(super) async fn prepare(shop: &Neighbour, products: u64) -> Result<(), BenchError> {
    let branch = |number| json!({"external_id": branch(number), "name": format!("Branch {number}"), "parent": "root"});
    let root = json!({"external_id": "root", "slug": "root", "name": "Root"});
    shop.must_take("categories/bulk", std::iter::once(root)).await?;
    shop.must_take("categories/bulk", (0..BRANCHES).map(branch)).await?;
    shop.fill(products, products).await
}

/// One connection; the next name follows the answer to the last.
pub(super) fn start(shop: &Neighbour, tasks: &mut JoinSet<()>) {
    let shop = shop.clone();
    tasks.spawn(async move {
        // Not in bulk: other loads may have all places for bulk writes.
        let Some(path) = path_of_root(&shop).await else { return shop.lost() };
        for step in 0_u64.. {
            let body = json!({"external_id": "root", "slug": "root", "name": format!("Root {step}")});
            shop.send(shop.command(Method::PUT, &path).header("if-match", "*").json(&body)).await;
        }
    });
}

async fn path_of_root(shop: &Neighbour) -> Option<String> {
    let tree: Value = shop.read("categories").send().await.ok()?.json().await.ok()?;
    let root = tree["categories"].as_array()?.iter().find(|category| category["slug"] == "root")?;
    Some(format!("categories/{}", root["id"].as_str()?))
}
