//! What may count for one cart, put together of what was read for many.

use super::{Applicable, CouponStatus, Exhausted, FoundCode, Promotion, Used};
use schemas::{Timestamp, ids::PromotionId};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A cart, as far as promotions have to be looked up for it.
#[derive(Debug, Clone, Default)]
pub struct Asking<'a> {
    /// The codes that were typed.
    pub codes: &'a [String],
    /// By whom uses are counted; none of a guest, who is known by the address of the order.
    pub customer: Option<String>,
}

/// Promotions that may count for a cart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForCart {
    /// Automatic ones first, each by id; then those of the codes. What is used up is here, too, and says so.
    pub applicable: Vec<Applicable>,
    /// Codes that can't be used, in capitals, and why; those included whose promotion is used up.
    pub refused: Vec<(String, CouponStatus)>,
}

impl ForCart {
    /// Promotions that need no code.
    pub(super) fn automatic(promotions: &[Arc<Promotion>]) -> Self {
        let applicable = |promotion: &Arc<Promotion>| Applicable {
            promotion: Arc::clone(promotion),
            code: None,
            used: Used::default(),
            exhausted: Exhausted::default(),
        };
        Self { applicable: promotions.iter().map(applicable).collect(), refused: Vec::new() }
    }

    /// Takes in the promotions of codes, and the codes that can't be used.
    pub(super) fn with_codes(mut self, codes: &[String], known: &BTreeMap<String, FoundCode>, now: Timestamp) -> Self {
        let mut seen = BTreeSet::new();
        for code in codes {
            let capitals = code.to_ascii_uppercase();
            let of_code = known.get(&capitals);
            let status = of_code.map_or(CouponStatus::Unknown, |code| code.status(now));
            match of_code.filter(|_| status == CouponStatus::Usable) {
                Some(_) if !seen.insert(capitals.clone()) => {}
                Some(of_code) => {
                    let used = Used { by_code: of_code.used, ..Used::default() };
                    let promotion = Arc::clone(&of_code.promotion);
                    let exhausted = Exhausted::default();
                    self.applicable.push(Applicable { promotion, code: Some(capitals), used, exhausted });
                }
                None => self.refused.push((capitals, status)),
            }
        }
        self
    }

    /// Takes in how often promotions were used, by all and by the customer, and says what is used up.
    pub(super) fn count(
        &mut self,
        in_all: &BTreeMap<PromotionId, i64>,
        by_customer: Option<&BTreeMap<PromotionId, i64>>,
    ) {
        let is_reached = |used: i64, limit: Option<u32>| limit.is_some_and(|most| used >= i64::from(most));
        for applicable in &mut self.applicable {
            let (id, limits) = (applicable.promotion.id, applicable.promotion.content.limits);
            applicable.used.in_all = in_all.get(&id).copied().unwrap_or_default();
            applicable.used.by_customer = by_customer.and_then(|used| used.get(&id)).copied().unwrap_or_default();
            let used = applicable.used;
            applicable.exhausted = Exhausted {
                in_all: is_reached(used.in_all, limits.in_all),
                by_code: is_reached(used.by_code, limits.by_code),
                by_customer: is_reached(used.by_customer, limits.by_customer),
            };
            if let Some(code) = applicable.code.clone().filter(|_| applicable.exhausted.is_any()) {
                self.refused.push((code, CouponStatus::Exhausted));
            }
        }
    }
}
