//! One report of a client.

use super::policy;
use crate::domain::validation::Findings;
use schemas::{Timestamp, Uuid, events::InsightsEvent, problem::FieldError};

/// A report that keeps every rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Report(InsightsEvent);

impl Report {
    /// Reads a report as it was given at this time.
    ///
    /// # Errors
    /// What is wrong, by JSON pointer.
    pub fn parse(event: InsightsEvent, now: Timestamp) -> Result<Self, Vec<FieldError>> {
        let mut findings = Findings::default();
        policy::a_report_is_of_these_days(&mut findings, event.timestamp(), now);
        match &event {
            InsightsEvent::Searched(search) => policy::a_search_is_bounded(&mut findings, search),
            InsightsEvent::Acted(action) => policy::an_action_is_bounded(&mut findings, action),
        }
        findings.done()?;
        Ok(Self(event))
    }

    /// The report, to look at.
    #[must_use]
    pub const fn event(&self) -> &InsightsEvent {
        &self.0
    }

    /// Under the id that tells it from others.
    #[must_use]
    pub fn identified(self, record_id: Uuid) -> Self {
        Self(self.0.identified(record_id))
    }

    /// The report.
    #[must_use]
    pub fn into_event(self) -> InsightsEvent {
        self.0
    }
}
