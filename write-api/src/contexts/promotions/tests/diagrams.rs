//! The states of a promotion, and those of a use of one.

use super::{
    at, content, define,
    usages::{ABORTED, CANCELLED, usage},
};
use crate::{
    contexts::promotions::domain::{CouponUsage, Promotion, PromotionCommand, Stage, UsageCommand},
    domain::diagram::{Diagram, Exploration},
};
use serde_json::json;

pub(in crate::contexts) fn all() -> Vec<Diagram> {
    let promotion = Exploration::<Promotion> {
        title: "Promotion",
        given: vec![],
        commands: vec![
            define(&content(&json!({"until": at(60)})), 0),
            define(&content(&json!({"until": at(60), "title": "20 % off"})), 0),
            PromotionCommand::End,
            PromotionCommand::Expire(at(120)),
        ],
        name: |promotion| Some(if promotion.is_ended { "ended" } else { "defined" }),
        without: &[],
    };
    let usage = Exploration::<CouponUsage> {
        title: "Use of a promotion by a checkout",
        given: vec![],
        commands: vec![UsageCommand::Reserve(usage(1, "A-1", "anna", true)), UsageCommand::Consume, ABORTED, CANCELLED],
        name: |usage| {
            Some(match usage.stage {
                Stage::Reserved => "reserved",
                Stage::Consumed => "consumed",
                Stage::Released => "released",
            })
        },
        without: &[],
    };
    let cancelled = "A cancelled order gives a consumed use back only if the promotion says so.";
    vec![promotion.diagram(), usage.diagram().with_note(cancelled)]
}
