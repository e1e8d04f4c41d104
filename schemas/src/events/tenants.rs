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

/// A shop is closed to everybody but administrators, for the time being. Nothing of it is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantSuspended {
    /// Its id, also the aggregate id.
    pub tenant_id: TenantId,
    /// Why, for its people.
    pub reason: String,
}

/// A shop is open again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantResumed {
    /// Its id, also the aggregate id.
    pub tenant_id: TenantId,
}

/// Which pages of other hosts may read the shop's answers in a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantOriginsSet {
    /// Its id, also the aggregate id.
    pub tenant_id: TenantId,
    /// Their origins as browsers send them, such as `https://shop.example`; none if the shop names none.
    pub origins: Vec<String>,
}

/// How much a shop may have and ask for. What is not there is as the installation has it set, or not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct Quotas {
    /// Products.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub products: Option<u64>,
    /// Commands a second, on each write-api.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commands_per_second: Option<u32>,
    /// Reads a second, on each query-api.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads_per_second: Option<u32>,
    /// MiB of states in the write database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_mib: Option<u64>,
}

/// How much the shop may have is another than before, all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantQuotasSet {
    /// Its id, also the aggregate id.
    pub tenant_id: TenantId,
    /// What holds from here on.
    pub quotas: Quotas,
}

/// A shop is gone for good: nobody finds it any more, and its data go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantDeleted {
    /// Its id, also the aggregate id.
    pub tenant_id: TenantId,
}

super::events! {
    /// What happens to tenants.
    TenantsEvent of Tenants; {
        /// A shop was opened.
        Created(TenantCreated) = "souk.tenants.tenant.created.v1",
        /// A shop is closed for the time being.
        Suspended(TenantSuspended) = "souk.tenants.tenant.suspended.v1",
        /// A shop is open again.
        Resumed(TenantResumed) = "souk.tenants.tenant.resumed.v1",
        /// The origins whose pages may read answers are others.
        OriginsSet(TenantOriginsSet) = "souk.tenants.tenant.origins_set.v1",
        /// How much it may have is another than before.
        QuotasSet(TenantQuotasSet) = "souk.tenants.tenant.quotas_set.v1",
        /// It is gone for good.
        Deleted(TenantDeleted) = "souk.tenants.tenant.deleted.v1",
    }
}
