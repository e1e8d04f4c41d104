//! What merchandising decides.

use crate::domain::{
    Name,
    definition::{Checked, Content, Definition, DefinitionCommand, Missing},
    scenario::Scenario,
};
use schemas::events::MerchandisingEvent;
use schemas::events::merchandising::{
    Experiment, ExperimentArm, FacetDisplay, Rule, RuleAction, RuleCondition, SynonymSet,
};
use std::{collections::BTreeMap, fmt::Debug};

fn synonyms(terms: [&str; 2]) -> SynonymSet {
    SynonymSet::MultiWay { terms: terms.map(str::to_owned).to_vec() }
}

fn rule(url: &str) -> Rule {
    let when = RuleCondition { query: None, category: Some("chairs".into()) };
    Rule { enabled: true, priority: 0, window: None, when, then: vec![RuleAction::Redirect { url: url.into() }] }
}

fn experiment(share: u32) -> Experiment {
    let arm = |name: &str, share| ExperimentArm { name: name.into(), share, ranking: BTreeMap::new() };
    Experiment { enabled: true, window: None, arms: vec![arm("a", share), arm("b", 100 - share)] }
}

fn define<C: Content>(content: &C) -> DefinitionCommand<C> {
    let content = Checked::parse(content.clone()).expect("allowed");
    DefinitionCommand::Define { name: Name::parse("one").expect("a name"), content }
}

/// What holds for every kind, with two contents of it.
fn is_replaced_and_removed<C: Content<Event = MerchandisingEvent> + Debug>(old: &C, new: &C) {
    let defined = |content: &C| C::event("one".into(), Some(content.clone()));
    let removed = || C::event("one".into(), None);
    let given = |events: Vec<MerchandisingEvent>| Scenario::<Definition<C>>::given(events);
    given(vec![]).when(define(old)).then([defined(old)]);
    given(vec![defined(old)]).when(define(old)).then_nothing();
    given(vec![defined(old)]).when(define(new)).then([defined(new)]);
    given(vec![defined(old)]).when(DefinitionCommand::Remove).then([removed()]);
    given(vec![]).when(DefinitionCommand::Remove).then_rejected(Missing);
    given(vec![defined(old), removed()]).when(DefinitionCommand::Remove).then_rejected(Missing);
    given(vec![defined(old), removed()]).when(define(old)).then([defined(old)]);
}

#[test]
fn whatever_is_defined_is_replaced_by_another_and_removed_once() {
    is_replaced_and_removed(&synonyms(["sofa", "couch"]), &synonyms(["sofa", "settee"]));
    is_replaced_and_removed(&rule("/a"), &rule("/b"));
    let display = |category: &str| FacetDisplay { category: Some(category.into()), facets: vec![] };
    is_replaced_and_removed(&display("a"), &display("b"));
    is_replaced_and_removed(&experiment(50), &experiment(10));
}

#[test]
fn an_event_of_another_kind_changes_nothing() {
    let other = Rule::event("one".into(), None);
    Scenario::<Definition<SynonymSet>>::given([other]).when(DefinitionCommand::Remove).then_rejected(Missing);
}
