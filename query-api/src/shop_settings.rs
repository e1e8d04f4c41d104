//! What shops have decided, read when it changes: who prices a cart or shows a shop does not wait for the database.

use crate::{changes::Change, problem::Refusal};
use moka::future::Cache as Moka;
use schemas::{
    events::settings::SettingKind,
    ids::TenantId,
    problem::{Code, Problem},
    settings::ShopSettings,
};
use sqlx::PgPool;
use std::{
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// How long what was read is used though no signal says that it changed.
const EVERY: Duration = Duration::from_secs(10);
/// The bytes of all that is remembered, as JSON.
const BYTES: u64 = 64 << 20;

/// What is known of a shop.
#[derive(Debug, Clone)]
struct Known {
    /// The change as of which it was read.
    change: u64,
    at: Instant,
    bytes: u32,
    settings: Arc<ShopSettings>,
}

/// Settings by shop, as of the last change of them.
#[derive(Debug, Clone)]
pub struct KnownSettings {
    pool: PgPool,
    changes: watch::Receiver<Change>,
    known: Moka<TenantId, Known>,
}

/// Why settings are not known.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The database's.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A release that knows more has written one. Without it a price would be wrong.
    #[error("the setting {0} can't be read: {1}")]
    Unreadable(String, String),
}

impl From<SettingsError> for Refusal {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Database(error) => error.into(),
            SettingsError::Unreadable(..) => {
                tracing::error!(%error, "settings of a shop can't be read");
                Self(Problem::new(Code::Internal))
            }
        }
    }
}

impl KnownSettings {
    /// Nothing read yet.
    #[must_use]
    pub fn new(pool: PgPool, changes: watch::Receiver<Change>) -> Self {
        let known = Moka::builder().max_capacity(BYTES).weigher(|_, known: &Known| known.bytes).build();
        Self { pool, changes, known }
    }

    /// Everything that a shop has decided. `newest`: as of this moment, since a reader that has waited for a token must not get
    /// older settings because a signal is still on its way. Everybody else gets what is known while the database does not answer.
    ///
    /// # Errors
    /// The database's, or that a setting can't be read.
    pub async fn of(&self, tenant: TenantId, newest: bool) -> Result<Arc<ShopSettings>, SettingsError> {
        let change = *self.changes.borrow();
        let known = if newest { None } else { self.known.get(&tenant).await };
        if let Some(known) = known.as_ref().filter(|known| is_current(known, change)) {
            return Ok(Arc::clone(&known.settings));
        }
        match (self.read(tenant, change.definitions).await, known) {
            (Ok(settings), _) => Ok(settings),
            (Err(SettingsError::Database(error)), Some(known)) => {
                tracing::warn!(%error, "changed settings can't be read; known ones stay in use");
                Ok(known.settings)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Reads a shop's settings and keeps them.
    async fn read(&self, tenant: TenantId, change: u64) -> Result<Arc<ShopSettings>, SettingsError> {
        let at = Instant::now();
        let rows: Vec<(String, String, i64, String)> = sqlx::query_as(
            "SELECT kind, name, version, body::text FROM settings
             WHERE tenant_id = $1 AND body IS NOT NULL ORDER BY kind, name",
        )
        .bind(tenant.uuid())
        .fetch_all(&self.pool)
        .await?;
        let bytes: usize = rows.iter().map(|(kind, name, _, body)| kind.len() + name.len() + body.len()).sum();
        let settings = Arc::new(read(&rows)?);
        // What is there without any settings counts as well.
        let bytes = u32::try_from(bytes.saturating_add(1_000)).unwrap_or(u32::MAX);
        self.known.insert(tenant, Known { change, at, bytes, settings: Arc::clone(&settings) }).await;
        Ok(settings)
    }
}

/// Whether no signal says that something changed since, and none could have been missed for long.
fn is_current(known: &Known, change: Change) -> bool {
    change.heard && known.change == change.definitions && known.at.elapsed() < EVERY
}

fn read(rows: &[(String, String, i64, String)]) -> Result<ShopSettings, SettingsError> {
    let mut settings = ShopSettings::default();
    for (kind, name, version, body) in rows {
        let unreadable = |error: String| SettingsError::Unreadable(format!("{kind}/{name}"), error);
        let read = SettingKind::from_str(kind).map_err(|error| unreadable(error.to_string()))?;
        let version = u64::try_from(*version).unwrap_or_default();
        settings.take(read, name, version, body).map_err(|error| unreadable(error.to_string()))?;
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: &str, name: &str, body: &str) -> (String, String, i64, String) {
        (kind.to_owned(), name.to_owned(), 2, body.to_owned())
    }

    #[test]
    fn what_can_not_be_read_is_an_error_and_never_left_out() {
        let web = r#"{"title": "Web", "currencies": ["EUR"]}"#;
        let settings = read(&[row("channels", "web", web)]).expect("read");
        assert_eq!((settings.channels[0].version, settings.policy.version), (2, 0));
        for wrong in [row("channels", "web", r#"{"title": "Web"}"#), row("moods", "web", web)] {
            let error = read(&[wrong]).expect_err("refused");
            assert!(matches!(&error, SettingsError::Unreadable(place, _) if place.ends_with("/web")), "{error}");
        }
    }

    #[test]
    fn what_is_known_is_current_until_a_signal_or_a_while() {
        let known = Known { change: 7, at: Instant::now(), bytes: 1, settings: Arc::default() };
        let change = Change { version: 9, definitions: 7, heard: true };
        assert!(is_current(&known, change));
        assert!(!is_current(&known, Change { definitions: 8, ..change }));
        assert!(!is_current(&known, Change { heard: false, ..change }));
        let old = Known { at: Instant::now().checked_sub(EVERY).expect("a while ago"), ..known };
        assert!(!is_current(&old, change));
    }
}
