//! Goods are kept for the checkout, belong to the order, or are free again.

use super::{Answer, Asked, answered, obstacle};
use crate::{
    contexts::inventory::port::{self, Pieces, Reserve, Reserved},
    pipeline::Error,
};
use schemas::{
    Timestamp,
    events::checkout::Obstacle,
    ids::VariantId,
    quote::{QuoteLine, location_of},
};
use std::collections::BTreeMap;

/// Keeps the goods of all lines, or none of them.
pub(super) async fn reserve(asked: &Asked<'_>, until: Timestamp) -> Result<Answer, Error> {
    let (pieces, skus): (Vec<Pieces>, Vec<&str>) = wanted(&asked.checkout.started.quote.lines).into_iter().unzip();
    let reserve = Reserve { reservation_id: asked.id, checkout_id: Some(asked.id), expires_at: until };
    match port::reserve(asked.app, asked.scope, Some(asked.key), &reserve, &pieces).await? {
        Reserved::All(_) => Ok(Answer::Done),
        Reserved::Nothing(reasons) => {
            let why = skus.into_iter().zip(reasons).filter_map(|(sku, reason)| Some(obstacle(Some(sku), &reason?)));
            Ok(Answer::Refused(why.collect::<Vec<Obstacle>>()))
        }
    }
}

/// The pieces of each variant with its stock keeping unit. They are looked for first where their group is sent from; if they
/// have gone there meanwhile, others may be taken.
fn wanted(lines: &[QuoteLine]) -> Vec<(Pieces, &str)> {
    let mut wanted: BTreeMap<VariantId, (Pieces, &str)> = BTreeMap::new();
    // Several lines may be of one variant, as a gift beside pieces that are paid for.
    for line in lines {
        let (pieces, _) =
            wanted.entry(line.variant_id).or_insert_with(|| (Pieces::none(line.variant_id), line.sku.as_str()));
        pieces.quantity = pieces.quantity.saturating_add(i64::from(line.quantity));
        if let Some(location) = location_of(&line.group) {
            pieces.prefer(location);
        }
    }
    wanted.into_values().collect()
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
