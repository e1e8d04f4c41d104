//! The client whose reports these are.

use super::Report;
use crate::domain::Aggregate;
use schemas::events::InsightsEvent;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// A browser or device. What it reported is not looked at again, so it has no state but its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {}

/// A client reports something.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportCommand {
    /// What.
    pub report: Report,
    /// Whether the same was reported before.
    pub is_known: bool,
}

impl Aggregate for Client {
    const NAME: &'static str = "client";
    type Command = ReportCommand;
    type Event = InsightsEvent;
    type Rejection = Infallible;

    fn decide(_: Option<&Self>, command: ReportCommand) -> Result<Vec<InsightsEvent>, Infallible> {
        Ok(if command.is_known { vec![] } else { vec![command.report.into_event()] })
    }

    fn apply(_: Option<Self>, _: &InsightsEvent) -> Option<Self> {
        Some(Self {})
    }
}
