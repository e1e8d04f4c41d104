//! What a shop keeps secret is sealed with its key before it is written anywhere.

use super::{App, Error, Rejection};
use schemas::{
    ids::TenantId,
    problem::{Code, Problem},
};
use serde::{Serialize, de::DeserializeOwned};

/// This server has no master keys.
fn no_keys() -> Rejection {
    let detail = "the server was started without --master-keys, so that nothing can be kept secret here";
    Rejection::of(Problem::new(Code::Unavailable).detail(detail))
}

impl App {
    /// Seals a value for a purpose of a shop.
    pub(crate) async fn seal<T: Serialize + Sync>(
        &self,
        tenant: TenantId,
        purpose: &str,
        value: &T,
    ) -> Result<String, Error> {
        let parts = self.accounts.get().ok_or_else(no_keys)?;
        Ok(parts.vault(&self.database, tenant).await?.seal(purpose, value)?)
    }

    /// The value again.
    pub(crate) async fn open<T: DeserializeOwned>(
        &self,
        tenant: TenantId,
        purpose: &str,
        sealed: &str,
    ) -> Result<T, Error> {
        let parts = self.accounts.get().ok_or_else(no_keys)?;
        Ok(parts.vault(&self.database, tenant).await?.open(purpose, sealed)?)
    }

    /// A digest of a text that only the shop can make: by it another text shows.
    pub(crate) async fn digest(&self, tenant: TenantId, purpose: &str, text: &str) -> Result<String, Error> {
        let parts = self.accounts.get().ok_or_else(no_keys)?;
        Ok(parts.vault(&self.database, tenant).await?.digest(purpose, text))
    }
}
