//! An ordinary import, as a shop does at night.

use crate::{
    noisy::neighbour::{Neighbour, pieces},
    reindexing::catalog,
};
use tokio::task::JoinSet;

/// One bulk write with all products, as fast as they are taken.
pub(super) fn start(shop: &Neighbour, products: u64, tasks: &mut JoinSet<()>) {
    // What was imported before would be unchanged.
    let begin = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
    let begin = u64::try_from(begin).unwrap_or_default() * 1_000;
    let (shop, lines) = (shop.clone(), (begin..begin + products).map(catalog::product));
    tasks.spawn(async move { shop.send_lines("products/bulk", futures::stream::iter(pieces(lines))).await });
}
