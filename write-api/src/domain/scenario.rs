//! Given these events, when this command comes, then those events or that rejection.

use super::Aggregate;
use std::fmt::Debug;

/// A test of one aggregate.
pub(crate) struct Scenario<A: Aggregate> {
    state: Option<A>,
    outcome: Option<Result<Vec<A::Event>, A::Rejection>>,
}

impl<A: Aggregate> Scenario<A>
where
    A::Event: Debug + PartialEq,
    A::Rejection: Debug + PartialEq,
{
    pub(crate) fn given(events: impl IntoIterator<Item = A::Event>) -> Self {
        let state = events.into_iter().fold(None, |state, event| A::apply(state, &event));
        Self { state, outcome: None }
    }

    pub(crate) fn when(mut self, command: A::Command) -> Self {
        self.outcome = Some(A::decide(self.state.as_ref(), command));
        self
    }

    pub(crate) fn then(self, expected: impl IntoIterator<Item = A::Event>) {
        assert_eq!(self.outcome, Some(Ok(expected.into_iter().collect())));
    }

    pub(crate) fn then_rejected(self, expected: A::Rejection) {
        assert_eq!(self.outcome, Some(Err(expected)));
    }

    pub(crate) fn then_nothing(self) {
        self.then([]);
    }
}
