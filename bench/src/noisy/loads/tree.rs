//! The root category of a tree of products, renamed again and again: the path of each product below it changes.

use crate::{BenchError, noisy::neighbour::Neighbour};
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
        for step in 0_u64.. {
            let line: Value = json!({"external_id": "root", "slug": "root", "name": format!("Root {step}")});
            shop.send_lines("categories/bulk", futures::stream::iter([format!("{line}\n")])).await;
        }
    });
}
