//! What a preview is asked for.

use crate::{
    problem::Refusal,
    reads::carts::{Draft, PastCarts},
};
use schemas::{
    TimeDelta, Timestamp,
    cart::CartPhase,
    events::promotions::{Effect, PromotionContent},
    problem::{Code, FieldError, Problem},
};
use serde::Deserialize;
use std::sync::Arc;

/// The most carts, and how many are looked at unless it is said.
const MOST_CARTS: u32 = 1_000;
/// How far back carts are looked for unless it is said.
const USUAL_SPAN: TimeDelta = TimeDelta::days(30);
/// All of it, in parts per million.
const WHOLE_PPM: u32 = 1_000_000;
/// The most characters of a name.
const MOST_NAME: usize = 64;

/// A promotion to try, and the carts to try it on.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "name": "spring",
    "promotion": {"title": "10 % off from $ 50", "level": "order", "conditions": {"least_value": [{"amount": 5000, "currency": "USD"}]},
                  "effect": {"kind": "percentage", "rate_ppm": 100_000}},
    "carts": {"from": "2026-05-01T00:00:00Z", "until": "2026-06-01T00:00:00Z", "status": ["open", "checked_out"], "limit": 500},
})))]
pub struct PreviewBody {
    /// What it is to be called; of the promotion that has this name the draft takes the place.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// What it is to be, as `PUT /v1/promotions/{name}` takes it.
    promotion: PromotionContent,
    /// The carts; those of the last 30 days, if absent.
    #[serde(default)]
    carts: PreviewCarts,
    /// The moment at which promotions and prices have to count; now, if absent, or when the draft begins, if that is later.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// Carts by when they were changed last, the newest first.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewCarts {
    /// At this moment or later; 30 days before `until`, if absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this moment; now, if absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// `open`, `locked` or `checked_out`; all three, if absent. Nothing is left of what has expired.
    #[serde(default)]
    status: Option<Vec<CartPhase>>,
    /// How many at most, 1 to 1,000; 1,000, if absent.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// What is asked for, once it was looked at.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) draft: Arc<Draft>,
    pub(super) carts: PastCarts,
    pub(super) at: Timestamp,
}

impl PreviewBody {
    /// With what was left out, at a moment.
    ///
    /// # Errors
    /// What is wrong, by JSON pointer.
    pub(super) fn checked(self, now: Timestamp) -> Result<Asked, Refusal> {
        let mut errors = Vec::new();
        if !is_name(&self.name) {
            let detail = "1 to 64 lower-case ASCII letters and digits with single hyphens between are allowed";
            errors.push(FieldError::new("/name", detail));
        }
        draft_errors(&self.promotion, now, &mut errors);
        let carts = self.carts.checked(now, &mut errors);
        if !errors.is_empty() {
            return Err(Problem::new(Code::ValidationFailed).errors(errors).into());
        }
        let at = self.at.unwrap_or_else(|| self.promotion.from.map_or(now, |from| from.max(now)));
        Ok(Asked { draft: Arc::new(Draft::new(self.name, self.promotion)), carts, at })
    }
}

impl PreviewCarts {
    fn checked(self, now: Timestamp, errors: &mut Vec<FieldError>) -> PastCarts {
        let until = self.until.unwrap_or(now);
        let from = self.from.or_else(|| until.checked_sub_signed(USUAL_SPAN)).unwrap_or(until);
        if from >= until {
            errors.push(FieldError::new("/carts/until", "the span of the carts ends after it begins"));
        }
        let limit = self.limit.unwrap_or(MOST_CARTS);
        if !(1..=MOST_CARTS).contains(&limit) {
            errors.push(FieldError::new("/carts/limit", format!("1 to {MOST_CARTS} carts are looked at")));
        }
        let usual = || vec![CartPhase::Open, CartPhase::Locked, CartPhase::CheckedOut];
        let phases = self.status.unwrap_or_else(usual);
        if phases.is_empty() {
            errors.push(FieldError::new("/carts/status", "one at least is needed; for all, leave it out"));
        }
        let expired = phases.iter().enumerate().filter(|(_, phase)| **phase == CartPhase::Expired);
        errors.extend(expired.map(|(at, _)| {
            FieldError::new(format!("/carts/status/{at}"), "nothing is left of what was in carts that have expired")
        }));
        PastCarts { from, until, phases, limit: usize::try_from(limit).unwrap_or(usize::MAX) }
    }
}

fn is_name(text: &str) -> bool {
    let letters = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let hyphens = text.starts_with('-') || text.ends_with('-') || text.contains("--");
    (1..=MOST_NAME).contains(&text.len()) && letters && !hyphens
}

/// What would make every figure wrong: a span in which it never counts, and rates beyond all of it, which a quote cuts off.
fn draft_errors(draft: &PromotionContent, now: Timestamp, errors: &mut Vec<FieldError>) {
    if draft.from.zip(draft.until).is_some_and(|(from, until)| from >= until) {
        errors.push(FieldError::new("/promotion/until", "a promotion ends after it begins"));
    } else if draft.is_over(now) {
        errors.push(FieldError::new("/promotion/until", "this time is past: the promotion would never count"));
    }
    let mut rate = |pointer: String, rate_ppm: u32| {
        if !(1..=WHOLE_PPM).contains(&rate_ppm) {
            errors.push(FieldError::new(pointer, format!("1 to {WHOLE_PPM} parts per million are allowed")));
        }
    };
    match &draft.effect {
        Effect::Percentage { rate_ppm, .. } | Effect::BuyGet { rate_ppm, .. } => {
            rate("/promotion/effect/rate_ppm".to_owned(), *rate_ppm);
        }
        Effect::Tiers { tiers } => {
            // An answer stays bounded, however many tiers there are.
            for (at, tier) in tiers.iter().enumerate().take(20) {
                rate(format!("/promotion/effect/tiers/{at}/rate_ppm"), tier.rate_ppm);
            }
        }
        Effect::Amount { .. } | Effect::FixedPrice { .. } | Effect::Gift { .. } | Effect::Shipping { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).expect("a time")
    }

    fn body(more: &Value) -> PreviewBody {
        let mut body =
            json!({"name": "spring", "promotion": {"title": "A", "effect": {"kind": "percentage", "rate_ppm": 1}}});
        for (pointer, value) in more.as_object().expect("an object") {
            body[pointer] = value.clone();
        }
        serde_json::from_value(body).expect("a body")
    }

    fn wrong(more: &Value) -> Vec<String> {
        match body(more).checked(at(100)) {
            Ok(_) => Vec::new(),
            Err(refusal) => refusal.0.errors.into_iter().map(|error| error.pointer).collect(),
        }
    }

    #[test]
    fn what_is_left_out_is_thirty_days_of_carts_now() {
        let asked = body(&json!({})).checked(at(10_000_000)).expect("allowed");
        assert_eq!((asked.carts.until, asked.at), (at(10_000_000), at(10_000_000)));
        assert_eq!(asked.carts.until - asked.carts.from, TimeDelta::days(30));
        assert_eq!((asked.carts.limit, asked.carts.phases.len(), asked.draft.assumes_code()), (1_000, 3, false));
    }

    #[test]
    fn a_draft_that_begins_later_is_tried_when_it_begins() {
        let later = json!({"title": "A", "needs_code": true, "from": at(200), "effect": {"kind": "shipping"}});
        let asked = body(&json!({"promotion": later})).checked(at(100)).expect("allowed");
        assert_eq!((asked.at, asked.draft.assumes_code()), (at(200), true));
        let said = body(&json!({"promotion": later, "at": at(150)})).checked(at(100)).expect("allowed");
        assert_eq!(said.at, at(150));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_pointer() {
        let draft = |more: Value| {
            let mut draft = json!({"title": "A", "effect": {"kind": "shipping"}});
            for (name, value) in more.as_object().expect("an object") {
                draft[name] = value.clone();
            }
            wrong(&json!({"promotion": draft}))
        };
        let rate = |ppm: u32| draft(json!({"effect": {"kind": "percentage", "rate_ppm": ppm}}));
        assert_eq!(rate(0), ["/promotion/effect/rate_ppm"]);
        assert_eq!(rate(1_000_001), ["/promotion/effect/rate_ppm"]);
        let tiers = json!({"effect": {"kind": "tiers", "tiers": [{"rate_ppm": 5}, {"rate_ppm": 0}]}});
        assert_eq!(draft(tiers), ["/promotion/effect/tiers/1/rate_ppm"]);
        assert_eq!(draft(json!({"from": at(300), "until": at(300)})), ["/promotion/until"]);
        assert_eq!(draft(json!({"until": at(100)})), ["/promotion/until"]);
        for name in ["", "Spring", "a--b", "-a", &"x".repeat(65)] {
            assert_eq!(wrong(&json!({"name": name})), ["/name"], "{name}");
        }
        for (carts, pointer) in [
            (json!({"limit": 0}), "/carts/limit"),
            (json!({"limit": 1_001}), "/carts/limit"),
            (json!({"from": at(50), "until": at(50)}), "/carts/until"),
            (json!({"status": []}), "/carts/status"),
            (json!({"status": ["open", "expired"]}), "/carts/status/1"),
        ] {
            assert_eq!(wrong(&json!({"carts": carts})), [pointer]);
        }
    }
}
