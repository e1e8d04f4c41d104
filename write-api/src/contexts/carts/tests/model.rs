//! Whatever is done to two carts in whatever order, they keep the rules, and a model that only counts pieces agrees with them.

use super::rules::{CHECKOUT, OWNER, item, pieces};
use crate::{
    contexts::carts::domain::{
        Cart, CartChange, CartCommand, CouponCode, OpenCart,
        limits::{MOST_COUPONS, MOST_LINES, MOST_PIECES},
    },
    domain::Aggregate,
};
use proptest::prelude::*;
use schemas::{Uuid, buyer::Buyer, cart::CartPhase, events::carts::CartEnd, ids::LineId};
use std::collections::{BTreeMap, BTreeSet};

/// What may be done; lines and variants are few, so that they meet.
#[derive(Debug, Clone)]
enum Step {
    Add(u128, u32),
    Change(usize, u32),
    Remove(usize),
    Coupon(u8),
    NoCoupon(u8),
    Lock,
    Unlock,
    /// Another cart with so many pieces of some variants, under an id of few.
    Merge(u128, Vec<(u128, u32)>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let quantity = || prop_oneof![1_u32..5, 990_u32..=MOST_PIECES];
    let step = prop_oneof![
        4 => (0_u128..4, quantity()).prop_map(|(variant, pieces)| Step::Add(variant, pieces)),
        2 => (0_usize..4, quantity()).prop_map(|(line, pieces)| Step::Change(line, pieces)),
        2 => (0_usize..4).prop_map(Step::Remove),
        1 => (0_u8..12).prop_map(Step::Coupon),
        1 => (0_u8..12).prop_map(Step::NoCoupon),
        1 => Just(Step::Lock),
        2 => Just(Step::Unlock),
        2 => (0_u128..3, prop::collection::vec((0_u128..4, quantity()), 0..4))
            .prop_map(|(id, lines)| Step::Merge(id, lines)),
    ];
    prop::collection::vec(step, 0..40)
}

/// A cart that is begun by the same rules.
fn open(owner: Buyer) -> Cart {
    let open = OpenCart::parse(owner, "EUR".parse().expect("a code"), None).expect("a cart");
    done(None, CartCommand::Open(open)).expect("begun")
}

/// The state after a command, if it is allowed.
fn done(state: Option<&Cart>, command: CartCommand) -> Option<Cart> {
    let events = Cart::decide(state, command).ok()?;
    events.iter().fold(state.cloned(), Cart::apply)
}

/// Its lines have ids of their own, as all lines have.
fn other(id: u128, lines: &[(u128, u32)]) -> Cart {
    lines.iter().enumerate().fold(open(Buyer::guest(Uuid::from_u128(2))), |cart, (n, (variant, quantity))| {
        let line = 10_000 * (id + 1) + u128::try_from(n).unwrap_or_default();
        let add = CartCommand::Change(CartChange::Add(item(line, *variant, *quantity)));
        done(Some(&cart), add).unwrap_or(cart)
    })
}

/// Pieces by variant.
fn counted(cart: &Cart) -> BTreeMap<Uuid, u32> {
    cart.lines.iter().map(|line| (line.variant_id.uuid(), line.quantity)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_cart_keeps_its_rules_whatever_is_done(steps in steps()) {
        let (mut cart, mut model, mut merged) = (open(OWNER), BTreeMap::<Uuid, u32>::new(), BTreeSet::new());
        for (number, step) in steps.into_iter().enumerate() {
            let line = |at: usize| cart.lines.get(at).map_or(LineId(Uuid::nil()), |line| line.line_id);
            let code = |number: u8| CouponCode::parse(&format!("c{number}")).expect("a code");
            let new = 100 + u128::try_from(number).unwrap_or_default();
            let command = match &step {
                Step::Add(variant, quantity) => CartCommand::Change(CartChange::Add(item(new, *variant, *quantity))),
                Step::Change(at, quantity) => CartCommand::Change(CartChange::ChangeQuantity(line(*at), pieces(*quantity))),
                Step::Remove(at) => CartCommand::Change(CartChange::Remove(line(*at))),
                Step::Coupon(number) => CartCommand::Change(CartChange::ApplyCoupon(code(*number))),
                Step::NoCoupon(number) => CartCommand::Change(CartChange::RemoveCoupon(code(*number))),
                Step::Lock => CartCommand::Lock(CHECKOUT),
                Step::Unlock => CartCommand::Unlock(CHECKOUT),
                Step::Merge(id, lines) => CartCommand::Merge(Uuid::from_u128(*id), Box::new(other(*id, lines))),
            };
            let was_locked = cart.phase == CartPhase::Locked;
            let Some(after) = done(Some(&cart), command) else { continue };
            if was_locked {
                prop_assert_eq!(&after.lines, &cart.lines, "a locked cart changes nothing");
            } else {
                match step {
                    Step::Add(variant, quantity) => *model.entry(Uuid::from_u128(variant)).or_default() += quantity,
                    Step::Change(at, quantity) => {
                        model.insert(cart.lines[at].variant_id.uuid(), quantity);
                    }
                    Step::Remove(at) => drop(model.remove(&cart.lines[at].variant_id.uuid())),
                    Step::Merge(id, lines) if merged.insert(id) => {
                        for (variant, quantity) in counted(&other(id, &lines)) {
                            let pieces = model.entry(variant).or_default();
                            *pieces = (*pieces + quantity).min(MOST_PIECES);
                        }
                    }
                    Step::Merge(..) | Step::Coupon(_) | Step::NoCoupon(_) | Step::Lock | Step::Unlock => {}
                }
            }
            cart = after;
            prop_assert_eq!(&counted(&cart), &model);
            prop_assert!(cart.lines.iter().all(|line| (1..=MOST_PIECES).contains(&line.quantity)));
            let kinds: BTreeSet<_> = cart.lines.iter().map(|line| (line.variant_id, &line.options)).collect();
            prop_assert_eq!(kinds.len(), cart.lines.len(), "one line for each kind");
            prop_assert!(cart.lines.len() <= MOST_LINES && cart.coupons.len() <= MOST_COUPONS);
            let written = serde_json::to_string(&cart).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Cart>(&written).expect("a cart"), cart.clone());
        }
        let ended = if cart.phase == CartPhase::Open { done(Some(&cart), CartCommand::End(CartEnd::Abandoned)) } else { None };
        prop_assert!(ended.is_none_or(|cart| cart.lines.is_empty() && !cart.phase.is_current()));
    }
}
