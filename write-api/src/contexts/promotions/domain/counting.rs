//! Which counters a use moves, and by how much.

use super::Promotion;
use schemas::{
    events::{
        PromotionsEvent,
        promotions::{CouponUse, UsageLimits, UsageStep},
    },
    ids::PromotionId,
};
use std::collections::BTreeMap;

/// What a counter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Counts {
    /// All uses of a promotion.
    All,
    /// Those by one code.
    Code,
    /// Those of one customer.
    Customer,
}

impl Counts {
    pub(crate) const ALL: [Self; 3] = [Self::All, Self::Code, Self::Customer];

    /// As the table says it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Code => "code",
            Self::Customer => "customer",
        }
    }

    /// The limit of what it counts, if there is one.
    pub(crate) fn limit(self, limits: &UsageLimits) -> Option<i64> {
        let limit = match self {
            Self::All => limits.in_all,
            Self::Code => limits.by_code,
            Self::Customer => limits.by_customer,
        };
        limit.map(i64::from)
    }

    /// Which counter of the promotion a use moves; none where nothing of the use is counted.
    fn key(self, usage: &CouponUse) -> Option<&str> {
        match self {
            Self::All => Some(""),
            Self::Code => usage.code.as_deref(),
            Self::Customer => Some(&usage.customer),
        }
    }
}

/// A counter of a promotion. Transactions take them in their order, so that none waits for another in a ring.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Counter {
    pub(crate) promotion_id: PromotionId,
    pub(crate) counts: Counts,
    pub(crate) key: String,
}

/// How a counter moves, and how far it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) by: UsageStep,
    pub(crate) most: i64,
}

/// What a counter has, and what may be taken of it. The table decides the same by the condition of its UPDATE.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) reserved: i64,
    pub(crate) consumed: i64,
}

impl Counted {
    /// After a move; nothing, if more would be used than may be.
    pub(crate) const fn after(self, moved: Move) -> Option<Self> {
        let reserved = self.reserved.saturating_add(moved.by.reserved);
        let consumed = self.consumed.saturating_add(moved.by.consumed);
        let takes = moved.by.reserved.saturating_add(moved.by.consumed) > 0;
        if takes && reserved.saturating_add(consumed) > moved.most {
            return None;
        }
        Some(Self { reserved, consumed })
    }
}

/// How counters move by some events, in their order. Those of promotions without a limit don't.
pub(crate) fn moves<'a>(
    promotions: &BTreeMap<PromotionId, Promotion>,
    events: impl IntoIterator<Item = &'a PromotionsEvent>,
) -> BTreeMap<Counter, Move> {
    let mut moves = BTreeMap::new();
    for (usage, step) in events.into_iter().filter_map(PromotionsEvent::step) {
        let Some(promotion) = promotions.get(&usage.promotion_id) else { continue };
        for counts in Counts::ALL {
            let limited = counts.limit(&promotion.content.limits).zip(counts.key(usage));
            let Some((most, key)) = limited else { continue };
            let counter = Counter { promotion_id: usage.promotion_id, counts, key: key.to_owned() };
            let moved = moves.entry(counter).or_insert(Move { by: UsageStep::default(), most });
            moved.by.reserved += step.reserved;
            moved.by.consumed += step.consumed;
        }
    }
    moves
}

/// By how many uses each customer's first order is held more, or less.
pub(crate) fn first_orders<'a>(events: impl IntoIterator<Item = &'a PromotionsEvent>) -> BTreeMap<String, i64> {
    let mut held = BTreeMap::new();
    for (usage, step) in events.into_iter().filter_map(PromotionsEvent::step) {
        if usage.is_first_order {
            *held.entry(usage.customer.clone()).or_default() += step.reserved + step.consumed;
        }
    }
    held
}
