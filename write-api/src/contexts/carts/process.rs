//! The end of carts that nobody touches.

use super::{
    domain::{Cart, CartCommand},
    table,
};
use crate::{
    domain::Aggregate,
    pipeline::{App, Audited, Change, Error, Expected, Scope, Stored, procedure::Procedure},
};
use schemas::{Timestamp, contexts::Context, events::carts::CartEnd, ids::TenantId};
use service::RequestContext;
use sqlx::PgConnection;

/// Carts that end in one transaction.
const STEP: i64 = 200;
/// Such transactions in one run; the next goes on.
const STEPS: usize = 100;
/// Carts among which shops are looked for.
const LOOKED_AT: i64 = 2_000;

/// Ends carts that nobody has touched since, some in each step; gives how many did. `look` sees all shops.
pub(crate) async fn expire(app: &App, look: &mut PgConnection, since: Timestamp) -> Result<u64, Error> {
    let (mut ended, mut steps) = (0, 0);
    loop {
        let shops = table::untouched_shops(&mut *look, since, LOOKED_AT).await?;
        let before = ended;
        for shop in shops {
            let request = RequestContext { correlation_id: app.clock.id().to_string(), traceparent: None };
            // Nobody did this: the audit has nothing of it.
            let scope = app.scope(TenantId(shop), request, Audited::default());
            ended += app.procedure(&scope, &Expire { since }).await?;
            steps += 1;
            if steps >= STEPS {
                return Ok(ended);
            }
        }
        // What is left is in use at the moment.
        if ended == before {
            return Ok(ended);
        }
    }
}

/// One step in one shop.
struct Expire {
    since: Timestamp,
}

impl Procedure for Expire {
    const CONTEXT: Context = Context::Carts;
    /// How many ended.
    type Output = u64;

    fn name(&self) -> &'static str {
        "expire_carts"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, u64), Error> {
        let ids = table::untouched(&mut *conn, scope.tenant, self.since, STEP).await?;
        let mut carts = Cart::load(conn, scope, &ids).await?;
        for id in &ids {
            let end = CartCommand::End(CartEnd::Untouched);
            carts.carry_out(*id, Expected::Any, |carts| Ok(Cart::decide(carts.state(*id), end)?))?;
        }
        carts.append(conn, scope).await?;
        let change = if ids.is_empty() { Change::Unchanged } else { Change::Changed };
        Ok((change, u64::try_from(ids.len()).unwrap_or(u64::MAX)))
    }
}
