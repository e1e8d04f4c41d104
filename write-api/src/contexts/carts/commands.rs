//! What owners do with their carts.

pub(super) mod merge;

use super::{
    domain::{Cart, CartChange, CartCommand, CouponCode, Destination, NewItem, OpenCart, Options, Quantity},
    table,
};
use crate::{
    contexts::catalog::port::{self as catalog, KnownVariants, VariantRef},
    pipeline::{Expected, Failure, Loaded, Rejection, Scope, UseCase},
};
use schemas::{Uuid, buyer::Buyer, events::carts::CartEnd, ids::LineId};
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// A cart that somebody wants to have.
#[derive(Debug, Clone)]
pub(super) struct BeginRequest {
    /// The id it gets if it is new.
    pub(super) id: Uuid,
    pub(super) open: OpenCart,
}

/// Beginning a cart; who has one already has that.
pub(super) struct Begin;

/// The use case with the carts that it has loaded.
pub(super) type BegunCarts = Loaded<Begin>;

impl UseCase for Begin {
    type Aggregate = Cart;
    type Input = BeginRequest;
    /// The carts that owners have now.
    type Facts = BTreeMap<Buyer, Uuid>;

    fn name(_: &BeginRequest) -> &'static str {
        "begin_cart"
    }

    fn expected(_: &BeginRequest) -> Expected {
        Expected::Any
    }

    async fn facts(conn: &mut PgConnection, scope: &Scope, inputs: &[&BeginRequest]) -> Result<Self::Facts, Failure> {
        let mut found = BTreeMap::new();
        for owner in inputs.iter().map(|input| input.open.owner) {
            found.extend(table::current(&mut *conn, scope.tenant, owner).await?.map(|cart| (owner, cart)));
        }
        Ok(found)
    }

    fn target(current: &Self::Facts, input: &BeginRequest) -> Result<Uuid, Rejection> {
        Ok(current.get(&input.open.owner).copied().unwrap_or(input.id))
    }

    fn plan(_: &Self::Facts, input: &BeginRequest) -> Result<CartCommand, Rejection> {
        Ok(CartCommand::Open(input.open.clone()))
    }
}

/// What somebody wants of a cart.
#[derive(Debug, Clone)]
pub(super) struct CartRequest {
    pub(super) cart: Uuid,
    pub(super) by: Buyer,
    pub(super) expected: Expected,
    pub(super) wanted: Wanted,
}

/// What is wanted, as far as it is known without looking anything up.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// So many pieces more; the id is for a line that is new.
    Add { line: LineId, variant: VariantRef, quantity: Quantity, options: Options },
    /// So many pieces on a line.
    ChangeQuantity(LineId, Quantity),
    /// A line less.
    Remove(LineId),
    /// A code more.
    ApplyCoupon(CouponCode),
    /// A code less.
    RemoveCoupon(CouponCode),
    /// Another place, or another way there.
    Address(Destination),
    /// No cart.
    Abandon,
}

/// Whose carts are, and which variants there are.
pub(super) struct Known {
    owners: BTreeMap<Uuid, Buyer>,
    variants: KnownVariants,
}

/// Changing a cart, as its owner.
pub(super) struct ChangeCart;

/// Carts that their owners change.
pub(super) type OwnCarts = Loaded<ChangeCart>;

impl UseCase for ChangeCart {
    type Aggregate = Cart;
    type Input = CartRequest;
    type Facts = Known;

    fn name(input: &CartRequest) -> &'static str {
        match input.wanted {
            Wanted::Add { .. } => "add_cart_item",
            Wanted::ChangeQuantity(..) => "change_cart_quantity",
            Wanted::Remove(_) => "remove_cart_item",
            Wanted::ApplyCoupon(_) => "apply_coupon",
            Wanted::RemoveCoupon(_) => "remove_coupon",
            Wanted::Address(_) => "address_cart",
            Wanted::Abandon => "abandon_cart",
        }
    }

    fn expected(input: &CartRequest) -> Expected {
        input.expected
    }

    async fn facts(conn: &mut PgConnection, scope: &Scope, inputs: &[&CartRequest]) -> Result<Known, Failure> {
        let carts: Vec<Uuid> = inputs.iter().map(|input| input.cart).collect();
        let owners = table::owners(&mut *conn, scope.tenant, &carts).await?;
        let named = inputs.iter().filter_map(|input| match &input.wanted {
            Wanted::Add { variant, .. } => Some(variant),
            Wanted::ChangeQuantity(..)
            | Wanted::Remove(_)
            | Wanted::ApplyCoupon(_)
            | Wanted::RemoveCoupon(_)
            | Wanted::Address(_)
            | Wanted::Abandon => None,
        });
        Ok(Known { owners, variants: catalog::variants(conn, scope, named).await? })
    }

    /// Another's cart is not there, whatever version is expected of it.
    fn target(known: &Known, input: &CartRequest) -> Result<Uuid, Rejection> {
        let is_theirs = known.owners.get(&input.cart) == Some(&input.by);
        is_theirs.then_some(input.cart).ok_or_else(missing)
    }

    fn plan(known: &Known, input: &CartRequest) -> Result<CartCommand, Rejection> {
        Ok(CartCommand::Change(match input.wanted.clone() {
            Wanted::Abandon => return Ok(CartCommand::End(CartEnd::Abandoned)),
            Wanted::Add { line, variant, quantity, options } => {
                let known = known.variants.get(&variant)?;
                let (product_id, variant_id) = (known.product_id, known.variant_id);
                CartChange::Add(NewItem { line_id: line, product_id, variant_id, quantity, options })
            }
            Wanted::ChangeQuantity(line, quantity) => CartChange::ChangeQuantity(line, quantity),
            Wanted::Remove(line) => CartChange::Remove(line),
            Wanted::ApplyCoupon(code) => CartChange::ApplyCoupon(code),
            Wanted::RemoveCoupon(code) => CartChange::RemoveCoupon(code),
            Wanted::Address(destination) => CartChange::Address(destination),
        }))
    }
}

/// There is no such cart for whoever asks.
pub(super) fn missing() -> Rejection {
    Rejection::from(super::domain::Rejection::Missing)
}
