//! What every step of a command has to know of the request behind it.

use super::{Allowance, Audited, process::correlate::Correlations};
use crate::clock::Clock;
use schemas::{Timestamp, ids::TenantId};
use service::RequestContext;
use std::sync::Arc;

/// Whose data, at what time, on whose request.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) tenant: TenantId,
    pub(crate) request: RequestContext,
    /// Who acts, and what was changed so far.
    pub(crate) audited: Audited,
    /// The event that a process answers with this command; none where the request itself is the cause.
    pub(crate) cause: Option<String>,
    pub(crate) now: Timestamp,
    pub(crate) clock: Arc<dyn Clock>,
    /// How many attribute names a shop may have.
    pub(crate) most_attributes: usize,
    /// What the shop may still have; as much as comes where that is not looked up.
    pub(crate) allowance: Allowance,
    /// Who is told of what is recorded.
    pub(crate) processes: Correlations,
}
