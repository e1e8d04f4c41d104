//! What did not count, in words: the second half of step 13.

use crate::{
    eligibility::{Candidate, codes_of},
    explanation::shown,
    facts::{CodeFact, Facts, PromotionFact},
    reason::Reason,
    zone::Taxation,
};
use schemas::{
    money::Currency,
    quote::{Notice, NoticeCode, Totals},
};

/// A promotion that does not count.
pub(crate) fn of_promotion(facts: &Facts, name: &str, fact: &PromotionFact, reason: &Reason) -> Notice {
    let coupon = codes_of(facts, name).next().map(str::to_owned);
    let is_for_staff = coupon.is_none() && !reason.is_for_everybody();
    let words = format!("{}: {}.", fact.promotion.value.title, words(reason, facts.currency));
    Notice { promotion: Some(name.to_owned()), coupon, is_for_staff, ..Notice::new(reason.code(), words) }
}

/// The same for one that was a candidate.
pub(crate) fn of_candidate(facts: &Facts, candidate: &Candidate<'_>, reason: &Reason) -> Option<Notice> {
    let fact = facts.promotions.get(candidate.name)?;
    Some(of_promotion(facts, candidate.name, fact, reason))
}

fn words(reason: &Reason, currency: Currency) -> String {
    match reason {
        Reason::NeedsCode => "it counts only with a code".to_owned(),
        Reason::CodesExhausted => "the code was used as often as it may be".to_owned(),
        Reason::NotStarted { from } => format!("it counts from {} on", moment(*from)),
        Reason::Over { until } => format!("it counted until {}", moment(*until)),
        Reason::ExhaustedInAll => "it was used as often as it may be".to_owned(),
        Reason::ExhaustedForCustomer => "you have used it as often as one may".to_owned(),
        Reason::OtherCurrency => format!("it does not count in {currency}"),
        Reason::OtherChannel => "it does not count here".to_owned(),
        Reason::OtherCustomers => "it is for other customers".to_owned(),
        Reason::FirstOrderOnly => "it is for the first order of a customer who has signed in".to_owned(),
        Reason::ValueTooLow { least, value } => {
            format!("it counts from {} of goods on, and there are {}", shown(*least, currency), shown(*value, currency))
        }
        Reason::TooFewPieces { least, pieces } => format!("it counts from {least} pieces on, and there are {pieces}"),
        Reason::TakesNothingOff => "the cart has nothing that it makes cheaper".to_owned(),
        Reason::Outdone { by } => format!("{by} counts instead"),
        Reason::GiftSoldOut { gift } => format!("{gift} can't be had any more"),
    }
}

fn moment(at: schemas::Timestamp) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Codes that lead to no promotion.
pub(crate) fn of_codes(facts: &Facts) -> impl Iterator<Item = Notice> {
    facts.codes.iter().filter_map(|(code, fact)| {
        let (reason, words) = match fact {
            CodeFact::Promotion(name) if facts.promotions.contains_key(name) => return None,
            CodeFact::Promotion(_) | CodeFact::Unknown => {
                (NoticeCode::CodeUnknown, "There is no such code.".to_owned())
            }
            CodeFact::Unusable(words) => (NoticeCode::CodeUnusable, words.clone()),
        };
        Some(Notice { coupon: Some(code.clone()), ..Notice::new(reason, words) })
    })
}

/// What keeps the whole cart from being ordered. The outer none is a number that is too large.
#[expect(clippy::option_option, reason = "a number that is too large and an order that is large enough are told apart")]
pub(crate) fn of_order(
    facts: &Facts,
    taxes: &Taxation<'_>,
    goods: &[(i128, &str)],
    totals: &Totals,
) -> Option<Option<Notice>> {
    if goods.is_empty() {
        return Some(Some(Notice::new(
            NoticeCode::NothingToOrder,
            "The cart has nothing that can be ordered.".to_owned(),
        )));
    }
    let mut least_orders = facts.policy.value.least_order.iter();
    let Some(least) = least_orders.find(|money| money.currency == facts.currency) else { return Some(None) };
    let least = taxes.stated_on(least.amount, goods)?;
    let value = i128::from(totals.goods) - i128::from(totals.discount);
    let words = || {
        let (least, value) = (shown(least, facts.currency), shown(value, facts.currency));
        format!("Orders are taken from {least} of goods on, and there are {value}.")
    };
    Some((value < least).then(|| Notice::new(NoticeCode::LeastOrderNotReached, words())))
}
