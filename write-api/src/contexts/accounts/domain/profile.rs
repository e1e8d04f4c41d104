//! What people tell of themselves. It is sealed before it is kept anywhere.

pub use crate::domain::address::PostalAddress;

use crate::domain::{
    address::{optional, phone},
    validation::Findings,
};
use schemas::problem::FieldError;
use serde::{Deserialize, Serialize};

/// What somebody is called and how they are reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What they are called, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where they are called, such as `+57 601 555 0100`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl Profile {
    /// What of it is not allowed.
    ///
    /// # Errors
    /// Each wrong value with its pointer.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        let mut findings = Findings::default();
        optional(&mut findings, "/name", self.name.as_deref(), 200);
        phone(&mut findings, self.phone.as_deref());
        findings.done()
    }
}
