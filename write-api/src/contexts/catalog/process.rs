//! Publishes and archives products when their time has come.

use super::{
    commands::products::{Op, ProductRequest, Products},
    table::products::{self, Due},
};
use crate::pipeline::{App, Audited, Error, Expected, Failure};
use schemas::{
    Timestamp,
    ids::{ProductId, TenantId},
};
use service::RequestContext;
use sqlx::PgConnection;

/// Products that are looked for at once.
const STEP: i64 = 100;
/// Such steps in one run: what is left is done in the next.
const STEPS: usize = 50;

/// What a run has come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CarriedOut {
    /// Products that were published or archived, or whose time was over.
    pub(crate) done: u64,
    /// Products that could not be written; they stay due.
    pub(crate) failed: u64,
}

/// Does what is due at a moment, the longest waiting first. Each product is a command of its own, which finds nothing to do
/// if it was done before; one that fails keeps no other waiting.
pub(crate) async fn carry_out_schedules(
    app: &App,
    look: &mut PgConnection,
    now: Timestamp,
) -> Result<CarriedOut, Failure> {
    let (mut run, mut last) = (CarriedOut::default(), None);
    for _ in 0..STEPS {
        let due = products::due(look, now, last, STEP).await?;
        let Some(end) = due.last().copied() else { break };
        for one in due {
            match carry_out(app, one, now).await {
                Ok(_) => run.done += 1,
                // Somebody has deleted it meanwhile.
                Err(Error::Rejected(_) | Error::KeyReused) => {}
                Err(Error::Failed(error)) => {
                    tracing::warn!(shop.id = %one.tenant, product.id = %one.product, %error, "the schedule of a product can't be kept");
                    run.failed += 1;
                }
            }
        }
        last = Some(end);
    }
    Ok(run)
}

async fn carry_out(app: &App, due: Due, now: Timestamp) -> Result<(), Error> {
    let request = RequestContext { correlation_id: app.clock.id().to_string(), traceparent: None };
    // Who has said so is in the audit since then.
    let scope = app.scope(TenantId(due.tenant), request, Audited::default());
    let request = ProductRequest::bare(Op::CarryOut(now), ProductId(due.product), Expected::Any);
    app.command::<Products>(&scope, None, request).await.map(drop)
}
