//! Ids that follow from names: who names the same thing names the same aggregate, without a lookup.

use schemas::{Uuid, ids::TenantId};
use sha2::{Digest, Sha256};
use uuid::Builder;

/// The id of what a tenant calls by these names: a UUID of version 8, name-based on SHA-256 (RFC 9562,
/// appendix B.2).
pub(crate) fn named(tenant: TenantId, names: &[&str]) -> Uuid {
    let mut hasher = Sha256::new();
    hasher.update(tenant.uuid().as_bytes());
    for name in names {
        // With its length, so that no two lists of names read alike.
        hasher.update(name.len().to_le_bytes());
        hasher.update(name.as_bytes());
    }
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(hasher.finalize()) {
        *byte = hashed;
    }
    Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_one_tenant_and_one_list_of_names() {
        let (one, other) = (TenantId(Uuid::from_u128(1)), TenantId(Uuid::from_u128(2)));
        let id = named(one, &["rule", "sale"]);
        assert_eq!(id, named(one, &["rule", "sale"]));
        for different in [named(other, &["rule", "sale"]), named(one, &["rules", "ale"]), named(one, &["sale", "rule"])]
        {
            assert_ne!(id, different);
        }
        assert_eq!((id.get_version_num(), id.get_variant()), (8, uuid::Variant::RFC4122));
        // Ids stand in events for ever: how they are made never changes.
        assert_eq!(id.to_string(), "ac0d743b-91e2-8992-bd11-75bcb527f62a");
    }
}
