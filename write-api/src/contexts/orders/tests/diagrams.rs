//! The states of an order.

use super::{cancel, created};
use crate::{
    contexts::orders::domain::{Order, OrderCommand},
    domain::diagram::{Diagram, Exploration},
};
use schemas::{
    Uuid,
    events::{orders::OrderActor, settings::PaymentMethod},
    order::{Fulfilment, Lifecycle, OrderPayment},
};

const NOTE: &str =
    "How far it is paid and how far the goods are, payments and shipments tell ([orders](guides/orders.md)).";

pub(in crate::contexts) fn all() -> Vec<Diagram> {
    let mut commands = vec![
        OrderCommand::Create(Box::new(created())),
        OrderCommand::Claim { user: Uuid::from_u128(4) },
        OrderCommand::Confirm { number: "A-1".to_owned() },
        OrderCommand::PayBy(PaymentMethod::Card),
        OrderCommand::PayBy(PaymentMethod::Transfer),
        cancel(),
        OrderCommand::Close { by: OrderActor::Process },
    ];
    commands.extend(OrderPayment::ALL.iter().map(|payment| OrderCommand::Payment {
        payment: *payment,
        paid: 4_200,
        refunded: 0,
    }));
    commands.extend(Fulfilment::ALL.iter().map(|fulfilment| OrderCommand::Fulfil(*fulfilment)));
    let order = Exploration::<Order> {
        title: "Order",
        given: vec![],
        commands,
        name: |order| Some(order.lifecycle.as_str()),
        without: &[],
    };
    let order = order.diagram();
    let all: Vec<&str> = Lifecycle::ALL.iter().map(|lifecycle| lifecycle.as_str()).collect();
    assert!(order.has(&all), "{order}");
    vec![order.with_note(NOTE)]
}
