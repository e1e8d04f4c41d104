//! What shoppers searched for and did: facts that are taken as they are reported, once each.
//!
//! There is nothing to decide but whether a report is known already. The aggregate is the client that
//! reports; all it has is its version, which orders its reports.

pub mod client;
pub mod policy;
pub mod report;

pub use client::{Client, ReportCommand};
pub use report::Report;
