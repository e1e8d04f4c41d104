//! Events of the audit context: what staff and administrators did, chained, so that an entry that is changed, removed or
//! moved afterwards is found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something was done, and by whom. The aggregate is the shop's trail, its version the number of the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntryRecorded {
    /// What was done, as the JSON text that [`digest`](Self::digest) is made of: see `schemas::audit::Entry`.
    pub entry: String,
    /// The digest of the entry before, in hexadecimal digits; 64 zeros before the first.
    pub previous: String,
    /// SHA-256 of the 32 bytes of `previous` and the text of `entry` behind them, in hexadecimal digits.
    pub digest: String,
}

super::events! {
    /// What happens to the trail of a shop.
    AuditEvent of Audit; {
        /// An entry was added at its end.
        Recorded(EntryRecorded) = "souk.audit.trail.recorded.v1",
    }
}
