//! The codes of a shop, each of one promotion.

use super::super::domain::Code;
use crate::pipeline::Failure;
use schemas::{
    Uuid,
    ids::{PromotionId, TenantId},
};
use sqlx::PgConnection;
use std::collections::{BTreeMap, HashSet};

/// Whose a code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct KnownCode {
    pub(in super::super) promotion_id: PromotionId,
    pub(in super::super) is_disabled: bool,
}

/// Gives codes that nobody has to a promotion; tells which those were. Codes are to come in their order, so that two
/// transactions with the same ones don't wait for each other in a ring.
pub(in super::super) async fn add(
    conn: &mut PgConnection,
    tenant: TenantId,
    promotion: PromotionId,
    codes: &[Code],
) -> Result<HashSet<String>, Failure> {
    let texts: Vec<&str> = codes.iter().map(Code::as_str).collect();
    let added: Vec<String> = sqlx::query_scalar(
        "INSERT INTO promotions.codes (tenant_id, code, promotion_id)
         SELECT $1::uuid, new.code, $2::uuid FROM unnest($3::text[]) WITH ORDINALITY AS new(code, turn) ORDER BY new.turn
         ON CONFLICT (tenant_id, code) DO NOTHING RETURNING code",
    )
    .bind(tenant.uuid())
    .bind(promotion.uuid())
    .bind(texts)
    .fetch_all(conn)
    .await?;
    Ok(added.into_iter().collect())
}

/// Whose these codes are; those that are of no promotion are missing.
pub(in super::super) async fn find(
    conn: &mut PgConnection,
    tenant: TenantId,
    codes: &[&str],
) -> Result<BTreeMap<String, KnownCode>, Failure> {
    if codes.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(String, Uuid, bool)> = sqlx::query_as(
        "SELECT code, promotion_id, is_disabled FROM promotions.codes WHERE tenant_id = $1 AND code = ANY($2)",
    )
    .bind(tenant.uuid())
    .bind(codes)
    .fetch_all(conn)
    .await?;
    let known = |(code, id, is_disabled)| (code, KnownCode { promotion_id: PromotionId(id), is_disabled });
    Ok(rows.into_iter().map(known).collect())
}

/// Disables a code.
pub(in super::super) async fn disable(conn: &mut PgConnection, tenant: TenantId, code: &Code) -> Result<(), Failure> {
    sqlx::query("UPDATE promotions.codes SET is_disabled = true WHERE tenant_id = $1 AND code = $2")
        .bind(tenant.uuid())
        .bind(code.as_str())
        .execute(conn)
        .await?;
    Ok(())
}
