//! Uses by checkouts, and the counters that they move.

use super::{ID, content};
use crate::{
    contexts::promotions::domain::{
        CouponUsage, Promotion, Stage, UsageCommand,
        counting::{self, Counted, Counter},
        usage::UsageRejection,
    },
    domain::{Aggregate, scenario::Scenario},
};
use proptest::prelude::*;
use schemas::{
    Uuid,
    events::{
        PromotionsEvent,
        promotions::{CouponConsumed, CouponReleased, CouponReserved, CouponUse, PromotionCreated},
    },
};
use serde_json::json;
use std::collections::BTreeMap;

pub(super) fn usage(checkout: u128, code: &str, customer: &str, is_given_back: bool) -> CouponUse {
    CouponUse {
        promotion_id: ID,
        promotion: "spring".to_owned(),
        checkout_id: Uuid::from_u128(checkout),
        code: Some(code.to_owned()),
        customer: customer.to_owned(),
        is_first_order: false,
        is_given_back,
    }
}

fn reserved(usage: &CouponUse) -> PromotionsEvent {
    PromotionsEvent::CouponReserved(CouponReserved { usage: usage.clone() })
}

fn consumed(usage: &CouponUse) -> PromotionsEvent {
    PromotionsEvent::CouponConsumed(CouponConsumed { usage: usage.clone() })
}

fn released(usage: &CouponUse, was_consumed: bool) -> PromotionsEvent {
    PromotionsEvent::CouponReleased(CouponReleased { usage: usage.clone(), was_consumed })
}

pub(super) const ABORTED: UsageCommand = UsageCommand::Release { is_cancelled: false };
pub(super) const CANCELLED: UsageCommand = UsageCommand::Release { is_cancelled: true };

#[test]
fn a_use_is_reserved_once_and_then_consumed_or_released_once() {
    let (kept, back) = (usage(1, "A-1", "anna", false), usage(1, "A-1", "anna", true));
    let given = |events: Vec<PromotionsEvent>| Scenario::<CouponUsage>::given(events);
    let reserve = || UsageCommand::Reserve(kept.clone());
    given(vec![]).when(reserve()).then([reserved(&kept)]);
    given(vec![reserved(&kept)]).when(reserve()).then_nothing();
    given(vec![reserved(&kept), consumed(&kept)]).when(reserve()).then_nothing();
    given(vec![reserved(&kept)]).when(UsageCommand::Consume).then([consumed(&kept)]);
    given(vec![reserved(&kept), consumed(&kept)]).when(UsageCommand::Consume).then_nothing();
    given(vec![reserved(&kept)]).when(ABORTED).then([released(&kept, false)]);
    given(vec![reserved(&kept), released(&kept, false)]).when(ABORTED).then_nothing();
    for late in [UsageCommand::Consume, reserve()] {
        given(vec![reserved(&kept), released(&kept, false)]).when(late).then_rejected(UsageRejection::Released);
    }
    for early in [UsageCommand::Consume, ABORTED, CANCELLED] {
        given(vec![]).when(early).then_rejected(UsageRejection::Missing);
    }
    // Only a cancelled order gives back, and only what the promotion lets be given back.
    given(vec![reserved(&kept), consumed(&kept)]).when(ABORTED).then_rejected(UsageRejection::Consumed);
    given(vec![reserved(&kept), consumed(&kept)]).when(CANCELLED).then_nothing();
    given(vec![reserved(&back), consumed(&back)]).when(CANCELLED).then([released(&back, true)]);
    given(vec![reserved(&back), consumed(&back), released(&back, true)]).when(CANCELLED).then_nothing();
}

/// What somebody does to a checkout.
#[derive(Debug, Clone, Copy)]
enum Step {
    Reserve,
    Consume,
    Abort,
    Cancel,
}

fn steps() -> impl Strategy<Value = Vec<(u128, Step)>> {
    let step = prop_oneof![
        4 => Just(Step::Reserve), 2 => Just(Step::Consume), 2 => Just(Step::Abort), 1 => Just(Step::Cancel)
    ];
    prop::collection::vec((0_u128..12, step), 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_comes_no_more_is_used_than_may_be(
        steps in steps(), in_all in 1_u32..5, by_customer in 1_u32..3, by_code in 1_u32..3, is_given_back in any::<bool>(),
    ) {
        let limits = json!({"in_all": in_all, "by_customer": by_customer, "by_code": by_code});
        let content = content(&json!({"needs_code": true, "limits": limits, "is_given_back": is_given_back}));
        let event = PromotionCreated { promotion_id: ID, name: "spring".to_owned(), content: Box::new(content) };
        let promotion = Promotion::apply(None, &PromotionsEvent::Created(event)).expect("a promotion");
        let promotions = BTreeMap::from([(ID, promotion)]);
        let mut usages = BTreeMap::<u128, CouponUsage>::new();
        let mut counters = BTreeMap::<Counter, Counted>::new();
        for (checkout, step) in steps {
            let (code, customer) = (format!("CODE-{}", checkout % 3), format!("customer-{}", checkout % 4));
            let command = match step {
                Step::Reserve => UsageCommand::Reserve(usage(checkout, &code, &customer, is_given_back)),
                Step::Consume => UsageCommand::Consume,
                Step::Abort => ABORTED,
                Step::Cancel => CANCELLED,
            };
            let Ok(events) = CouponUsage::decide(usages.get(&checkout), command) else { continue };
            let moves = counting::moves(&promotions, &events);
            let moved: Option<Vec<_>> = moves
                .iter()
                .map(|(counter, moved)| {
                    let before = counters.get(counter).copied().unwrap_or_default();
                    Some((counter.clone(), before.after(*moved)?))
                })
                .collect();
            // One that has not enough left rolls all of it back.
            let Some(moved) = moved else { continue };
            counters.extend(moved);
            if let Some(state) = events.iter().fold(usages.remove(&checkout), CouponUsage::apply) {
                usages.insert(checkout, state);
            }
            let open = |stage: Stage| usages.values().filter(|usage| usage.stage == stage).count();
            for (counter, counted) in &counters {
                let most = counter.counts.limit(&promotions[&ID].content.limits).expect("limited");
                prop_assert!(counted.reserved >= 0 && counted.consumed >= 0, "{counter:?} {counted:?}");
                prop_assert!(counted.reserved + counted.consumed <= most, "{counter:?} {counted:?}");
                if counter.key.is_empty() {
                    prop_assert_eq!(counted.reserved, i64::try_from(open(Stage::Reserved)).expect("few"));
                    prop_assert_eq!(counted.consumed, i64::try_from(open(Stage::Consumed)).expect("few"));
                }
            }
        }
    }
}
