//! What the read side holds, as digests that a rebuild from scratch must give again. Versions of
//! documents and times of composing are left out: a rebuild counts and tells them anew.

use crate::stack::TestStack;
use search::{background::Throttle, digest, reader::IndexHandle};

/// The digests of views, documents, index and vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// Product pages.
    pub pages: String,
    /// Category listings.
    pub listing: String,
    /// Categories.
    pub categories: String,
    /// What steers search.
    pub merchandising: String,
    /// What shops have decided.
    pub settings: String,
    /// Carts.
    pub carts: String,
    /// Promotions, codes, and how often both are used.
    pub promotions: String,
    /// Payments, what has come and gone back, and the ledger.
    pub payments: String,
    /// Checkouts and orders.
    pub orders: String,
    /// What shoppers did, by query and by product.
    pub insights: String,
    /// Live search documents.
    pub documents: String,
    /// Live documents of the index, and the digest over them.
    pub index: (u64, String),
    /// What was embedded, by product.
    pub vectors: String,
}

/// Takes the digests; the projections should have caught up.
pub async fn take(stack: &TestStack) -> Digests {
    let rows = |query: &'static str| async move {
        let digest: Option<String> = sqlx::query_scalar(query).fetch_one(&stack.read).await.expect("a digest");
        digest.unwrap_or_default()
    };
    let active: String = sqlx::query_scalar("SELECT generation FROM index_generations WHERE state = 'active'")
        .fetch_one(&stack.read)
        .await
        .expect("an active generation");
    let handle = IndexHandle::open(&stack.stack.index_dir(), &active).expect("the index");
    let index = digest::digest_set(&handle.snapshot(), &[], &Throttle::default()).expect("a digest set");
    Digests {
        pages: rows("SELECT md5(string_agg(product_id || slug || status || page, '|' ORDER BY tenant_id, product_id)) FROM product_pages").await,
        listing: rows("SELECT md5(string_agg(category_id::text || product_id || card, '|' ORDER BY tenant_id, category_id, product_id)) FROM listing").await,
        categories: rows("SELECT md5(string_agg(category_id::text || path_slugs::text, '|' ORDER BY tenant_id, category_id)) FROM categories").await,
        merchandising: rows("SELECT md5(string_agg(kind || name || version || coalesce(body::text, ''), '|' ORDER BY tenant_id, kind, name)) FROM merchandising").await,
        settings: rows("SELECT md5(string_agg(kind || name || version || coalesce(body::text, ''), '|' ORDER BY tenant_id, kind, name)) FROM settings").await,
        carts: rows("SELECT md5(string_agg(carts::text, '|' ORDER BY tenant_id, cart_id)) FROM carts").await,
        promotions: rows("SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (SELECT promotions::text AS line FROM promotions UNION ALL SELECT promotion_codes::text FROM promotion_codes UNION ALL SELECT promotion_figures::text FROM promotion_figures UNION ALL SELECT promotion_customers::text FROM promotion_customers) AS lines").await,
        payments: rows("SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (SELECT payments::text AS line FROM payments UNION ALL SELECT payment_captures::text FROM payment_captures UNION ALL SELECT payment_transfers::text FROM payment_transfers UNION ALL SELECT refunds::text FROM refunds UNION ALL SELECT payment_providers::text FROM payment_providers UNION ALL SELECT ledger_entries::text FROM ledger_entries UNION ALL SELECT ledger_hours::text FROM ledger_hours) AS lines").await,
        orders: rows("SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (SELECT checkouts::text AS line FROM checkouts UNION ALL SELECT orders::text FROM orders UNION ALL SELECT order_history::text FROM order_history) AS lines").await,
        insights: rows("SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (SELECT insight_queries::text AS line FROM insight_queries UNION ALL SELECT insight_products::text FROM insight_products) AS lines").await,
        documents: rows("SELECT md5(string_agg(product_id || content_hash, '|' ORDER BY tenant_id, product_id)) FROM documents WHERE NOT deleted").await,
        index: (index.live(), index.digest()),
        vectors: rows("SELECT md5(string_agg(product_id || content_hash, '|' ORDER BY tenant_id, product_id)) FROM embeddings").await,
    }
}
