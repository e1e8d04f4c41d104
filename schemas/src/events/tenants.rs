//! Events of the tenants context.

use crate::ids::TenantId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A shop was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantCreated {
    /// Its id, also the aggregate id.
    pub tenant_id: TenantId,
    /// The name in addresses: lower-case letters, digits and hyphens, unique on the installation.
    pub slug: String,
    /// The name people read.
    pub name: String,
}

super::events! {
    /// What happens to tenants.
    TenantsEvent of Tenants; {
        /// A shop was opened.
        Created(TenantCreated) = "souk.tenants.tenant.created.v1",
    }
}
