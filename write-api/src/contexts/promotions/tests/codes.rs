//! Codes: what one looks like, how new ones are drawn, and which events tell of them.

use super::ID;
use crate::{
    contexts::promotions::domain::{
        Code, CodeList, CodeListCommand, Recipe,
        code::{CODES_OF_AN_EVENT, MOST_CODES},
        code_list::{CodeChange, CodeListRejection},
    },
    domain::{Aggregate, scenario::Scenario},
};
use proptest::prelude::*;
use schemas::{
    Uuid,
    events::{
        PromotionsEvent,
        promotions::{CodeDisabled, CodesAdded},
    },
    sizes::MAX_EVENT_BYTES,
};
use std::collections::BTreeSet;

fn code(text: &str) -> Code {
    Code::parse(text).expect("a code")
}

fn command(change: CodeChange) -> CodeListCommand {
    CodeListCommand { promotion_id: ID, promotion: "spring".to_owned(), change }
}

#[test]
fn codes_are_read_in_capitals() {
    assert_eq!(code("welcome-10").as_str(), "WELCOME-10");
    for good in ["A_1", "000", &"x".repeat(64)] {
        assert!(Code::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "AB", "A B", "ÄÖÜ", "A/B", "ß23", &"x".repeat(65)] {
        assert!(Code::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn what_is_asked_for_can_not_be_guessed() {
    let wrong = |count, prefix: &str, length| {
        let errors = Recipe::parse(count, prefix, length).expect_err("refused");
        errors.into_iter().map(|error| error.pointer).collect::<Vec<_>>()
    };
    assert!(Recipe::parse(100_000, "spring-", Recipe::USUAL_LENGTH).is_ok());
    assert!(Recipe::parse(100, "", 6).is_ok());
    assert_eq!(wrong(0, "", 10), ["/count"]);
    assert_eq!(wrong(100_001, "", 10), ["/count"]);
    assert_eq!(wrong(1, "a b", 10), ["/prefix"]);
    assert_eq!(wrong(1, &"x".repeat(25), 10), ["/prefix"]);
    assert_eq!(wrong(1, "", 5), ["/length"]);
    assert_eq!(wrong(1, "", 33), ["/length"]);
    assert_eq!(wrong(100_000, "", 6), ["/length"], "one in 2,000 guesses");
}

#[test]
fn a_hundred_thousand_codes_are_told_in_events_that_can_be_sent() {
    let longest = |number: u32| code(&format!("{number:064}"));
    let codes: Vec<Code> = (0..100_000).map(longest).collect();
    let change = CodeChange::Generate(Uuid::nil(), codes.clone());
    let events = CodeList::decide(None, command(change)).expect("decided");
    assert_eq!(events.len(), 20);
    let mut told = Vec::new();
    for (part, event) in (1..).zip(&events) {
        assert!(event.to_json().expect("JSON").len() < MAX_EVENT_BYTES / 2);
        let PromotionsEvent::CodesGenerated(generated) = event else { unreachable!("{event:?}") };
        assert_eq!((generated.part, generated.parts, generated.codes.len()), (part, 20, CODES_OF_AN_EVENT));
        told.extend(generated.codes.iter().map(|text| code(text)));
    }
    assert!(told == codes);
    let list = events.iter().fold(None, CodeList::apply).expect("a list");
    assert_eq!(list, CodeList { codes: 100_000, disabled: 0 });
}

#[test]
fn a_promotion_has_a_million_codes_at_most() {
    let added = |codes: usize| {
        let codes = (0..codes).map(|number| format!("C{number}")).collect();
        PromotionsEvent::CodesAdded(CodesAdded { promotion_id: ID, promotion: "spring".to_owned(), codes })
    };
    let disabled = PromotionsEvent::CodeDisabled(CodeDisabled {
        promotion_id: ID,
        promotion: "spring".to_owned(),
        code: "C-1".to_owned(),
    });
    Scenario::<CodeList>::given([added(5)]).when(command(CodeChange::Disable(code("C-1")))).then([disabled]);
    let full = usize::try_from(MOST_CODES).expect("small");
    let one = CodeChange::Add(vec![code("ONE")]);
    Scenario::<CodeList>::given([added(full)])
        .when(command(one))
        .then_rejected(CodeListRejection::TooMany(MOST_CODES + 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_chance_gives_a_code_is_drawn_of_it(seed in any::<u64>(), prefix in "[a-z0-9_-]{0,24}", length in 6_u32..=32) {
        let recipe = Recipe::parse(1, &prefix, length).expect("allowed");
        let mut turn = seed;
        let mut chance = || {
            // Bytes of a simple generator; some are too large to be used.
            std::array::from_fn(|_| {
                turn = turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                turn.to_be_bytes()[0]
            })
        };
        let drawn: Vec<Code> = (0..50).map(|_| recipe.draw(&mut chance)).collect();
        for code in &drawn {
            prop_assert_eq!(Code::parse(code.as_str()), Ok(code.clone()));
            prop_assert_eq!(code.as_str().len(), prefix.len() + usize::try_from(length).expect("small"));
            let letters = &code.as_str()[prefix.len()..];
            prop_assert!(!letters.contains(['0', 'O', '1', 'I', 'L', '2', 'Z', '5', 'S', '8', 'B', '6']));
        }
        prop_assert!(drawn.iter().collect::<BTreeSet<_>>().len() > 40);
    }
}
