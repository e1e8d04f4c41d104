//! What the write database needs now and then, whichever process does it: partitions for the months to come, an end for
//! idempotency keys, for what accounts and payment providers leave behind, for carts that nobody touches, for reservations, for promotions, for
//! processes that are over and for deleted shops, a look at what shops have and at what has to hold, and products that are published and archived by themselves.
//! Archiving outboxes is the projector's, which knows what was published.

mod accounts;
mod carts;
mod guest_orders;
mod invariants;
mod keys;
mod months;
mod payments;
mod processes;
mod promotions;
mod reservations;
mod schedules;
mod shops;

use crate::pipeline::App;
use schemas::TimeDelta;
use service::jobs::{JobMetrics, Jobs};
use sqlx::{PgConnection, postgres::PgConnectOptions};
use std::{sync::Arc, time::Duration};

pub use accounts::AccountsEnd;
pub use keys::KeysExpire;
pub use months::MonthsAhead;
pub use payments::WebhooksEnd;
pub use shops::{DeletedShops, ShopsMeasured};

/// The jobs of write-api; idempotency keys end after `key_age`, and carts that nobody touches after `cart_age`.
pub(crate) fn list(
    connect: PgConnectOptions,
    key_age: Duration,
    cart_age: TimeDelta,
    metrics: &service::Metrics,
    app: &App,
) -> Jobs {
    let (clock, accounts) = (app.clock.clone(), app.accounts.clone());
    Jobs::new(
        "write-api",
        connect,
        vec![
            Box::new(reservations::ReservationsExpire { app: app.clone() }),
            Box::new(MonthsAhead),
            Box::new(KeysExpire { age: key_age }),
            Box::new(AccountsEnd),
            Box::new(accounts::KeysRewrap { accounts }),
            Box::new(WebhooksEnd),
            Box::new(ShopsMeasured),
            Box::new(DeletedShops),
            Box::new(invariants::InvariantsChecked::new(metrics)),
            Box::new(promotions::PromotionsEnd { app: app.clone() }),
            Box::new(processes::ProcessesEnd),
            Box::new(guest_orders::GuestOrdersClaimed { app: app.clone() }),
            Box::new(carts::CartsExpire { app: app.clone(), age: cart_age }),
            Box::new(schedules::ProductSchedules { app: app.clone() }),
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
