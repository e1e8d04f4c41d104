//! The keys that sign access tokens, of shops that were asked for.

use ::access::tokens::{Algorithm, SigningKey};
use moka::future::Cache;
use schemas::{Timestamp, Uuid, ids::TenantId};
use std::{fmt, sync::Arc, time::Duration};

/// How long a key that was found is not looked up again: so long may one that was revoked sign here.
const KEPT: Duration = Duration::from_secs(2);

/// A key that signs.
pub(in super::super) struct Signing {
    pub(in super::super) kid: Uuid,
    pub(in super::super) key: SigningKey,
    /// From when on what it has signed is believed no more.
    pub(in super::super) valid_until: Timestamp,
}

/// How keys are made, and those that were found.
#[derive(Clone)]
pub(in super::super) struct SigningKeys {
    pub(in super::super) algorithm: Algorithm,
    pub(in super::super) known: Cache<TenantId, Arc<Signing>>,
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl SigningKeys {
    pub(in super::super) fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, known: Cache::builder().max_capacity(10_000).time_to_live(KEPT).build() }
    }
}
