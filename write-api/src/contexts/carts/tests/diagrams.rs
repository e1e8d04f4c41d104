//! The states of a cart.

use super::rules::{CHECKOUT, OWNER, added, begun, changes, code, item};
use crate::{
    contexts::carts::domain::{Cart, CartChange, CartCommand, OpenCart, limits::MOST_PIECES},
    domain::{
        Aggregate,
        diagram::{Diagram, Exploration},
    },
};
use schemas::{Uuid, events::carts::CartEnd};

pub(in crate::contexts) fn all() -> Vec<Diagram> {
    let open = OpenCart::parse(OWNER, "EUR".parse().expect("a code"), None).expect("a cart");
    let other = [begun(), added(20, 200, 1)].iter().fold(None, Cart::apply).expect("a cart");
    // As many as are allowed: more of them would be another state each time.
    let add = CartChange::Add(item(10, 100, MOST_PIECES));
    let mut commands = vec![
        CartCommand::Open(open),
        CartCommand::Change(add),
        CartCommand::Change(CartChange::RemoveCoupon(code("a"))),
        CartCommand::Merge(Uuid::from_u128(9), Box::new(other)),
        CartCommand::End(CartEnd::Abandoned),
        CartCommand::Lock(CHECKOUT),
        CartCommand::Unlock(CHECKOUT),
        CartCommand::CheckOut(CHECKOUT),
    ];
    commands
        .extend(changes().into_iter().filter(|command| !matches!(command, CartCommand::Change(CartChange::Add(_)))));
    let cart = Exploration::<Cart> {
        title: "Cart",
        given: vec![],
        commands,
        name: |cart| Some(cart.phase.as_str()),
        without: &[],
    };
    vec![cart.diagram()]
}
