//! What the write database needs now and then, whichever process does it: partitions for the months to come, an end for
//! idempotency keys, for what accounts leave behind and for deleted shops, and a look at what shops have. Archiving outboxes is the projector's, which knows what was published.

mod accounts;
mod keys;
mod months;
mod shops;

use crate::{clock::Clock, contexts::accounts::port::Accounts};
use service::jobs::{JobMetrics, Jobs};
use sqlx::{PgConnection, postgres::PgConnectOptions};
use std::{sync::Arc, time::Duration};

pub use accounts::AccountsEnd;
pub use keys::KeysExpire;
pub use months::MonthsAhead;
pub use shops::{DeletedShops, ShopsMeasured};

/// The jobs of write-api; idempotency keys end after `key_age`.
pub(crate) fn list(
    connect: PgConnectOptions,
    key_age: Duration,
    metrics: &service::Metrics,
    clock: Arc<dyn Clock>,
    accounts: Accounts,
) -> Jobs {
    Jobs::new(
        "write-api",
        connect,
        vec![
            Box::new(MonthsAhead),
            Box::new(KeysExpire { age: key_age }),
            Box::new(AccountsEnd),
            Box::new(accounts::KeysRewrap { accounts }),
            Box::new(ShopsMeasured),
            Box::new(DeletedShops),
        ],
        &JobMetrics::new(metrics),
        Arc::new(move || clock.now()),
    )
}

/// The contexts the database has, whichever this release knows.
async fn contexts(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT DISTINCT context FROM installation.outbox_partitions ORDER BY context")
        .fetch_all(connection)
        .await
}
