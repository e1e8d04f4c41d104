//! Which promotions may count for a cart, as the views know it. What a promotion says is kept by its version: a cart's read
//! asks the database for versions and counts alone.

mod for_cart;
mod rows;

pub use for_cart::{Asking, ForCart};

use schemas::{Timestamp, events::promotions::PromotionContent, ids::PromotionId, ids::TenantId};
use sqlx::PgPool;
use std::{collections::BTreeSet, sync::Arc};

/// Bytes of what is kept, as JSON.
const KEPT_BYTES: u64 = 32 << 20;
/// What a promotion takes beside that, about.
const ENTRY_BYTES: usize = 300;
/// The lengths of codes.
const CODE: std::ops::RangeInclusive<usize> = 3..=64;

/// A promotion that has not ended, in one of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// Its id.
    pub id: PromotionId,
    /// The version; a quote names it.
    pub version: i64,
    /// What staff call it: of the same priority, it is done in the order of names.
    pub name: String,
    /// What it is.
    pub content: PromotionContent,
}

/// How often it was used, counting what is reserved. Only of promotions that are limited uses are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// By all.
    pub in_all: i64,
    /// By the code.
    pub by_code: i64,
    /// By the customer.
    pub by_customer: i64,
}

/// Where something was used as often as it may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exhausted {
    /// By all.
    pub in_all: bool,
    /// By the code.
    pub by_code: bool,
    /// By the customer.
    pub by_customer: bool,
}

impl Exhausted {
    /// Whether it can't be used for one reason or another.
    #[must_use]
    pub const fn is_any(self) -> bool {
        self.in_all || self.by_code || self.by_customer
    }
}

/// A promotion whose span it is. Whether it does say its conditions, which are not looked at here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applicable {
    /// The promotion.
    pub promotion: Arc<Promotion>,
    /// The code by which it counts, in capitals; none of an automatic one.
    pub code: Option<String>,
    /// How often it was used.
    pub used: Used,
    /// Where it was used as often as it may be.
    pub exhausted: Exhausted,
}

/// What a code is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CouponStatus {
    /// It can be used.
    Usable,
    /// No promotion of the shop has it.
    Unknown,
    /// Its promotion counts later.
    NotYet,
    /// Its promotion counts no longer.
    Ended,
    /// It was used as often as may be, or its promotion was.
    Exhausted,
    /// Staff have disabled it.
    Disabled,
}

/// What was read of a code.
#[derive(Debug, Clone)]
struct FoundCode {
    promotion: Arc<Promotion>,
    is_disabled: bool,
    has_ended: bool,
    used: i64,
}

/// Promotions of all shops, as they are asked for.
#[derive(Debug, Clone)]
pub struct Promotions {
    pool: PgPool,
    known: moka::future::Cache<(TenantId, PromotionId, i64), Arc<Promotion>>,
}

impl Promotions {
    /// Over the read database.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        let weigh = |_: &(TenantId, PromotionId, i64), promotion: &Arc<Promotion>| {
            let bytes = crate::cache::bytes_by_json(&promotion.content) + promotion.name.len() + ENTRY_BYTES;
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        Self { pool, known: moka::future::Cache::builder().weigher(weigh).max_capacity(KEPT_BYTES).build() }
    }

    /// What may count for each of some carts at a moment: the automatic promotions whose span it is, and those of its codes.
    /// It takes as many queries for many carts as for one.
    ///
    /// # Errors
    /// The database's.
    pub async fn for_carts(
        &self,
        tenant: TenantId,
        asking: &[Asking<'_>],
        now: Timestamp,
    ) -> Result<Vec<ForCart>, sqlx::Error> {
        let mut automatic = self.automatic(tenant).await?;
        automatic.retain(|promotion| span(promotion, now).is_none());
        let codes: Vec<String> = asking.iter().flat_map(|one| one.codes).cloned().collect();
        let known = self.of_codes(tenant, &codes).await?;
        let found = |one: &Asking<'_>| ForCart::automatic(&automatic).with_codes(one.codes, &known, now);
        let mut found: Vec<ForCart> = asking.iter().map(found).collect();
        self.count(tenant, asking, &mut found).await?;
        Ok(found)
    }

    /// What a code is good for, whoever the customer is, and the promotion's title where it can be used.
    ///
    /// # Errors
    /// The database's.
    pub async fn status(
        &self,
        tenant: TenantId,
        code: &str,
        now: Timestamp,
    ) -> Result<(CouponStatus, Option<String>), sqlx::Error> {
        let codes = [code.to_owned()];
        let known = self.of_codes(tenant, &codes).await?;
        let mut found = ForCart::default().with_codes(&codes, &known, now);
        let asking = Asking { codes: &codes, customer: None };
        self.count(tenant, &[asking], std::slice::from_mut(&mut found)).await?;
        if let Some((_, status)) = found.refused.pop() {
            return Ok((status, None));
        }
        let title = found.applicable.pop().map(|usable| usable.promotion.content.title.clone());
        Ok((if title.is_some() { CouponStatus::Usable } else { CouponStatus::Unknown }, title))
    }

    /// The automatic promotions that count at a moment, whoever the customer is.
    ///
    /// # Errors
    /// The database's.
    pub async fn active(&self, tenant: TenantId, now: Timestamp) -> Result<Vec<Arc<Promotion>>, sqlx::Error> {
        let found = self.for_carts(tenant, &[Asking::default()], now).await?;
        let left = found.into_iter().flat_map(|found| found.applicable);
        let left = left.filter(|applicable| !applicable.exhausted.is_any());
        Ok(left.map(|applicable| applicable.promotion).collect())
    }

    /// Counts uses, and says what is used up.
    async fn count(&self, tenant: TenantId, asking: &[Asking<'_>], found: &mut [ForCart]) -> Result<(), sqlx::Error> {
        let named = |is_limited: fn(&Applicable) -> bool| -> BTreeSet<PromotionId> {
            let applicable = found.iter().flat_map(|found| &found.applicable);
            applicable.filter(|one| is_limited(one)).map(|one| one.promotion.id).collect()
        };
        let limited_in_all = named(|one| one.promotion.content.limits.in_all.is_some());
        let limited_by_customer = named(|one| one.promotion.content.limits.by_customer.is_some());
        let customers: BTreeSet<&str> = asking.iter().filter_map(|one| one.customer.as_deref()).collect();
        let in_all = self.used_in_all(tenant, &limited_in_all).await?;
        let by_customer = self.used_by(tenant, &customers, &limited_by_customer).await?;
        for (asking, found) in asking.iter().zip(found) {
            let of_customer = asking.customer.as_deref().and_then(|customer| by_customer.get(customer));
            found.count(&in_all, of_customer);
        }
        Ok(())
    }
}

impl FoundCode {
    /// What it is good for, but for uses.
    fn status(&self, now: Timestamp) -> CouponStatus {
        if self.is_disabled {
            return CouponStatus::Disabled;
        }
        if self.has_ended {
            return CouponStatus::Ended;
        }
        span(&self.promotion, now).unwrap_or(CouponStatus::Usable)
    }
}

/// Why a promotion does not count at a moment.
fn span(promotion: &Promotion, now: Timestamp) -> Option<CouponStatus> {
    if promotion.content.is_over(now) {
        return Some(CouponStatus::Ended);
    }
    (!promotion.content.has_begun(now)).then_some(CouponStatus::NotYet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Uuid;
    use serde_json::json;

    fn promotion(from: Option<i64>, until: Option<i64>) -> Arc<Promotion> {
        let at = |seconds: i64| Timestamp::from_timestamp(seconds, 0).expect("a time");
        let mut content: PromotionContent =
            serde_json::from_value(json!({"title": "A", "effect": {"kind": "shipping"}})).expect("a promotion");
        (content.from, content.until) = (from.map(at), until.map(at));
        Arc::new(Promotion { id: PromotionId(Uuid::nil()), version: 1, name: "a".to_owned(), content })
    }

    #[test]
    fn a_code_is_good_within_the_span_of_its_promotion() {
        let code = |from, until, is_disabled, has_ended| {
            FoundCode { promotion: promotion(from, until), is_disabled, has_ended, used: 0 }
                .status(Timestamp::from_timestamp(100, 0).expect("a time"))
        };
        assert_eq!(code(None, None, false, false), CouponStatus::Usable);
        assert_eq!(code(Some(100), Some(101), false, false), CouponStatus::Usable, "half-open");
        assert_eq!(code(Some(50), Some(100), false, false), CouponStatus::Ended);
        assert_eq!(code(Some(101), None, false, false), CouponStatus::NotYet);
        assert_eq!(code(None, None, true, true), CouponStatus::Disabled);
        assert_eq!(code(Some(101), None, false, true), CouponStatus::Ended);
    }
}
