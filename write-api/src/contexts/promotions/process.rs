//! Ends promotions whose span is over, so that what is told of them and what counts are the same.

use super::{
    commands::{PromotionRequest, Promotions, Wanted},
    table::lookup,
};
use crate::pipeline::{App, Audited, Error, Expected, Failure};
use schemas::{Timestamp, ids::PromotionId};
use service::RequestContext;
use sqlx::PgConnection;

/// Promotions that are looked for at once.
const STEP: i64 = 100;
/// Such steps in one run: what is left is ended in the next.
const STEPS: usize = 50;

/// Ends those whose span was over at a moment; gives how many did. Each is a command of its own, and ends once.
pub(crate) async fn end_over(app: &App, look: &mut PgConnection, now: Timestamp) -> Result<u64, Failure> {
    let mut ended = 0;
    for _ in 0..STEPS {
        let over = lookup::over(look, now, STEP).await?;
        if over.is_empty() {
            break;
        }
        for (tenant, id) in over {
            let request = RequestContext { correlation_id: app.clock.id().to_string(), traceparent: None };
            // Nobody did this: the audit has nothing of it.
            let scope = app.scope(tenant, request, Audited::default());
            let request = PromotionRequest { id: PromotionId(id), expected: Expected::Any, wanted: Wanted::Expired };
            match app.command::<Promotions>(&scope, None, request).await {
                Ok(_) => ended += 1,
                // Staff have changed it meanwhile.
                Err(Error::Rejected(_) | Error::KeyReused) => {}
                Err(Error::Failed(failure)) => return Err(failure),
            }
        }
    }
    Ok(ended)
}
