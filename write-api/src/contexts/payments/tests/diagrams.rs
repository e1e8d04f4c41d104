//! The states of a payment, and those of a refund.

use super::{PAYMENT, PROOF, late_refund, new, seen, transfer, usd};
use crate::{
    contexts::payments::domain::{
        Payment, PaymentCommand, Refund, RefundCommand, payment::ObservedStatus, refund::RefundStatus,
    },
    domain::diagram::{Diagram, Exploration},
};
use schemas::events::{
    payments::ActionKind,
    settings::PaymentMethod::{Card, CashOnDelivery, Transfer},
};

/// What is to be paid, and a part of it.
const ALL: i64 = 1_000;
const PART: i64 = 400;

pub(in crate::contexts) fn all() -> Vec<Diagram> {
    let mut commands: Vec<PaymentCommand> =
        [Card, Transfer, CashOnDelivery].map(|method| PaymentCommand::Create(new(method, usd(ALL)))).into();
    commands.extend(by_card(1));
    commands.extend(by_card(2));
    commands.extend(by_hand());
    commands.push(PaymentCommand::Void { gives_back: true });
    commands.push(PaymentCommand::Differ { reference: "pi_1".to_owned(), ours: 0, theirs: PART });
    let payment = Exploration::<Payment> {
        title: "Payment",
        given: vec![],
        commands,
        name: |payment| Some(payment.status.as_str()),
        without: &[],
    };
    let note = "By card, by transfer and in cash alike. What a provider says late changes it, too.";
    vec![payment.diagram().with_note(note), refund()]
}

fn by_card(attempt: u32) -> Vec<PaymentCommand> {
    let says = |status, captured| PaymentCommand::Observe(seen(attempt, usd(ALL), status, captured));
    let mut partly = seen(attempt, usd(ALL), ObservedStatus::Authorized { until: None }, PART);
    partly.fee = Some(("txn_1".to_owned(), usd(7)));
    vec![
        PaymentCommand::Begin { attempt },
        says(ObservedStatus::ActionRequired(ActionKind::Confirm), 0),
        says(ObservedStatus::Authorized { until: None }, 0),
        PaymentCommand::Observe(partly),
        says(ObservedStatus::Captured, PART),
        says(ObservedStatus::Captured, ALL),
        says(ObservedStatus::Failed { reason: "card_declined".to_owned() }, 0),
        says(ObservedStatus::Canceled, 0),
        PaymentCommand::Absent { attempt, reason: "absent".to_owned() },
    ]
}

/// Transfers that staff enter, and cash that carriers collect.
fn by_hand() -> Vec<PaymentCommand> {
    let collect = |id: &str, amount| {
        let (capture_id, carrier) = (id.to_owned(), "post".to_owned());
        PaymentCommand::CollectCash { capture_id, carrier, amount }
    };
    let mut rest = transfer(ALL - PART, "anna");
    rest.proof_id = PAYMENT;
    let approve = |proof_id| PaymentCommand::ApproveTransfer { proof_id, by: "ben".to_owned() };
    vec![
        PaymentCommand::EnterTransfer(transfer(PART, "anna")),
        PaymentCommand::EnterTransfer(rest),
        approve(PROOF),
        approve(PAYMENT),
        collect("c-1", PART),
        collect("c-2", ALL - PART),
        collect("c-3", ALL),
        PaymentCommand::RemitCash { capture_id: "c-1".to_owned(), kept: 10 },
    ]
}

fn refund() -> Diagram {
    let reference = || "re_1".to_owned();
    let refund = Exploration::<Refund> {
        title: "Refund",
        given: vec![],
        commands: vec![
            RefundCommand::Request { requested: late_refund(9, usd(PART)), left: ALL },
            RefundCommand::Submit { reference: reference() },
            RefundCommand::Succeed { reference: reference() },
            RefundCommand::Fail { reason: "lost_or_stolen_card".to_owned() },
        ],
        name: |refund| {
            Some(match refund.status {
                RefundStatus::Requested => "requested",
                RefundStatus::Submitted => "submitted",
                RefundStatus::Succeeded => "succeeded",
                RefundStatus::Failed => "failed",
            })
        },
        without: &[],
    };
    refund.diagram()
}
