//! Reserving uses: the last statement before the end of the transaction takes the hot rows, so that others wait for it shortly.

use super::{Use, refused};
use crate::{
    contexts::promotions::{
        domain::{
            CouponUsage, Promotion, Stage, UsageCommand,
            counting::{self, Counted, Counter, Counts, Move},
        },
        table::{codes, counters, first_orders, lookup},
    },
    domain::Aggregate,
    pipeline::{Batch, Change, Error, Expected, Failure, Rejection, Scope, Stored, identity, procedure::Procedure},
};
use schemas::{
    Uuid,
    contexts::Context,
    events::{PromotionsEvent, promotions::CouponUse},
    ids::{PromotionId, TenantId},
    problem::Code,
};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// Uses that a checkout wants.
pub(super) struct Reserve<'a> {
    pub(super) checkout: Uuid,
    pub(super) uses: &'a [Use],
}

impl Procedure for Reserve<'_> {
    const CONTEXT: Context = Context::Promotions;
    type Output = Change;

    fn name(&self) -> &'static str {
        "reserve_coupons"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Change), Error> {
        let named: BTreeSet<PromotionId> =
            self.uses.iter().map(|asked| lookup::promotion_id(scope.tenant, &asked.promotion)).collect();
        lookup::use_of(conn, &named).await?;
        let found = lookup::by_id(conn, scope.tenant, &named).await?;
        let promotions: BTreeMap<PromotionId, Promotion> =
            found.into_iter().map(|(id, (_, promotion))| (id, promotion)).collect();
        let by_name: BTreeMap<&str, &Promotion> =
            promotions.values().map(|promotion| (promotion.name.as_str(), promotion)).collect();
        let ids: Vec<Uuid> = self.uses.iter().map(|asked| self.id(scope.tenant, asked)).collect();
        let mut usages = CouponUsage::load(conn, scope, &ids).await?;
        self.are_usable(conn, scope, &by_name, &usages).await?;
        for (asked, id) in self.uses.iter().zip(&ids) {
            let known = by_name.get(asked.promotion.as_str()).copied();
            let Some(promotion) = known.filter(|known| known.content.is_counted()) else { continue };
            let usage = self.usage(asked, promotion);
            usages.carry_out(*id, Expected::Any, |usages| {
                Ok(CouponUsage::decide(usages.state(*id), UsageCommand::Reserve(usage))?)
            })?;
        }
        let events: Vec<PromotionsEvent> = usages.events().cloned().collect();
        if events.is_empty() {
            return Ok((Change::Unchanged, Change::Unchanged));
        }
        let moves = counting::moves(&promotions, &events);
        if let Some(counter) = used_up(conn, scope.tenant, &moves).await? {
            return Err(self.exhausted(scope.tenant, &counter).into());
        }
        usages.append(conn, scope).await?;
        for (customer, uses) in counting::first_orders(&events) {
            if !first_orders::hold(conn, scope.tenant, &customer, self.checkout, uses).await? {
                return Err(self.first_order_taken().into());
            }
        }
        match counters::reserve(conn, scope.tenant, &moves).await? {
            None => Ok((Change::Created, Change::Created)),
            Some(counter) => Err(self.exhausted(scope.tenant, &counter).into()),
        }
    }
}

impl Reserve<'_> {
    /// The same for the same use: the natural key.
    fn id(&self, tenant: TenantId, asked: &Use) -> Uuid {
        let (checkout, code) = (self.checkout.to_string(), asked.code.as_deref().unwrap_or_default());
        identity::named(tenant, &["coupon_usage", &checkout, &asked.promotion, code])
    }

    fn usage(&self, asked: &Use, promotion: &Promotion) -> CouponUse {
        CouponUse {
            promotion_id: promotion.promotion_id,
            promotion: promotion.name.clone(),
            checkout_id: self.checkout,
            code: asked.code.clone(),
            customer: asked.customer.clone(),
            is_first_order: promotion.content.conditions.first_order,
            is_given_back: promotion.content.is_given_back,
        }
    }

    /// Whether promotions and codes can be used now. What the checkout has already is its own, whatever became of them since.
    async fn are_usable(
        &self,
        conn: &mut PgConnection,
        scope: &Scope,
        promotions: &BTreeMap<&str, &Promotion>,
        usages: &Batch<CouponUsage>,
    ) -> Result<(), Error> {
        let asked: Vec<&str> = self.uses.iter().filter_map(|asked| asked.code.as_deref()).collect();
        let known = codes::find(conn, scope.tenant, &asked).await?;
        for (at, asked) in self.uses.iter().enumerate() {
            let own = usages.state(self.id(scope.tenant, asked));
            if own.is_some_and(|usage| matches!(usage.stage, Stage::Reserved | Stage::Consumed)) {
                continue;
            }
            let no = |code: Code, detail: &str| Err(refused(code, Some(at), detail.to_owned()).into());
            let Some(promotion) = promotions.get(asked.promotion.as_str()) else {
                return no(Code::CouponUnknown, "the shop has no such promotion");
            };
            if promotion.is_ended || promotion.content.is_over(scope.now) {
                return no(Code::CouponEnded, &format!("`{}` counts no longer", promotion.content.title));
            }
            if !promotion.content.has_begun(scope.now) {
                return no(Code::CouponNotYet, &format!("`{}` counts later", promotion.content.title));
            }
            match asked.code.as_deref().map(|code| known.get(code)) {
                None if promotion.needs_code => {
                    return no(Code::CouponUnknown, &format!("`{}` needs a code", promotion.content.title));
                }
                Some(Some(code)) if code.promotion_id == promotion.promotion_id && code.is_disabled => {
                    return no(Code::CouponDisabled, "the code is disabled");
                }
                Some(Some(code)) if code.promotion_id == promotion.promotion_id => {}
                Some(_) => return no(Code::CouponUnknown, "the promotion has no such code"),
                None => {}
            }
        }
        Ok(())
    }

    fn exhausted(&self, tenant: TenantId, counter: &Counter) -> Rejection {
        let is_of = |asked: &Use| {
            lookup::promotion_id(tenant, &asked.promotion) == counter.promotion_id
                && match counter.counts {
                    Counts::All => true,
                    Counts::Code => asked.code.as_deref() == Some(counter.key.as_str()),
                    Counts::Customer => asked.customer == counter.key,
                }
        };
        let detail = match counter.counts {
            Counts::All => "the promotion was used as often as may be, counting what checkouts have reserved",
            Counts::Code => "the code was used as often as may be, counting what checkouts have reserved",
            Counts::Customer => "the customer has used the promotion as often as may be, counting open checkouts",
        };
        refused(Code::CouponExhausted, self.uses.iter().position(is_of), detail.to_owned())
    }

    fn first_order_taken(&self) -> Rejection {
        let detail = "the customer has another order or open checkout that is the first";
        refused(Code::FirstOrderTaken, None, detail.to_owned())
    }
}

/// A counter that is used up already: nobody waits for a hot row to learn that.
async fn used_up(
    conn: &mut PgConnection,
    tenant: TenantId,
    moves: &BTreeMap<Counter, Move>,
) -> Result<Option<Counter>, Failure> {
    let asked: BTreeSet<Counter> = moves.keys().cloned().collect();
    let used = counters::used(conn, tenant, &asked).await?;
    let is_used_up = |(counter, moved): &(&Counter, &Move)| {
        let reserved = used.get(*counter).copied().unwrap_or_default();
        Counted { reserved, consumed: 0 }.after(**moved).is_none()
    };
    Ok(moves.iter().find(is_used_up).map(|(counter, _)| counter.clone()))
}
