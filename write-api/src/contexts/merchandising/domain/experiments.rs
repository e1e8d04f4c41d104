//! Experiments with ranking, and the rules they keep.

use super::policy::a_window_opens_before_it_closes;
use crate::domain::{
    Name,
    definition::{Content, Words, events_of},
    validation::{Findings, pointer_token},
};
use schemas::events::merchandising::{Experiment, ExperimentArm, MerchandisingKind};
use std::collections::HashSet;

/// How many arms an experiment has.
const ARMS: std::ops::RangeInclusive<usize> = 2..=5;
/// The most settings of an arm.
const MAX_SETTINGS: usize = 100;
/// The most characters of a setting's name.
const MAX_SETTING_CHARS: usize = 64;

impl Content for Experiment {
    const WORDS: Words = Words {
        kind: MerchandisingKind::Experiments.as_str(),
        aggregate: MerchandisingKind::Experiments.aggregate(),
        define: "define_experiment",
        remove: "remove_experiment",
    };

    fn check(&self, findings: &mut Findings) {
        a_window_opens_before_it_closes(findings, self.window.as_ref());
        if !ARMS.contains(&self.arms.len()) {
            let (least, most) = (ARMS.start(), ARMS.end());
            findings.add("/arms", format!("{least} to {most} arms are allowed, {} were given", self.arms.len()));
        }
        shares_make_a_hundred(findings, &self.arms);
        let mut names = HashSet::new();
        for (index, arm) in self.arms.iter().enumerate().take(*ARMS.end()) {
            if let Err(reason) = Name::parse(&arm.name) {
                findings.add(format!("/arms/{index}/name"), reason);
            }
            if !names.insert(arm.name.as_str()) {
                findings.add(format!("/arms/{index}/name"), "another arm has this name");
            }
            settings_have_names_of_settings(findings, index, arm);
        }
    }

    events_of!(MerchandisingEvent in merchandising: ExperimentDefined, ExperimentRemoved);
}

fn shares_make_a_hundred(findings: &mut Findings, arms: &[ExperimentArm]) {
    // As many as can be, each as large as can be, stay below what u64 holds.
    let sum: u64 = arms.iter().map(|arm| u64::from(arm.share)).sum();
    if sum != 100 {
        findings.add("/arms", format!("the shares of all arms make 100, these make {sum}"));
    }
}

/// Which settings there are is known where they are applied; here they only have to look like one.
fn settings_have_names_of_settings(findings: &mut Findings, index: usize, arm: &ExperimentArm) {
    let base = format!("/arms/{index}/ranking");
    findings.count(&base, arm.ranking.len(), MAX_SETTINGS);
    for (name, value) in arm.ranking.iter().take(MAX_SETTINGS) {
        let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        let starts = name.starts_with(|first: char| first.is_ascii_lowercase());
        if !letters || !starts || name.len() > MAX_SETTING_CHARS || !value.is_finite() {
            findings.add(
                format!("{base}/{}", pointer_token(name)),
                format!("a setting is a number under a lower_snake name of at most {MAX_SETTING_CHARS} characters"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::definition::Checked;

    fn arm(name: &str, share: u32, setting: &str) -> ExperimentArm {
        ExperimentArm { name: name.into(), share, ranking: [(setting.to_owned(), 0.5)].into() }
    }

    #[test]
    fn arms_that_break_a_rule_are_pointed_at() {
        let run = |arms: Vec<ExperimentArm>| Checked::parse(Experiment { enabled: true, window: None, arms });
        assert!(run(vec![arm("a", 90, "freshness_2"), arm("b", 10, "x")]).is_ok());
        for (arms, pointer) in [
            (vec![arm("a", 100, "x")], "/arms"),
            (vec![arm("a", 50, "x"), arm("b", 49, "x")], "/arms"),
            (vec![arm("a", 50, "x"), arm("a", 50, "x")], "/arms/1/name"),
            (vec![arm("a", 50, "x"), arm("B", 50, "x")], "/arms/1/name"),
            (vec![arm("a", 50, "Fresh/ness"), arm("b", 50, "x")], "/arms/0/ranking/Fresh~1ness"),
            (vec![arm("a", 50, "_x"), arm("b", 50, "x")], "/arms/0/ranking/_x"),
            (vec![arm("a", 50, "x"), arm("b", 50, &"x".repeat(65))], &format!("/arms/1/ranking/{}", "x".repeat(65))),
        ] {
            let errors = run(arms).expect_err(pointer);
            assert_eq!(errors.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), [pointer]);
        }
    }
}
