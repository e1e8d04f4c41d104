//! Sums of a round: how often promotions, codes and customers use something. Adding twice would count twice: only new events
//! come here.

use eventlog::Event;
use schemas::{
    Uuid,
    events::{PromotionsEvent, promotions::UsageStep},
    ids::{PromotionId, TenantId},
};
use sqlx::PgConnection;
use std::collections::BTreeMap;

type Key = (TenantId, PromotionId);

/// What is added to the figures of a promotion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Figures {
    codes: i64,
    disabled: i64,
    used: UsageStep,
}

/// What is added to rows, in the order of their keys.
#[derive(Debug, Default)]
pub(super) struct Sums {
    promotions: BTreeMap<Key, Figures>,
    codes: BTreeMap<(TenantId, String), UsageStep>,
    customers: BTreeMap<(Key, String), UsageStep>,
}

fn add(sum: &mut UsageStep, step: UsageStep) {
    sum.reserved += step.reserved;
    sum.consumed += step.consumed;
}

impl Sums {
    fn of(&mut self, event: &Event, promotion: PromotionId) -> &mut Figures {
        self.promotions.entry((event.envelope.tenant, promotion)).or_default()
    }

    pub(super) fn codes(&mut self, event: &Event, promotion: PromotionId, codes: usize) {
        self.of(event, promotion).codes += i64::try_from(codes).unwrap_or(i64::MAX);
    }

    pub(super) fn disabled(&mut self, event: &Event, promotion: PromotionId) {
        self.of(event, promotion).disabled += 1;
    }

    pub(super) fn used(&mut self, event: &Event, happened: &PromotionsEvent) {
        let Some((usage, step)) = happened.step() else { return };
        let (tenant, promotion) = (event.envelope.tenant, usage.promotion_id);
        add(&mut self.of(event, promotion).used, step);
        add(self.customers.entry(((tenant, promotion), usage.customer.clone())).or_default(), step);
        if let Some(code) = &usage.code {
            add(self.codes.entry((tenant, code.clone())).or_default(), step);
        }
    }

    /// Adds them to the rows.
    pub(super) async fn store(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        self.store_figures(connection).await?;
        self.store_codes(connection).await?;
        self.store_customers(connection).await
    }

    async fn store_figures(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.promotions.is_empty() {
            return Ok(());
        }
        let column = |of: fn(&Figures) -> i64| self.promotions.values().map(of).collect::<Vec<i64>>();
        sqlx::query(
            "INSERT INTO promotion_figures AS known (tenant_id, promotion_id, codes, disabled, reserved, consumed)
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
             ON CONFLICT (tenant_id, promotion_id) DO UPDATE
             SET codes = known.codes + excluded.codes, disabled = known.disabled + excluded.disabled,
                 reserved = known.reserved + excluded.reserved, consumed = known.consumed + excluded.consumed",
        )
        .bind(self.promotions.keys().map(|(tenant, _)| tenant.uuid()).collect::<Vec<_>>())
        .bind(self.promotions.keys().map(|(_, promotion)| promotion.uuid()).collect::<Vec<_>>())
        .bind(column(|figures| figures.codes))
        .bind(column(|figures| figures.disabled))
        .bind(column(|figures| figures.used.reserved))
        .bind(column(|figures| figures.used.consumed))
        .execute(connection)
        .await?;
        Ok(())
    }

    async fn store_codes(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.codes.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE promotion_codes AS known SET reserved = known.reserved + used.reserved, consumed = known.consumed + used.consumed
             FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[]) AS used(tenant_id, code, reserved, consumed)
             WHERE known.tenant_id = used.tenant_id AND known.code = used.code",
        )
        .bind(self.codes.keys().map(|(tenant, _)| tenant.uuid()).collect::<Vec<_>>())
        .bind(self.codes.keys().map(|(_, code)| code.as_str()).collect::<Vec<_>>())
        .bind(self.codes.values().map(|used| used.reserved).collect::<Vec<_>>())
        .bind(self.codes.values().map(|used| used.consumed).collect::<Vec<_>>())
        .execute(connection)
        .await?;
        Ok(())
    }

    async fn store_customers(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.customers.is_empty() {
            return Ok(());
        }
        let keys = || self.customers.keys();
        let ids: (Vec<Uuid>, Vec<Uuid>) =
            keys().map(|((tenant, promotion), _)| (tenant.uuid(), promotion.uuid())).unzip();
        sqlx::query(
            "INSERT INTO promotion_customers AS known (tenant_id, promotion_id, customer, reserved, consumed)
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[])
             ON CONFLICT (tenant_id, promotion_id, customer) DO UPDATE
             SET reserved = known.reserved + excluded.reserved, consumed = known.consumed + excluded.consumed",
        )
        .bind(ids.0)
        .bind(ids.1)
        .bind(keys().map(|(_, customer)| customer.as_str()).collect::<Vec<_>>())
        .bind(self.customers.values().map(|used| used.reserved).collect::<Vec<_>>())
        .bind(self.customers.values().map(|used| used.consumed).collect::<Vec<_>>())
        .execute(connection)
        .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::{
        Timestamp,
        envelope::Envelope,
        events::{
            DomainEvent,
            promotions::{CouponConsumed, CouponReleased, CouponReserved, CouponUse},
        },
        ids::EventId,
        topics::Context,
    };

    const PROMOTION: PromotionId = PromotionId(Uuid::from_u128(3));
    const SHOP: TenantId = TenantId(Uuid::from_u128(1));

    fn usage(code: Option<&str>) -> CouponUse {
        CouponUse {
            promotion_id: PROMOTION,
            promotion: "welcome".to_owned(),
            checkout_id: Uuid::from_u128(4),
            code: code.map(str::to_owned),
            customer: "anna".to_owned(),
            is_first_order: false,
            is_given_back: true,
        }
    }

    fn summed(events: &[PromotionsEvent]) -> Sums {
        let mut sums = Sums::default();
        for happened in events {
            let envelope = Envelope {
                id: EventId(Uuid::nil()),
                event_type: happened.event_type().to_owned(),
                tenant: SHOP,
                context: Context::Promotions,
                aggregate: "coupon_usage".to_owned(),
                aggregate_id: Uuid::from_u128(2),
                version: 1,
                time: Timestamp::UNIX_EPOCH,
                correlation_id: "x".to_owned(),
                causation_id: None,
                traceparent: None,
            };
            let event = Event { key: "x".to_owned(), envelope, event: DomainEvent::Promotions(happened.clone()) };
            sums.used(&event, happened);
        }
        sums
    }

    #[test]
    fn what_is_reserved_becomes_consumed_and_what_is_given_back_is_neither() {
        let reserved = |code| PromotionsEvent::CouponReserved(CouponReserved { usage: usage(code) });
        let consumed = |code| PromotionsEvent::CouponConsumed(CouponConsumed { usage: usage(code) });
        let released =
            |code, was_consumed| PromotionsEvent::CouponReleased(CouponReleased { usage: usage(code), was_consumed });
        let sums = summed(&[reserved(Some("A-1")), reserved(None), consumed(Some("A-1"))]);
        let one_of_each = UsageStep { reserved: 1, consumed: 1 };
        assert_eq!(sums.promotions[&(SHOP, PROMOTION)].used, one_of_each);
        assert_eq!(sums.customers[&((SHOP, PROMOTION), "anna".to_owned())], one_of_each);
        assert_eq!(sums.codes[&(SHOP, "A-1".to_owned())], UsageStep { reserved: 0, consumed: 1 });
        let all = [
            reserved(Some("A-1")),
            consumed(Some("A-1")),
            released(Some("A-1"), true),
            reserved(None),
            released(None, false),
        ];
        assert_eq!(summed(&all).promotions[&(SHOP, PROMOTION)], Figures::default());
    }
}
