//! Carts of a span of time with what was in them, for those who try something on them.
//!
//! A cart that was ordered is empty: what was in it stands in its checkout. One that has ended without an order is empty for good.

use super::asked::StoredCart;
use futures::TryStreamExt;
use schemas::{
    Timestamp, Uuid,
    cart::{Cart, CartPhase},
    events::carts::CartLine,
    ids::TenantId,
    place::Place,
    quote::Quote,
};
use sqlx::PgPool;
use std::collections::{BTreeMap, BTreeSet};

/// Lines of all carts together: what they are priced with is held in memory.
const MOST_LINES: usize = 20_000;

/// Which carts.
#[derive(Debug, Clone)]
pub(in crate::reads) struct PastCarts {
    /// Changed last at this moment or later.
    pub(in crate::reads) from: Timestamp,
    /// Changed last before this moment.
    pub(in crate::reads) until: Timestamp,
    /// In one of these phases.
    pub(in crate::reads) phases: Vec<CartPhase>,
    /// So many at most.
    pub(in crate::reads) limit: usize,
}

/// A cart as it was read: id, version, state, the times of its beginning and of its last change, and of one that was ordered
/// the quote of its checkout and the country that the goods went to.
type Row = (Uuid, i64, String, Timestamp, Timestamp, Option<String>, Option<String>);

impl PastCarts {
    /// Those with something in them, the last changed first, and whether there are more.
    pub(in crate::reads) async fn find(
        &self,
        pool: &PgPool,
        tenant: TenantId,
    ) -> Result<(Vec<StoredCart>, bool), sqlx::Error> {
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX).saturating_add(1);
        let mut rows = sqlx::query_as(
            "SELECT c.cart_id, c.version, c.state, c.begun_at, c.touched_at, k.quote, o.country
             FROM carts AS c
             LEFT JOIN checkouts AS k ON c.phase = 'checked_out' AND k.tenant_id = c.tenant_id
               AND k.checkout_id = (c.state::jsonb ->> 'checkout_id')::uuid
             LEFT JOIN orders AS o ON o.tenant_id = k.tenant_id AND o.order_id = k.order_id
             WHERE c.tenant_id = $1 AND c.touched_at >= $2 AND c.touched_at < $3 AND c.phase <> 'expired' AND c.phase = ANY($4)
               AND (k.quote IS NOT NULL OR c.state::jsonb ? 'lines')
             ORDER BY c.touched_at DESC, c.cart_id DESC LIMIT $5",
        )
        .bind(tenant.uuid())
        .bind(self.from)
        .bind(self.until)
        .bind(self.phases.iter().map(|phase| phase.as_str()).collect::<Vec<_>>())
        .bind(limit)
        .fetch(pool);
        let (mut carts, mut lines) = (Vec::new(), 0);
        while let Some(row) = rows.try_next().await? {
            let cart = read(row)?;
            lines += cart.cart.lines.len();
            if carts.len() == self.limit || lines > MOST_LINES {
                return Ok((carts, true));
            }
            carts.push(cart);
        }
        Ok((carts, false))
    }
}

fn read((id, version, state, begun_at, touched_at, quote, country): Row) -> Result<StoredCart, sqlx::Error> {
    let unreadable = |error: serde_json::Error| sqlx::Error::Decode(Box::new(error));
    let mut cart: Cart = serde_json::from_str(&state).map_err(unreadable)?;
    if let Some(quote) = quote {
        refill(&mut cart, serde_json::from_str(&quote).map_err(unreadable)?, country);
    }
    Ok(StoredCart { id, version, cart, begun_at, touched_at })
}

/// Puts back what was ordered: pieces, codes, the way they were sent, and of the place what is still known, its country.
fn refill(cart: &mut Cart, quote: Quote, country: Option<String>) {
    let lines = quote.lines.into_iter().filter(|line| line.gift_of.is_none());
    cart.lines = lines
        .map(|line| CartLine {
            line_id: line.id,
            product_id: line.product_id,
            variant_id: line.variant_id,
            quantity: line.quantity,
            options: BTreeMap::new(),
        })
        .collect();
    let counted = quote.discounts.into_iter().filter_map(|discount| discount.code);
    let others = quote.notices.into_iter().filter_map(|notice| notice.coupon);
    cart.coupons = counted.chain(others).collect::<BTreeSet<_>>().into_iter().collect();
    cart.shipping_method = quote.shipping.into_iter().next().map(|charge| charge.method);
    cart.place = country.map(|country| Place { country, ..Place::default() });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reads::carts::example_quote;
    use schemas::{buyer::Buyer, events::carts::CartCreated, money::Currency, quote::Discount};

    #[test]
    fn what_was_ordered_is_put_back_without_gifts() {
        let mut quote = example_quote().expect("a quote");
        let mut gift = quote.lines[0].clone();
        gift.gift_of = Some("spring".to_owned());
        quote.lines.push(gift);
        quote.discounts.push(Discount {
            promotion: "welcome".to_owned(),
            title: "Welcome".to_owned(),
            code: Some("WELCOME-1".to_owned()),
            amount: 100,
            words: String::new(),
            lines: Vec::new(),
            shipping: Vec::new(),
        });
        let owner = Buyer::guest(Uuid::nil());
        let mut cart = Cart::begun(CartCreated { owner, currency: Currency::USD, channel: None });
        let first = quote.lines[0].clone();
        refill(&mut cart, quote, Some("CO".to_owned()));
        assert_eq!(cart.lines.len(), 1);
        assert_eq!((cart.lines[0].line_id, cart.lines[0].quantity), (first.id, first.quantity));
        // The code of the example is none, which its notice says.
        assert_eq!(cart.coupons, ["SUMMER-10", "WELCOME-1"]);
        assert_eq!(cart.place.map(|place| place.country).as_deref(), Some("CO"));
    }
}
