//! Which promotions may count for a cart, as the write side knows it: for whoever freezes a price.

use crate::{
    contexts::promotions::{
        domain::{
            Code, Promotion,
            counting::{Counter, Counts},
        },
        table::{codes, counters, first_orders, lookup},
    },
    pipeline::{Failure, Scope},
};
use schemas::{Timestamp, events::promotions::PromotionContent, ids::PromotionId};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// How often something was used, counting what is reserved; 0 where nothing is limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) in_all: i64,
    pub(crate) by_code: i64,
    pub(crate) by_customer: i64,
}

/// Where something was used as often as it may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Exhausted {
    pub(crate) in_all: bool,
    pub(crate) by_code: bool,
    pub(crate) by_customer: bool,
}

impl Exhausted {
    pub(crate) const fn is_any(self) -> bool {
        self.in_all || self.by_code || self.by_customer
    }
}

/// A promotion whose span it is. Whether it does say its conditions, which are not looked at here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActivePromotion {
    pub(crate) id: PromotionId,
    pub(crate) version: u64,
    pub(crate) name: String,
    pub(crate) content: PromotionContent,
    /// The code by which it counts, in capitals; none of an automatic one.
    pub(crate) code: Option<String>,
    pub(crate) used: Used,
    pub(crate) exhausted: Exhausted,
}

/// Why a code can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhyNot {
    /// No promotion of the shop has it.
    Unknown,
    /// The promotion counts later.
    NotYet,
    /// The promotion counts no longer.
    Ended,
    /// Promotion, code or customer has been used as often as may be.
    Exhausted,
    /// Staff have disabled it.
    Disabled,
}

/// A code that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefusedCode {
    /// In capitals.
    pub(crate) code: String,
    pub(crate) why: WhyNot,
}

/// Promotions that may count for a cart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Active {
    /// Automatic ones, then those of codes; of two codes of one promotion, both. What is used up is here, too, and says so.
    pub(crate) promotions: Vec<ActivePromotion>,
    /// Codes that can't be used, those included whose promotion is used up.
    pub(crate) refused: Vec<RefusedCode>,
    /// Whether an order or open checkout of the customer is the first already.
    pub(crate) has_first_order: bool,
}

/// The automatic promotions whose span it is, those of the codes, and why a code can't be used.
pub(crate) async fn active(
    conn: &mut PgConnection,
    scope: &Scope,
    given: &[String],
    customer: Option<&str>,
) -> Result<Active, Failure> {
    let (mut parsed, mut refused) = (Vec::new(), Vec::new());
    for text in given {
        match Code::parse(text) {
            Ok(code) if parsed.contains(&code) => {}
            Ok(code) => parsed.push(code),
            // What no code looks like is no code.
            Err(_) => refused.push(RefusedCode { code: text.to_ascii_uppercase(), why: WhyNot::Unknown }),
        }
    }
    let texts: Vec<&str> = parsed.iter().map(Code::as_str).collect();
    let known = codes::find(conn, scope.tenant, &texts).await?;
    let named: BTreeSet<PromotionId> = known.values().map(|code| code.promotion_id).collect();
    let of_codes = lookup::by_id(conn, scope.tenant, &named).await?;
    let mut candidates = Vec::new();
    for (id, (version, promotion)) in lookup::automatic(conn, scope.tenant).await? {
        if span(&promotion, scope.now).is_none() {
            candidates.push(candidate(id, version, promotion, None));
        }
    }
    for code in &parsed {
        let found = known.get(code.as_str()).and_then(|known| Some((known, of_codes.get(&known.promotion_id)?)));
        let why = match &found {
            None => Some(WhyNot::Unknown),
            Some((known, _)) if known.is_disabled => Some(WhyNot::Disabled),
            Some((_, (_, promotion))) => span(promotion, scope.now),
        };
        match (why, found) {
            (None, Some((known, (version, promotion)))) => {
                let code = Some(code.as_str().to_owned());
                candidates.push(candidate(known.promotion_id, *version, promotion.clone(), code));
            }
            (why, _) => {
                let code = code.as_str().to_owned();
                refused.push(RefusedCode { code, why: why.unwrap_or(WhyNot::Unknown) });
            }
        }
    }
    let has_first_order = match customer {
        Some(customer) => first_orders::is_taken(conn, scope.tenant, customer).await?,
        None => false,
    };
    let mut active = Active { promotions: Vec::new(), refused, has_first_order };
    count(conn, scope, candidates, customer, &mut active).await?;
    Ok(active)
}

/// Why a promotion does not count at a moment.
fn span(promotion: &Promotion, now: Timestamp) -> Option<WhyNot> {
    if promotion.is_ended || promotion.content.is_over(now) {
        return Some(WhyNot::Ended);
    }
    (!promotion.content.has_begun(now)).then_some(WhyNot::NotYet)
}

fn candidate(id: PromotionId, version: u64, promotion: Promotion, code: Option<String>) -> ActivePromotion {
    let (used, exhausted) = (Used::default(), Exhausted::default());
    ActivePromotion { id, version, name: promotion.name, content: promotion.content, code, used, exhausted }
}

/// The counters of a promotion, each with its limit.
fn limited(promotion: &ActivePromotion, customer: Option<&str>) -> Vec<(Counter, i64)> {
    let key = |counts: Counts| match counts {
        Counts::All => Some(String::new()),
        Counts::Code => promotion.code.clone(),
        Counts::Customer => customer.map(str::to_owned),
    };
    let of = |counts: Counts| {
        let (key, most) = key(counts).zip(counts.limit(&promotion.content.limits))?;
        Some((Counter { promotion_id: promotion.id, counts, key }, most))
    };
    Counts::ALL.into_iter().filter_map(of).collect()
}

/// Counts their uses, and takes them in.
async fn count(
    conn: &mut PgConnection,
    scope: &Scope,
    candidates: Vec<ActivePromotion>,
    customer: Option<&str>,
    active: &mut Active,
) -> Result<(), Failure> {
    let asked: BTreeSet<Counter> =
        candidates.iter().flat_map(|candidate| limited(candidate, customer)).map(|(counter, _)| counter).collect();
    let used: BTreeMap<Counter, i64> = counters::used(conn, scope.tenant, &asked).await?;
    for mut promotion in candidates {
        for (counter, most) in limited(&promotion, customer) {
            let count = used.get(&counter).copied().unwrap_or_default();
            let (used, exhausted) = (&mut promotion.used, &mut promotion.exhausted);
            let (used, is_exhausted) = match counter.counts {
                Counts::All => (&mut used.in_all, &mut exhausted.in_all),
                Counts::Code => (&mut used.by_code, &mut exhausted.by_code),
                Counts::Customer => (&mut used.by_customer, &mut exhausted.by_customer),
            };
            (*used, *is_exhausted) = (count, count >= most);
        }
        if let Some(code) = promotion.code.clone().filter(|_| promotion.exhausted.is_any()) {
            active.refused.push(RefusedCode { code, why: WhyNot::Exhausted });
        }
        active.promotions.push(promotion);
    }
    Ok(())
}
