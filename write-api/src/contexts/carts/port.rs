//! What other contexts may do with carts: a checkout holds one, lets go of it, or ends it with an order; and whoever is erased
//! has none.

use super::{
    domain::{CartCommand, Rejection as Refused},
    table,
};
use crate::{
    domain::Aggregate,
    pipeline::{
        App, Change, Error, Expected, Failure, Rejection, Scope, Stored, database::Database, procedure::Procedure,
    },
};
use schemas::{Uuid, buyer::Buyer, cart::Cart, contexts::Context, events::carts::CartEnd, ids::TenantId};
use sqlx::PgConnection;

/// A cart as it is after a command, with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeldCart {
    pub(crate) cart_id: Uuid,
    pub(crate) version: u64,
    pub(crate) cart: Cart,
}

/// A cart as it is now, with its version.
pub(crate) async fn find(database: &Database, tenant: TenantId, cart: Uuid) -> Result<Option<(u64, Cart)>, Failure> {
    table::find(&mut *database.of_shop(tenant).await?, tenant, cart).await
}

/// Holds somebody's cart for a checkout, if it has the version that the shopper saw. The same checkout may ask again.
///
/// # Errors
/// `not_found` if it is not theirs; `cart_locked`, `cart_closed`, `cart_empty`, or another version.
pub(crate) async fn lock(
    app: &App,
    scope: &Scope,
    (cart, by): (Uuid, Buyer),
    expected: Expected,
    checkout: Uuid,
) -> Result<HeldCart, Error> {
    app.procedure(scope, &Hold { cart, by: Some(by), expected, command: CartCommand::Lock(checkout) }).await
}

/// Lets go of a cart, if this checkout holds it; otherwise it stays as it is.
///
/// # Errors
/// `not_found`.
pub(crate) async fn unlock(app: &App, scope: &Scope, cart: Uuid, checkout: Uuid) -> Result<HeldCart, Error> {
    let (by, expected, command) = (None, Expected::Any, CartCommand::Unlock(checkout));
    app.procedure(scope, &Hold { cart, by, expected, command }).await
}

/// Ends a cart with the order that this checkout has made. The same checkout may ask again.
///
/// # Errors
/// `not_found`, or `cart_not_locked` if this checkout does not hold it.
pub(crate) async fn check_out(app: &App, scope: &Scope, cart: Uuid, checkout: Uuid) -> Result<HeldCart, Error> {
    let (by, expected, command) = (None, Expected::Any, CartCommand::CheckOut(checkout));
    app.procedure(scope, &Hold { cart, by, expected, command }).await
}

/// Ends the cart of somebody who is erased. One that a checkout holds is the checkout's.
///
/// # Errors
/// The database's.
pub(crate) async fn forget(app: &App, scope: &Scope, owner: Buyer) -> Result<(), Error> {
    app.procedure(scope, &Forget { owner }).await
}

/// A command of a checkout.
struct Hold {
    cart: Uuid,
    /// Whose it has to be, if that is not known yet.
    by: Option<Buyer>,
    expected: Expected,
    command: CartCommand,
}

impl Procedure for Hold {
    const CONTEXT: Context = Context::Carts;
    type Output = HeldCart;

    fn name(&self) -> &'static str {
        match self.command {
            CartCommand::Lock(_) => "lock_cart",
            CartCommand::Unlock(_) => "unlock_cart",
            CartCommand::CheckOut(_) => "check_out_cart",
            CartCommand::Open(_) | CartCommand::Change(_) | CartCommand::Merge(..) | CartCommand::End(_) => {
                "change_cart"
            }
        }
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, HeldCart), Error> {
        let id = self.cart;
        let mut carts = Cart::load(conn, scope, &[id]).await?;
        let missing = || Rejection::from(Refused::Missing);
        let theirs = carts.state(id).filter(|cart| self.by.is_none_or(|by| cart.owner() == by));
        theirs.ok_or_else(missing)?;
        let command = self.command.clone();
        let done = carts.carry_out(id, self.expected, |carts| Ok(Cart::decide(carts.state(id), command)?))?;
        let cart = carts.state(id).cloned().ok_or_else(missing)?;
        carts.append(conn, scope).await?;
        Ok((done.change, HeldCart { cart_id: id, version: done.version, cart }))
    }
}

struct Forget {
    owner: Buyer,
}

impl Procedure for Forget {
    const CONTEXT: Context = Context::Carts;
    type Output = ();

    fn name(&self) -> &'static str {
        "forget_cart"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, ()), Error> {
        let Some(id) = table::current(&mut *conn, scope.tenant, self.owner).await? else {
            return Ok((Change::Unchanged, ()));
        };
        let mut carts = Cart::load(conn, scope, &[id]).await?;
        if carts.state(id).is_none_or(|cart| cart.checkout_id.is_some()) {
            return Ok((Change::Unchanged, ()));
        }
        let end = CartCommand::End(CartEnd::OwnerErased);
        let done = carts.carry_out(id, Expected::Any, |carts| Ok(Cart::decide(carts.state(id), end)?))?;
        carts.append(conn, scope).await?;
        Ok((done.change, ()))
    }
}
