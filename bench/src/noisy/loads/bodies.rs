//! Bulk writes whose bodies stall after the first line.

use crate::noisy::neighbour::Neighbour;
use futures::StreamExt;
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;

const CONNECTIONS: u64 = 32;
/// A moment that other loads have to begin: what stalls keeps them out.
const LATER: Duration = Duration::from_secs(1);

/// Each connection sends a line, and then nothing until it is sent away; half of them ask for one transaction.
pub(super) fn start(shop: &Neighbour, tasks: &mut JoinSet<()>) {
    for connection in 0..CONNECTIONS {
        let shop = shop.clone();
        tasks.spawn(async move {
            tokio::time::sleep(LATER).await;
            let name = format!("stalled-{connection}");
            let how = if connection % 2 == 0 { "skip" } else { "all-or-nothing" };
            for step in 0_u64.. {
                let line =
                    json!({"external_id": name, "title": format!("Stalled {step}"), "variants": [{"sku": name}]});
                let body = futures::stream::iter([format!("{line}\n")]).chain(futures::stream::pending());
                shop.send_lines(&format!("products/bulk?on_error={how}"), body).await;
            }
        });
    }
}
