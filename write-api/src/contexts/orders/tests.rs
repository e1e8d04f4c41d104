//! What orders decide.

pub(in crate::contexts) mod diagrams;

use super::domain::{Order, OrderCommand, Rejection};
use crate::domain::{Aggregate, scenario::Scenario};
use proptest::prelude::*;
use schemas::{
    Timestamp, Uuid,
    buyer::Buyer,
    events::{
        OrdersEvent,
        accounts::Sealed,
        orders::{
            OrderActor, OrderCancelled, OrderClosed, OrderConfirmed, OrderCreated, OrderFulfilmentChanged, OrderPaid,
            OrderPaymentChanged, OrderRefunded,
        },
        settings::{PaymentMethod, TaxMode},
    },
    order::{Fulfilment, Lifecycle, OrderPayment, OrderStatus},
    quote::{Quote, Totals},
};

fn quote(digest: &str, total: i64) -> Quote {
    Quote {
        digest: digest.to_owned(),
        priced_at: Timestamp::UNIX_EPOCH,
        currency: "EUR".parse().expect("a code"),
        tax_mode: TaxMode::Inclusive,
        tax_zone: None,
        lines: Vec::new(),
        shipping: Vec::new(),
        discounts: Vec::new(),
        taxes: Vec::new(),
        totals: Totals { goods: total, total, net: total, ..Totals::default() },
        needs_payment: total > 0,
        notices: Vec::new(),
        sources: Vec::new(),
    }
}

fn created() -> OrderCreated {
    OrderCreated {
        checkout_id: Uuid::from_u128(1),
        cart_id: Uuid::from_u128(2),
        buyer: Buyer::guest(Uuid::from_u128(3)),
        channel: None,
        email: Sealed("sealed".to_owned()),
        shipping_address: None,
        billing_address: None,
        place: None,
        payment_method: PaymentMethod::Card,
        access_digest: None,
        guest_key: Some("digest".to_owned()),
        quote: quote("d", 4_200),
    }
}

fn made() -> OrdersEvent {
    OrdersEvent::Created(Box::new(created()))
}

fn confirmed() -> OrdersEvent {
    OrdersEvent::Confirmed(OrderConfirmed { number: "A-1".to_owned() })
}

fn paid() -> OrdersEvent {
    OrdersEvent::PaymentChanged(OrderPaymentChanged { payment: OrderPayment::Paid, paid: 4_200, refunded: 0 })
}

fn fulfilled(fulfilment: Fulfilment) -> OrdersEvent {
    OrdersEvent::FulfilmentChanged(OrderFulfilmentChanged { fulfilment })
}

fn cancel() -> OrderCommand {
    OrderCommand::Cancel { by: OrderActor::Process, reason: "deadline".to_owned(), note: None }
}

fn cancelled() -> OrdersEvent {
    OrdersEvent::Cancelled(OrderCancelled { by: OrderActor::Process, reason: "deadline".to_owned(), note: None })
}

#[test]
fn an_order_is_made_once() {
    let make = |created| OrderCommand::Create(Box::new(created));
    Scenario::<Order>::given([]).when(make(created())).then([made()]);
    Scenario::<Order>::given([made()]).when(make(created())).then_nothing();
    let other = OrderCreated { quote: quote("e", 1), ..created() };
    Scenario::<Order>::given([made()]).when(make(other)).then_rejected(Rejection::Made);
    Scenario::<Order>::given([]).when(cancel()).then_rejected(Rejection::Missing);
}

#[test]
fn a_number_is_given_once() {
    let confirm = |number: &str| OrderCommand::Confirm { number: number.to_owned() };
    Scenario::<Order>::given([made()]).when(confirm("A-1")).then([confirmed()]);
    Scenario::<Order>::given([made(), confirmed()]).when(confirm("A-2")).then_nothing();
    Scenario::<Order>::given([made(), cancelled()]).when(confirm("A-1")).then_rejected(Rejection::Cancelled);
}

#[test]
fn that_all_has_come_is_told_once() {
    let payment = OrderCommand::Payment { payment: OrderPayment::Paid, paid: 4_200, refunded: 0 };
    let told = OrdersEvent::Paid(OrderPaid { paid: 4_200 });
    Scenario::<Order>::given([made(), confirmed()]).when(payment.clone()).then([paid(), told.clone()]);
    Scenario::<Order>::given([made(), confirmed(), paid(), told]).when(payment).then_nothing();
    let too_much = OrderCommand::Payment { payment: OrderPayment::Refunded, paid: 1, refunded: 2 };
    Scenario::<Order>::given([made()]).when(too_much).then_rejected(Rejection::Sums);
}

#[test]
fn money_that_goes_back_is_told_of_cancelled_orders_too() {
    let refund = OrderCommand::Payment { payment: OrderPayment::Refunded, paid: 4_200, refunded: 4_200 };
    Scenario::<Order>::given([made(), paid(), cancelled()]).when(refund).then([
        OrdersEvent::PaymentChanged(OrderPaymentChanged {
            payment: OrderPayment::Refunded,
            paid: 4_200,
            refunded: 4_200,
        }),
        OrdersEvent::Refunded(OrderRefunded { refunded: 4_200 }),
    ]);
}

#[test]
fn the_word_that_is_shown_follows_from_all_three() {
    let status = |events: &[OrdersEvent]| events.iter().fold(None, Order::apply).map(|order| order.status());
    assert_eq!(status(&[made()]), Some(OrderStatus::Created));
    assert_eq!(status(&[made(), confirmed()]), Some(OrderStatus::Confirmed));
    assert_eq!(status(&[made(), confirmed(), paid()]), Some(OrderStatus::Paid));
    assert_eq!(status(&[made(), confirmed(), fulfilled(Fulfilment::Shipped)]), Some(OrderStatus::Shipped));
    assert_eq!(status(&[made(), confirmed(), paid(), cancelled()]), Some(OrderStatus::Cancelled));
}

#[test]
fn it_is_cancelled_until_goods_leave() {
    Scenario::<Order>::given([made()]).when(cancel()).then([cancelled()]);
    Scenario::<Order>::given([made(), confirmed(), paid()]).when(cancel()).then([cancelled()]);
    Scenario::<Order>::given([made(), cancelled()]).when(cancel()).then_nothing();
    let shipped = [made(), confirmed(), fulfilled(Fulfilment::PartlyShipped)];
    Scenario::<Order>::given(shipped).when(cancel()).then_rejected(Rejection::Shipped);
}

#[test]
fn it_is_closed_once_goods_and_money_are_where_they_belong() {
    let close = || OrderCommand::Close { by: OrderActor::Process };
    let closed = OrdersEvent::Closed(OrderClosed { by: OrderActor::Process });
    let delivered = [made(), confirmed(), fulfilled(Fulfilment::Delivered)];
    Scenario::<Order>::given(delivered.clone()).when(close()).then_rejected(Rejection::Open);
    let all = delivered.into_iter().chain([paid()]);
    Scenario::<Order>::given(all.clone()).when(close()).then([closed.clone()]);
    Scenario::<Order>::given(all.chain([closed])).when(close()).then_nothing();
}

fn any_command() -> impl Strategy<Value = OrderCommand> {
    prop_oneof![
        Just(OrderCommand::Create(Box::new(created()))),
        "[A-Z]{1,3}".prop_map(|number| OrderCommand::Confirm { number }),
        (proptest::sample::select(OrderPayment::ALL), 0_i64..9, 0_i64..9)
            .prop_map(|(payment, paid, refunded)| OrderCommand::Payment { payment, paid, refunded }),
        proptest::sample::select(Fulfilment::ALL).prop_map(OrderCommand::Fulfil),
        Just(cancel()),
        Just(OrderCommand::Close { by: OrderActor::Process }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_comes_revisions_stay_and_ends_are_final(commands in proptest::collection::vec(any_command(), 0..20)) {
        let mut state: Option<Order> = None;
        for command in commands {
            let before = state.clone();
            let Ok(events) = Order::decide(state.as_ref(), command.clone()) else { continue };
            state = events.iter().fold(state, Order::apply);
            let (Some(before), Some(after)) = (before, state.as_ref()) else { continue };
            prop_assert_eq!(&before.revisions, &after.revisions);
            if before.number.is_some() {
                prop_assert_eq!(&before.number, &after.number);
            }
            if matches!(before.lifecycle, Lifecycle::Cancelled | Lifecycle::Closed) {
                prop_assert_eq!(before.lifecycle, after.lifecycle);
            }
            let again = Order::decide(Some(after), command);
            prop_assert!(again.is_ok_and(|events| events.is_empty()), "the same again changes nothing");
        }
    }
}
