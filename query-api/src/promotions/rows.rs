//! What the views have of promotions.

use super::{CODE, FoundCode, Promotion, Promotions};
use schemas::{
    Uuid,
    events::promotions::PromotionContent,
    ids::{PromotionId, TenantId},
};
use sqlx::types::Json;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A code as it was read: itself, its promotion with the version, whether it is disabled, whether the promotion has ended,
/// and how often the code was used.
type CodeRow = (String, Uuid, i64, bool, bool, i64);

impl Promotions {
    /// Automatic promotions that have not ended, by id.
    pub(super) async fn automatic(&self, tenant: TenantId) -> Result<Vec<Arc<Promotion>>, sqlx::Error> {
        let named: Vec<(Uuid, i64)> = sqlx::query_as(
            "SELECT promotion_id, version FROM promotions WHERE tenant_id = $1 AND ended_at IS NULL AND NOT needs_code
             ORDER BY promotion_id",
        )
        .bind(tenant.uuid())
        .fetch_all(&self.pool)
        .await?;
        let read = self.read(tenant, &named).await?;
        Ok(named.iter().filter_map(|(id, _)| read.get(&PromotionId(*id)).cloned()).collect())
    }

    /// What is known of codes, by code in capitals. What no code looks like is not asked for.
    pub(super) async fn of_codes(
        &self,
        tenant: TenantId,
        codes: &[String],
    ) -> Result<BTreeMap<String, FoundCode>, sqlx::Error> {
        let codes: BTreeSet<String> = codes
            .iter()
            .map(|code| code.to_ascii_uppercase())
            .filter(|code| CODE.contains(&code.len()) && !code.contains('\0'))
            .collect();
        if codes.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows: Vec<CodeRow> = sqlx::query_as(
            "SELECT c.code, p.promotion_id, p.version, c.disabled_at IS NOT NULL, p.ended_at IS NOT NULL, c.reserved + c.consumed
             FROM promotion_codes AS c JOIN promotions AS p ON p.tenant_id = c.tenant_id AND p.promotion_id = c.promotion_id
             WHERE c.tenant_id = $1 AND c.code = ANY($2)",
        )
        .bind(tenant.uuid())
        .bind(codes.into_iter().collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        let named: Vec<(Uuid, i64)> = rows.iter().map(|(_, id, version, ..)| (*id, *version)).collect();
        let read = self.read(tenant, &named).await?;
        let found = |(code, id, _, is_disabled, has_ended, used): CodeRow| {
            let promotion = read.get(&PromotionId(id)).cloned()?;
            Some((code, FoundCode { promotion, is_disabled, has_ended, used }))
        };
        Ok(rows.into_iter().filter_map(found).collect())
    }

    /// Promotions of these versions, or later ones: those that are not kept are read.
    async fn read(
        &self,
        tenant: TenantId,
        named: &[(Uuid, i64)],
    ) -> Result<BTreeMap<PromotionId, Arc<Promotion>>, sqlx::Error> {
        let (mut found, mut missing) = (BTreeMap::new(), Vec::new());
        for (id, version) in named {
            let id = PromotionId(*id);
            match self.known.get(&(tenant, id, *version)).await {
                Some(known) => drop(found.insert(id, known)),
                None => missing.push(id.uuid()),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let rows: Vec<(Uuid, i64, String, Json<PromotionContent>)> = sqlx::query_as(
            "SELECT promotion_id, version, name, content FROM promotions WHERE tenant_id = $1 AND promotion_id = ANY($2)",
        )
        .bind(tenant.uuid())
        .bind(missing)
        .fetch_all(&self.pool)
        .await?;
        for (id, version, name, Json(content)) in rows {
            let promotion = Arc::new(Promotion { id: PromotionId(id), version, name, content });
            self.known.insert((tenant, promotion.id, version), Arc::clone(&promotion)).await;
            found.insert(promotion.id, promotion);
        }
        Ok(found)
    }

    /// How often promotions were used by all.
    pub(super) async fn used_in_all(
        &self,
        tenant: TenantId,
        promotions: &BTreeSet<PromotionId>,
    ) -> Result<BTreeMap<PromotionId, i64>, sqlx::Error> {
        if promotions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows: Vec<(Uuid, i64)> = sqlx::query_as(
            "SELECT promotion_id, reserved + consumed FROM promotion_figures WHERE tenant_id = $1 AND promotion_id = ANY($2)",
        )
        .bind(tenant.uuid())
        .bind(promotions.iter().map(|id| id.uuid()).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(id, used)| (PromotionId(id), used)).collect())
    }

    /// How often promotions were used by customers, by customer.
    pub(super) async fn used_by(
        &self,
        tenant: TenantId,
        customers: &BTreeSet<&str>,
        promotions: &BTreeSet<PromotionId>,
    ) -> Result<BTreeMap<String, BTreeMap<PromotionId, i64>>, sqlx::Error> {
        if promotions.is_empty() || customers.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows: Vec<(String, Uuid, i64)> = sqlx::query_as(
            "SELECT customer, promotion_id, reserved + consumed FROM promotion_customers
             WHERE tenant_id = $1 AND promotion_id = ANY($2) AND customer = ANY($3)",
        )
        .bind(tenant.uuid())
        .bind(promotions.iter().map(|id| id.uuid()).collect::<Vec<_>>())
        .bind(customers.iter().copied().collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        let mut used: BTreeMap<String, BTreeMap<PromotionId, i64>> = BTreeMap::new();
        for (customer, id, count) in rows {
            used.entry(customer).or_default().insert(PromotionId(id), count);
        }
        Ok(used)
    }
}
