//! Goods are kept for the checkout, belong to the order, or are free again.

use super::{Answer, Asked, answered, obstacle};
use crate::{
    contexts::inventory::port::{self, Pieces, Reserve, Reserved},
    pipeline::Error,
};
use schemas::{Timestamp, events::checkout::Obstacle, ids::VariantId};
use std::collections::BTreeMap;

/// Keeps the goods of all lines, or none of them.
pub(super) async fn reserve(asked: &Asked<'_>, until: Timestamp) -> Result<Answer, Error> {
    let lines = &asked.checkout.started.quote.lines;
    // Several lines may be of one variant.
    let mut wanted: BTreeMap<VariantId, (i64, &str)> = BTreeMap::new();
    for line in lines {
        let entry = wanted.entry(line.variant_id).or_insert((0, line.sku.as_str()));
        entry.0 = entry.0.saturating_add(i64::from(line.quantity));
    }
    let pieces: Vec<Pieces> = wanted
        .iter()
        .map(|(variant, (quantity, _))| Pieces {
            variant: *variant,
            quantity: *quantity,
            location: None,
            preferred: Vec::new(),
        })
        .collect();
    let reserve = Reserve { reservation_id: asked.id, checkout_id: Some(asked.id), expires_at: until };
    match port::reserve(asked.app, asked.scope, Some(asked.key), &reserve, &pieces).await? {
        Reserved::All(_) => Ok(Answer::Done),
        Reserved::Nothing(reasons) => {
            let skus = wanted.values().map(|(_, sku)| *sku);
            let why = skus.zip(reasons).filter_map(|(sku, reason)| Some(obstacle(Some(sku), &reason?)));
            Ok(Answer::Refused(why.collect::<Vec<Obstacle>>()))
        }
    }
}

/// What is kept does not end by itself.
pub(super) async fn pin(asked: &Asked<'_>) -> Result<Answer, Error> {
    answered(port::pin(asked.app, asked.scope, Some(asked.key), asked.id).await)
}

/// The goods belong to the order.
pub(super) async fn commit(asked: &Asked<'_>) -> Result<Answer, Error> {
    answered(port::commit(asked.app, asked.scope, Some(asked.key), asked.id).await)
}

/// The goods are free again.
pub(super) async fn release(asked: &Asked<'_>) -> Result<Answer, Error> {
    answered(port::release(asked.app, asked.scope, Some(asked.key), asked.id).await)
}
