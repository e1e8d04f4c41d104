//! Calls to providers that nobody has an answer to: whoever made them does not wait any more, or is gone.

use super::{
    super::{
        port::{
            agreed,
            call::{Asked, resolve},
            settle_late,
        },
        table::calls::{self, Call},
    },
    Work, refused, scope,
};
use crate::pipeline::{App, Error};

/// Calls of one round.
const AT_ONCE: i64 = 10;

pub(super) async fn round(app: &App, work: &Work) -> Result<usize, Error> {
    let mut transaction = app.database.of_installation().await?;
    let due = calls::due(&mut *transaction, app.clock.now(), AT_ONCE).await?;
    transaction.commit().await?;
    for call in &due {
        let outcome = match one(app, call).await {
            Ok(Asked::Settled) => "settled",
            Ok(Asked::Unknown(_)) => "later",
            Err(error) => {
                let reason = refused(error)?;
                tracing::warn!(payment.id = %call.payment_id, operation = ?call.operation, reason,
                    "a call to a payment provider can't be settled");
                "later"
            }
        };
        work.count("call", outcome);
    }
    Ok(due.len())
}

async fn one(app: &App, call: &Call) -> Result<Asked, Error> {
    let scope = scope(app, call.tenant);
    // Only providers that are asked have calls.
    let provider = agreed::stripe(app, call.tenant).await?;
    let asked = resolve(app, &scope, &provider, call).await?;
    if asked == Asked::Settled {
        settle_late(app, &scope, call.payment_id).await?;
    }
    Ok(asked)
}
