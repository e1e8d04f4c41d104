//! What a promotion may be.

mod effect;
mod selection;

use crate::domain::validation::Findings;
use schemas::{
    Timestamp,
    events::promotions::{Conditions, PromotionContent, Stacking, UsageLimits},
    money::Money,
    problem::FieldError,
};
use std::collections::BTreeSet;

/// The most characters of a title.
const MOST_TITLE: usize = 200;
/// Lines of one amount, by currency.
const MOST_CURRENCIES: usize = 50;
/// The largest sum in minor units: what a cart may cost is far below.
const MOST_AMOUNT: i64 = 1_000_000_000_000;
/// Groups of customers, and channels, that a promotion names.
const MOST_NAMES: usize = 50;
/// The most pieces that a condition asks for.
const MOST_QUANTITY: u32 = 1_000_000;

/// A content that keeps every rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked(PromotionContent);

impl Checked {
    /// Reads a content as it was given at a moment.
    ///
    /// # Errors
    /// What is wrong, by JSON pointer.
    pub(crate) fn parse(content: PromotionContent, now: Timestamp) -> Result<Self, Vec<FieldError>> {
        let mut findings = Findings::default();
        findings.line(|| "/title".to_owned(), &content.title, MOST_TITLE);
        a_span_begins_before_it_ends_and_ends_later(&mut findings, &content, now);
        conditions(&mut findings, &content.conditions);
        selection::check(&mut findings, "/target", &content.target);
        effect::check(&mut findings, &content.effect);
        effect::fits_level_and_target(&mut findings, &content);
        stacking(&mut findings, &content.stacking);
        limits(&mut findings, &content.limits, content.needs_code);
        findings.done()?;
        Ok(Self(content))
    }

    pub(crate) const fn content(&self) -> &PromotionContent {
        &self.0
    }

    pub(crate) fn into_content(self) -> PromotionContent {
        self.0
    }
}

fn a_span_begins_before_it_ends_and_ends_later(findings: &mut Findings, content: &PromotionContent, now: Timestamp) {
    if content.from.zip(content.until).is_some_and(|(from, until)| from >= until) {
        findings.add("/until", "a promotion ends after it begins");
    } else if content.is_over(now) {
        findings.add("/until", "this time is past: the promotion would never count");
    }
}

fn conditions(findings: &mut Findings, conditions: &Conditions) {
    selection::check(findings, "/conditions/goods", &conditions.goods);
    sums(findings, "/conditions/least_value", &conditions.least_value);
    if conditions.least_quantity > MOST_QUANTITY {
        findings.add("/conditions/least_quantity", format!("at most {MOST_QUANTITY} pieces are allowed"));
    }
    for (name, names) in [("groups", &conditions.groups), ("channels", &conditions.channels)] {
        selection::texts(findings, &format!("/conditions/{name}"), names, MOST_NAMES);
    }
}

/// Sums above zero, each currency once.
fn sums(findings: &mut Findings, pointer: &str, sums: &[Money]) {
    findings.count(pointer, sums.len(), MOST_CURRENCIES);
    let mut seen = BTreeSet::new();
    for (at, sum) in sums.iter().enumerate() {
        if !(1..=MOST_AMOUNT).contains(&sum.amount) {
            let detail = format!("1 to {MOST_AMOUNT} minor units are allowed");
            findings.add(format!("{pointer}/{at}/amount"), detail);
        }
        if !seen.insert(sum.currency) {
            findings.add(format!("{pointer}/{at}/currency"), "each currency stands once");
        }
    }
}

fn stacking(findings: &mut Findings, stacking: &Stacking) {
    if let Some(group) = &stacking.group {
        findings.line(|| "/stacking/group".to_owned(), group, selection::MOST_TEXT);
        if stacking.is_exclusive {
            findings.add("/stacking/group", "a promotion that counts alone is in no group");
        }
    }
}

fn limits(findings: &mut Findings, limits: &UsageLimits, needs_code: bool) {
    for (name, limit) in [("in_all", limits.in_all), ("by_customer", limits.by_customer), ("by_code", limits.by_code)] {
        if limit == Some(0) {
            findings.add(format!("/limits/{name}"), "a limit is 1 at least; without one, leave it out");
        }
    }
    if limits.by_code.is_some() && !needs_code {
        findings.add("/limits/by_code", "only a promotion with `needs_code` is used by codes");
    }
}
