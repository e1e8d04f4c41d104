//! Given that a process was told this, when it is told that, then it does such steps.

use super::{Process, Step, Trigger};
use std::fmt::Debug;

/// A test of one process.
pub(crate) struct Scenario<P: Process> {
    state: Option<P::State>,
    steps: Option<Vec<Step<P::Command>>>,
}

impl<P: Process> Scenario<P>
where
    P::Command: Debug + PartialEq,
{
    pub(crate) fn given(triggers: impl IntoIterator<Item = Trigger<P::Answer>>) -> Self {
        let mut scenario = Self { state: None, steps: None };
        for trigger in triggers {
            scenario = scenario.when(&trigger);
        }
        scenario
    }

    pub(crate) fn when(self, trigger: &Trigger<P::Answer>) -> Self {
        match P::react(self.state.as_ref(), trigger) {
            Some((state, steps)) => Self { state: Some(state), steps: Some(steps) },
            None => Self { state: self.state, steps: Some(Vec::new()) },
        }
    }

    /// What it does upon the last trigger.
    pub(crate) fn then(self, expected: impl IntoIterator<Item = Step<P::Command>>) -> Self {
        let steps = self.steps.as_deref().unwrap_or_default();
        assert_eq!(steps, expected.into_iter().collect::<Vec<_>>());
        self
    }

    /// What it knows then.
    pub(crate) fn state(&self) -> Option<&P::State> {
        self.state.as_ref()
    }
}
