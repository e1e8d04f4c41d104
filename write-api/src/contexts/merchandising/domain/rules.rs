//! Rules of a shop's search, and the rules they keep themselves.

use super::policy::{
    a_category_is_a_slug, a_filter_can_be_read, a_window_opens_before_it_closes,
    an_address_is_absolute_or_from_the_root,
};
use crate::domain::{
    definition::{Content, Words, events_of},
    validation::Findings,
};
use schemas::{
    events::merchandising::{MerchandisingKind, Rule, RuleAction, RuleCondition},
    ids::ProductId,
};
use std::collections::HashSet;

/// The most actions of a rule.
const MAX_ACTIONS: usize = 50;
/// The most characters of a text that is compared or searched for.
const MAX_TEXT: usize = 200;
/// The last place a product can be pinned to.
const MAX_POSITION: u32 = 100;
/// The strongest boost.
const MAX_WEIGHT: f64 = 100.0;
/// The most characters of a banner's text.
const MAX_BANNER_TEXT: usize = 500;

impl Content for Rule {
    const WORDS: Words = Words {
        kind: MerchandisingKind::Rules.as_str(),
        aggregate: MerchandisingKind::Rules.aggregate(),
        define: "define_rule",
        remove: "remove_rule",
    };

    fn check(&self, findings: &mut Findings) {
        a_window_opens_before_it_closes(findings, self.window.as_ref());
        a_rule_says_when(findings, &self.when);
        if !(1..=MAX_ACTIONS).contains(&self.then.len()) {
            findings.add("/then", format!("1 to {MAX_ACTIONS} actions are allowed, {} were given", self.then.len()));
        }
        let actions = &self.then[..self.then.len().min(MAX_ACTIONS)];
        for (index, action) in actions.iter().enumerate() {
            an_action_can_be_carried_out(findings, index, action);
        }
        a_product_is_placed_once(findings, actions);
        a_search_goes_one_way(findings, actions);
    }

    events_of!(MerchandisingEvent in merchandising: RuleDefined, RuleRemoved);
}

fn a_rule_says_when(findings: &mut Findings, when: &RuleCondition) {
    if when.query.is_none() && when.category.is_none() {
        findings.add("/when", "a query, a category or both are needed");
    }
    if let Some(query) = &when.query {
        findings.line(|| "/when/query/text".to_owned(), &query.text, MAX_TEXT);
    }
    a_category_is_a_slug(findings, "/when/category", when.category.as_deref());
}

fn an_action_can_be_carried_out(findings: &mut Findings, index: usize, action: &RuleAction) {
    let at = |name: &str| format!("/then/{index}/{name}");
    match action {
        RuleAction::Pin { position, .. } => {
            if !(1..=MAX_POSITION).contains(position) {
                findings.add(at("position"), format!("1 to {MAX_POSITION} is allowed"));
            }
        }
        RuleAction::Hide { .. } => {}
        RuleAction::Boost { filter, weight } => {
            a_filter_can_be_read(findings, at("filter"), filter);
            // What is not a number is not above 0 either.
            if !(*weight > 0.0 && *weight <= MAX_WEIGHT) {
                findings.add(at("weight"), format!("above 0 and at most {MAX_WEIGHT} is allowed"));
            }
        }
        RuleAction::Rewrite { text } => findings.line(|| at("text"), text, MAX_TEXT),
        RuleAction::Filter { filter } => a_filter_can_be_read(findings, at("filter"), filter),
        RuleAction::Redirect { url } => an_address_is_absolute_or_from_the_root(findings, at("url"), url),
        RuleAction::Banner { id, text, image_url, link_url } => {
            findings.line(|| at("id"), id, 64);
            if let Some(text) = text {
                findings.prose(|| at("text"), text, MAX_BANNER_TEXT);
            }
            for (name, url) in [("image_url", image_url), ("link_url", link_url)] {
                if let Some(url) = url {
                    an_address_is_absolute_or_from_the_root(findings, at(name), url);
                }
            }
        }
    }
}

/// Two products can't stand in one place, and one can't stand in two, or stand somewhere and be hidden.
fn a_product_is_placed_once(findings: &mut Findings, actions: &[RuleAction]) {
    let (mut products, mut positions) = (HashSet::<ProductId>::new(), HashSet::new());
    for (index, action) in actions.iter().enumerate() {
        let (product, position) = match action {
            RuleAction::Pin { product_id, position } => (product_id, Some(position)),
            RuleAction::Hide { product_id } => (product_id, None),
            _ => continue,
        };
        if !products.insert(*product) {
            findings.add(format!("/then/{index}/product_id"), "the rule places or hides this product already");
        }
        if position.is_some_and(|position| !positions.insert(*position)) {
            findings.add(format!("/then/{index}/position"), "the rule has another product in this place");
        }
    }
}

/// A search can be rewritten once, and the shopper sent to one page.
fn a_search_goes_one_way(findings: &mut Findings, actions: &[RuleAction]) {
    let (mut rewritten, mut redirected) = (false, false);
    for (index, action) in actions.iter().enumerate() {
        let before = match action {
            RuleAction::Rewrite { .. } => std::mem::replace(&mut rewritten, true),
            RuleAction::Redirect { .. } => std::mem::replace(&mut redirected, true),
            _ => false,
        };
        if before {
            findings.add(format!("/then/{index}/type"), "the rule does this already; once is allowed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::definition::Checked;
    use schemas::{
        Timestamp, Uuid,
        events::merchandising::{MatchKind, QueryMatch, Window},
    };

    fn product(number: u128) -> ProductId {
        ProductId(Uuid::from_u128(number))
    }

    fn rule(then: Vec<RuleAction>) -> Rule {
        let when = RuleCondition { query: None, category: Some("chairs".into()) };
        Rule { enabled: true, priority: 0, window: None, when, then }
    }

    fn pointers(rule: Rule) -> Vec<String> {
        Checked::parse(rule).expect_err("refused").into_iter().map(|error| error.pointer).collect()
    }

    #[test]
    fn a_rule_of_every_action_is_allowed() {
        let banner = RuleAction::Banner {
            id: "b".into(),
            text: Some("Hi\nthere".into()),
            image_url: None,
            link_url: Some("/x".into()),
        };
        let all = rule(vec![
            RuleAction::Pin { product_id: product(1), position: 1 },
            RuleAction::Pin { product_id: product(2), position: 100 },
            RuleAction::Hide { product_id: product(3) },
            RuleAction::Boost { filter: "brand:Acme".into(), weight: 0.1 },
            RuleAction::Rewrite { text: "garden chairs".into() },
            RuleAction::Filter { filter: "price:..5000 AND available:true".into() },
            RuleAction::Redirect { url: "https://example.org/sale".into() },
            banner,
        ]);
        assert!(Checked::parse(all).is_ok());
    }

    #[test]
    fn conditions_that_break_a_rule_are_pointed_at() {
        let redirect = || vec![RuleAction::Redirect { url: "/sale".into() }];
        let text = |text: &str| Some(QueryMatch { how: MatchKind::Is, text: text.into() });
        for (query, category, pointer) in [
            (None, None, "/when"),
            (text(""), None, "/when/query/text"),
            (text(&"x".repeat(201)), None, "/when/query/text"),
            (None, Some("Chairs"), "/when/category"),
        ] {
            let when = RuleCondition { query, category: category.map(str::to_owned) };
            assert_eq!(pointers(Rule { when, ..rule(redirect()) }), [pointer]);
        }
        let at = Timestamp::from_timestamp(5, 0);
        let closed = Rule { window: Some(Window { from: at, until: at }), ..rule(redirect()) };
        assert_eq!(pointers(closed), ["/window/until"]);
    }

    #[test]
    fn actions_that_break_a_rule_are_pointed_at() {
        let pin = |number, position| RuleAction::Pin { product_id: product(number), position };
        let boost = |weight| RuleAction::Boost { filter: "brand:a".into(), weight };
        let rewrite = || RuleAction::Rewrite { text: "x".into() };
        for (then, pointer) in [
            (vec![], "/then"),
            (vec![rewrite(), rewrite()], "/then/1/type"),
            (vec![pin(1, 0)], "/then/0/position"),
            (vec![pin(1, 101)], "/then/0/position"),
            (vec![pin(1, 1), pin(2, 1)], "/then/1/position"),
            (vec![pin(1, 1), pin(1, 2)], "/then/1/product_id"),
            (vec![pin(1, 1), RuleAction::Hide { product_id: product(1) }], "/then/1/product_id"),
            (vec![boost(0.0)], "/then/0/weight"),
            (vec![boost(100.5)], "/then/0/weight"),
            (vec![boost(f64::NAN)], "/then/0/weight"),
            (vec![RuleAction::Filter { filter: "colour:red".into() }], "/then/0/filter"),
            (vec![RuleAction::Redirect { url: "//evil".into() }], "/then/0/url"),
        ] {
            assert_eq!(pointers(rule(then)), [pointer]);
        }
        let many = (1..=51).map(|number| RuleAction::Hide { product_id: product(number) }).collect();
        assert_eq!(pointers(rule(many)), ["/then"]);
    }
}
