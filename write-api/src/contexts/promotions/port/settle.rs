//! Consuming and releasing the uses of a checkout.

use crate::{
    contexts::promotions::{
        domain::{CouponUsage, Promotion, UsageCommand, counting},
        table::{counters, first_orders, lookup},
    },
    domain::Aggregate,
    pipeline::{Change, Error, Expected, Scope, Stored, procedure::Procedure},
};
use schemas::{Uuid, contexts::Context, events::PromotionsEvent, ids::PromotionId};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of the uses of a checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settlement {
    Consume,
    Release { is_cancelled: bool },
}

/// All uses of a checkout that were counted.
pub(super) struct Settle {
    pub(super) checkout: Uuid,
    pub(super) settlement: Settlement,
}

impl Procedure for Settle {
    const CONTEXT: Context = Context::Promotions;
    type Output = Change;

    fn name(&self) -> &'static str {
        match self.settlement {
            Settlement::Consume => "consume_coupons",
            Settlement::Release { is_cancelled: false } => "release_coupons",
            Settlement::Release { is_cancelled: true } => "give_coupons_back",
        }
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Change), Error> {
        let own = lookup::of_checkout(conn, scope.tenant, self.checkout).await?;
        let ids: Vec<Uuid> = own.keys().copied().collect();
        let named: BTreeSet<PromotionId> = own.into_values().collect();
        lookup::use_of(conn, &named).await?;
        let found = lookup::by_id(conn, scope.tenant, &named).await?;
        let promotions: BTreeMap<PromotionId, Promotion> =
            found.into_iter().map(|(id, (_, promotion))| (id, promotion)).collect();
        let mut usages = CouponUsage::load(conn, scope, &ids).await?;
        for id in ids {
            let command = match self.settlement {
                Settlement::Consume => UsageCommand::Consume,
                Settlement::Release { is_cancelled } => UsageCommand::Release { is_cancelled },
            };
            usages
                .carry_out(id, Expected::Any, |usages| Ok(CouponUsage::decide(usages.state(id), command.clone())?))?;
        }
        let events: Vec<PromotionsEvent> = usages.events().cloned().collect();
        if events.is_empty() {
            return Ok((Change::Unchanged, Change::Unchanged));
        }
        usages.append(conn, scope).await?;
        for (customer, held) in counting::first_orders(&events) {
            // A consumed use holds it as a reserved one does.
            if held < 0 {
                first_orders::let_go(conn, scope.tenant, &customer, self.checkout, held.saturating_neg()).await?;
            }
        }
        counters::settle(conn, scope.tenant, &counting::moves(&promotions, &events)).await?;
        Ok((Change::Changed, Change::Changed))
    }
}
