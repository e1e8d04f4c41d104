//! What is known of a definition.

use serde::{Deserialize, Serialize};

/// What is defined under a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition<C> {
    /// The name.
    pub name: String,
    /// What is defined; none once it was removed, so that its versions go on.
    pub content: Option<C>,
}
