//! What promotions decide.

mod codes;
mod contents;
mod database;
pub(in crate::contexts) mod diagrams;
mod usages;

use super::domain::{Checked, Promotion, PromotionCommand, promotion::PromotionRejection};
use crate::domain::{Name, scenario::Scenario};
use schemas::{
    Timestamp, Uuid,
    events::{
        PromotionsEvent,
        promotions::{PromotionChanged, PromotionContent, PromotionCreated, PromotionEnd, PromotionEnded},
    },
    ids::PromotionId,
};
use serde_json::{Value, json};

const ID: PromotionId = PromotionId(Uuid::from_u128(7));

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000 + seconds, 0).expect("a time")
}

/// A promotion as staff send it, with these fields besides.
fn content(more: &Value) -> PromotionContent {
    let mut body = json!({"title": "10 % off", "effect": {"kind": "percentage", "rate_ppm": 100_000}});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    serde_json::from_value(body).expect("a content")
}

fn define(content: &PromotionContent, open: i64) -> PromotionCommand {
    let content = Box::new(Checked::parse(content.clone(), at(0)).expect("allowed"));
    PromotionCommand::Define { promotion_id: ID, name: Name::parse("spring").expect("a name"), content, open }
}

fn created(content: &PromotionContent) -> PromotionsEvent {
    let (name, content) = ("spring".to_owned(), Box::new(content.clone()));
    PromotionsEvent::Created(PromotionCreated { promotion_id: ID, name, content })
}

fn changed(content: &PromotionContent) -> PromotionsEvent {
    let (name, content) = ("spring".to_owned(), Box::new(content.clone()));
    PromotionsEvent::Changed(PromotionChanged { promotion_id: ID, name, content })
}

fn ended(reason: PromotionEnd) -> PromotionsEvent {
    PromotionsEvent::Ended(PromotionEnded { promotion_id: ID, name: "spring".to_owned(), reason })
}

#[test]
fn a_promotion_is_defined_made_another_ended_and_begun_again() {
    let (old, new) = (content(&json!({})), content(&json!({"title": "20 % off"})));
    let given = |events: Vec<PromotionsEvent>| Scenario::<Promotion>::given(events);
    given(vec![]).when(define(&old, 0)).then([created(&old)]);
    given(vec![created(&old)]).when(define(&old, 1)).then_nothing();
    given(vec![created(&old)]).when(define(&new, 1)).then([changed(&new)]);
    given(vec![]).when(PromotionCommand::End).then_rejected(PromotionRejection::Missing);
    given(vec![created(&old)]).when(PromotionCommand::End).then([ended(PromotionEnd::Staff)]);
    let over = || vec![created(&old), ended(PromotionEnd::Staff)];
    given(over()).when(PromotionCommand::End).then_nothing();
    given(over()).when(define(&old, 0)).then([changed(&old)]);
    given([over(), vec![changed(&old)]].concat()).when(define(&old, 1)).then_nothing();
}

#[test]
fn a_shop_has_a_thousand_promotions_that_have_not_ended() {
    let (old, new) = (content(&json!({})), content(&json!({"title": "20 % off"})));
    let given = |events: Vec<PromotionsEvent>| Scenario::<Promotion>::given(events);
    given(vec![]).when(define(&old, 999)).then([created(&old)]);
    given(vec![]).when(define(&old, 1_000)).then_rejected(PromotionRejection::TooMany);
    given(vec![created(&old)]).when(define(&new, 1_000)).then([changed(&new)]);
    let over = vec![created(&old), ended(PromotionEnd::Staff)];
    given(over).when(define(&new, 1_000)).then_rejected(PromotionRejection::TooMany);
}

#[test]
fn a_promotion_ends_by_itself_at_the_end_of_its_span() {
    let until = content(&json!({"until": at(60)}));
    let given = |events: Vec<PromotionsEvent>| Scenario::<Promotion>::given(events);
    given(vec![created(&until)]).when(PromotionCommand::Expire(at(59))).then_nothing();
    given(vec![created(&until)]).when(PromotionCommand::Expire(at(60))).then([ended(PromotionEnd::SpanOver)]);
    given(vec![created(&until), ended(PromotionEnd::Staff)]).when(PromotionCommand::Expire(at(60))).then_nothing();
    given(vec![created(&content(&json!({})))]).when(PromotionCommand::Expire(at(60))).then_nothing();
    given(vec![]).when(PromotionCommand::Expire(at(60))).then_nothing();
    // Staff have prolonged it meanwhile.
    let longer = content(&json!({"until": at(120)}));
    given(vec![created(&until), changed(&longer)]).when(PromotionCommand::Expire(at(60))).then_nothing();
}
